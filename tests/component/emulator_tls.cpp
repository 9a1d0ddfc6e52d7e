#include "emulator/emulator.hpp"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>

using namespace ocrpipe::emulator;

namespace
{

template<auto F>
struct freed_by {
    template<class T>
    void operator()(T* p) const noexcept
    {
        F(p);
    }
};
template<class T, auto F>
using owned = std::unique_ptr<T, freed_by<F>>;

/// A key and a self-signed certificate for localhost in two files of their own.
struct certificate {
    certificate()
    {
        REQUIRE(std::filesystem::create_directory(dir));
        owned<::EVP_PKEY, ::EVP_PKEY_free> const key(::EVP_EC_gen("P-256"));
        owned<::X509, ::X509_free> const x509(::X509_new());
        ::X509_set_version(x509.get(), 2);
        ::ASN1_INTEGER_set(::X509_get_serialNumber(x509.get()), 1);
        ::X509_gmtime_adj(::X509_getm_notBefore(x509.get()), -3600);
        ::X509_gmtime_adj(::X509_getm_notAfter(x509.get()), 3600);
        ::X509_set_pubkey(x509.get(), key.get());
        ::X509_NAME* const name = ::X509_get_subject_name(x509.get());
        ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     reinterpret_cast<unsigned char const*>("localhost"), -1, -1, 0);
        ::X509_set_issuer_name(x509.get(), name);
        REQUIRE(::X509_sign(x509.get(), key.get(), ::EVP_sha256()) > 0);
        owned<std::FILE, std::fclose> const key_file(std::fopen(key_path().c_str(), "w"));
        REQUIRE(::PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
                1);
        owned<std::FILE, std::fclose> const cert_file(std::fopen(cert_path().c_str(), "w"));
        REQUIRE(::PEM_write_X509(cert_file.get(), x509.get()) == 1);
    }
    ~certificate() { std::filesystem::remove_all(dir); }
    certificate(certificate const&) = delete;
    certificate& operator=(certificate const&) = delete;

    std::string key_path() const { return dir / "key.pem"; }
    std::string cert_path() const { return dir / "cert.pem"; }

    std::filesystem::path dir =
        std::filesystem::temp_directory_path() / ("ocrpipe-emulator-tls-" + std::to_string(::getpid()));
};

using context = owned<::SSL_CTX, ::SSL_CTX_free>;
using session = owned<::SSL_SESSION, ::SSL_SESSION_free>;

/// One request over TLS; the answer's beginning, empty when there is none. `resumed` goes in as the session
/// to take up and comes out as the one for next time.
std::string ask(::SSL_CTX* ctx, unsigned short port, session& resumed)
{
    owned<::BIO, ::BIO_free_all> const bio(::BIO_new_ssl_connect(ctx));
    ::SSL* ssl = nullptr;
    BIO_get_ssl(bio.get(), &ssl);
    BIO_set_conn_hostname(bio.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
    if (resumed) ::SSL_set_session(ssl, resumed.get());
    ::ERR_clear_error();
    if (BIO_do_connect(bio.get()) != 1) return {};
    std::string const request =
        "GET /maas/user-1/greennode/idp/v1/ocr/ingest/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
    ::BIO_write(bio.get(), request.data(), static_cast<int>(request.size()));
    char buffer[4096];
    int const n = ::BIO_read(bio.get(), buffer, sizeof buffer);
    if (n <= 0) return {};
    resumed.reset(::SSL_get1_session(ssl));
    // A session that was not shut down counts as broken and cannot be resumed.
    ::SSL_shutdown(ssl);
    return std::string(buffer, static_cast<std::size_t>(n));
}

} // namespace

TEST_CASE("emulator: a certificate -> speaks https, and sessions are resumed")
{
    certificate const files;
    emulator_options o;
    o.tls.cert = files.cert_path();
    o.tls.key = files.key_path();
    emulator e(o);
    CHECK(e.base_url().starts_with("https://127.0.0.1:"));
    context const ctx(::SSL_CTX_new(::TLS_client_method()));
    session resumed;
    CHECK(ask(ctx.get(), e.port(), resumed).starts_with("HTTP/1.1 403 Forbidden\r\n"));
    CHECK(e.counters().tls_resumed == 0);
    CHECK(ask(ctx.get(), e.port(), resumed).starts_with("HTTP/1.1 403 Forbidden\r\n"));
    CHECK(e.counters().tls_resumed == 1);
}

TEST_CASE("emulator: client certificates demanded -> a client without one is refused, one with it is served")
{
    certificate const files;
    emulator_options o;
    o.tls.cert = files.cert_path();
    o.tls.key = files.key_path();
    o.tls.client_ca = files.cert_path();
    emulator e(o);
    context const ctx(::SSL_CTX_new(::TLS_client_method()));
    session none;
    CHECK(ask(ctx.get(), e.port(), none).empty());
    REQUIRE(::SSL_CTX_use_certificate_file(ctx.get(), files.cert_path().c_str(), SSL_FILETYPE_PEM) == 1);
    REQUIRE(::SSL_CTX_use_PrivateKey_file(ctx.get(), files.key_path().c_str(), SSL_FILETYPE_PEM) == 1);
    CHECK(ask(ctx.get(), e.port(), none).starts_with("HTTP/1.1 403"));
}

TEST_CASE("emulator: a fault over TLS -> the connection is reset and counted")
{
    certificate const files;
    emulator_options o;
    o.tls.cert = files.cert_path();
    o.tls.key = files.key_path();
    o.faults.push_back(*parse_fault("reset-on-accept:count=1"));
    emulator e(o);
    context const ctx(::SSL_CTX_new(::TLS_client_method()));
    session none;
    CHECK(ask(ctx.get(), e.port(), none).empty());
    CHECK(e.all_faults_happened());
    CHECK(ask(ctx.get(), e.port(), none).starts_with("HTTP/1.1 403"));
}

TEST_CASE("emulator: PEM files that cannot be used -> refused at once, the file is named")
{
    emulator_options o;
    o.tls.cert = "/nonexistent/cert.pem";
    o.tls.key = "/nonexistent/key.pem";
    try {
        emulator e(o);
        FAIL("must not start");
    } catch (std::system_error const& wrong) {
        CHECK(std::string(wrong.what()).find("/nonexistent/cert.pem") != std::string::npos);
    }
}
