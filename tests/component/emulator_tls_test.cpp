#include "emulator/emulator.hpp"
#include "support/temp_directory.hpp"
#include "support/test_certificates.hpp"

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <system_error>

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

/// Options of an emulator with a certificate of its own, in files of its own.
struct tls_files {
    tls_files()
    {
        auto const identity = make_test_identity("localhost", "IP:127.0.0.1");
        options.tls.cert = dir.write("cert.pem", identity.certificate_pem());
        options.tls.key = dir.write("key.pem", identity.key_pem());
    }

    temp_directory dir;
    emulator_options options;
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
    tls_files const files;
    emulator e(files.options);
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
    tls_files files;
    files.options.tls.client_ca = files.options.tls.cert;
    emulator e(files.options);
    context const ctx(::SSL_CTX_new(::TLS_client_method()));
    session none;
    CHECK(ask(ctx.get(), e.port(), none).empty());
    REQUIRE(::SSL_CTX_use_certificate_file(ctx.get(), files.options.tls.cert.c_str(), SSL_FILETYPE_PEM) == 1);
    REQUIRE(::SSL_CTX_use_PrivateKey_file(ctx.get(), files.options.tls.key.c_str(), SSL_FILETYPE_PEM) == 1);
    CHECK(ask(ctx.get(), e.port(), none).starts_with("HTTP/1.1 403"));
}

TEST_CASE("emulator: a fault over TLS -> the connection is reset and counted")
{
    tls_files files;
    files.options.faults.push_back(*parse_fault("reset-on-accept:count=1"));
    emulator e(files.options);
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
