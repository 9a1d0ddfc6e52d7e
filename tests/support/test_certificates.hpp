#ifndef OCRPIPE_TESTS_SUPPORT_TEST_CERTIFICATES_HPP
#define OCRPIPE_TESTS_SUPPORT_TEST_CERTIFICATES_HPP

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

/// A certificate and its key, made on the spot.
struct test_identity {
    std::shared_ptr<::X509> certificate;
    std::shared_ptr<::EVP_PKEY> key;

    std::string certificate_pem() const
    {
        return pem([this](::BIO* out) { return ::PEM_write_bio_X509(out, certificate.get()); });
    }

    std::string key_pem() const
    {
        return pem([this](::BIO* out) {
            return ::PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
    }

private:
    template<class Write>
    static std::string pem(Write write)
    {
        std::unique_ptr<::BIO, decltype(&::BIO_free)> const bio(::BIO_new(::BIO_s_mem()), &::BIO_free);
        if (write(bio.get()) != 1) throw std::runtime_error("PEM");
        char* data = nullptr;
        long const size = BIO_get_mem_data(bio.get(), &data);
        return std::string(data, static_cast<std::size_t>(size));
    }
};

/// Makes a certificate for `name`, with `alternative_names` such as "DNS:ocr.test,IP:127.0.0.1", signed by
/// `issuer`, or by itself as an authority when there is none.
inline test_identity make_test_identity(std::string const& name, std::string const& alternative_names = {},
                                        test_identity const* issuer = nullptr)
{
    test_identity id;
    id.key.reset(EVP_EC_gen("P-256"), &::EVP_PKEY_free);
    id.certificate.reset(::X509_new(), &::X509_free);
    ::X509* const x = id.certificate.get();
    test_identity const& by = issuer != nullptr ? *issuer : id;

    static long serial = 0;
    ::X509_set_version(x, X509_VERSION_3);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(x), ++serial);
    ::X509_gmtime_adj(::X509_getm_notBefore(x), -3600);
    ::X509_gmtime_adj(::X509_getm_notAfter(x), 3600);
    ::X509_set_pubkey(x, id.key.get());
    ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                 reinterpret_cast<unsigned char const*>(name.c_str()), -1, -1, 0);
    ::X509_set_issuer_name(x, ::X509_get_subject_name(by.certificate.get()));

    auto const extend = [&](int nid, char const* value) {
        ::X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        ::X509V3_set_ctx(&context, by.certificate.get(), x, nullptr, nullptr, 0);
        std::unique_ptr<::X509_EXTENSION, decltype(&::X509_EXTENSION_free)> const extension(
            ::X509V3_EXT_conf_nid(nullptr, &context, nid, value), &::X509_EXTENSION_free);
        if (!extension || ::X509_add_ext(x, extension.get(), -1) != 1)
            throw std::runtime_error("X509V3_EXT_conf_nid");
    };
    if (issuer == nullptr) extend(NID_basic_constraints, "critical,CA:TRUE");
    if (!alternative_names.empty()) extend(NID_subject_alt_name, alternative_names.c_str());
    if (::X509_sign(x, by.key.get(), ::EVP_sha256()) == 0) throw std::runtime_error("X509_sign");
    return id;
}

#endif
