#include <ocrpipe/http/tls_session.hpp>

#include "support/temp_directory.hpp"
#include "support/test_certificates.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <vector>

using namespace ocrpipe;
using ocrpipe::detail::byte_buffer;
using ocrpipe::detail::tls_context;
using ocrpipe::detail::tls_session;

namespace
{

/// The server's side in memory, by OpenSSL's own means and none of ours.
class memory_server
{
public:
    explicit memory_server(test_identity const& id)
        : context_(::SSL_CTX_new(::TLS_server_method()), &::SSL_CTX_free)
    {
        ::SSL_CTX_use_certificate(context_.get(), id.certificate.get());
        ::SSL_CTX_use_PrivateKey(context_.get(), id.key.get());
    }

    ::SSL_CTX* context() { return context_.get(); }
    ::SSL* ssl() { return ssl_.get(); }

    void begin()
    {
        ssl_.reset(::SSL_new(context_.get()), &::SSL_free);
        ::SSL_set_bio(ssl_.get(), ::BIO_new(::BIO_s_mem()), ::BIO_new(::BIO_s_mem()));
        ::SSL_set_accept_state(ssl_.get());
    }

    void receive(std::string_view wire)
    {
        if (!wire.empty())
            ::BIO_write(::SSL_get_rbio(ssl_.get()), wire.data(), static_cast<int>(wire.size()));
        if (!::SSL_is_init_finished(ssl_.get())) ::SSL_do_handshake(ssl_.get());
        ::ERR_clear_error();
    }

    std::string output()
    {
        ::BIO* const bio = ::SSL_get_wbio(ssl_.get());
        std::string out(::BIO_ctrl_pending(bio), '\0');
        ::BIO_read(bio, out.data(), static_cast<int>(out.size()));
        return out;
    }

    std::string read()
    {
        std::string out;
        char piece[4096];
        for (int n = 0; (n = ::SSL_read(ssl_.get(), piece, sizeof piece)) > 0;)
            out.append(piece, static_cast<std::size_t>(n));
        return out;
    }

    void write(std::string_view plain)
    {
        REQUIRE(::SSL_write(ssl_.get(), plain.data(), static_cast<int>(plain.size())) > 0);
    }

private:
    std::shared_ptr<::SSL_CTX> context_;
    std::shared_ptr<::SSL> ssl_;
};

struct fixture {
    fixture()
    {
        tls_options options;
        options.ca_file = directory.write("ca.pem", authority.certificate_pem()).string();
        context = tls_context::make(options).value();
    }

    /// Runs a handshake, the server's bytes in pieces of `step`; returns its error, and in `client` the
    /// session.
    error_code shake(std::string const& host, std::size_t step = 1 << 20)
    {
        server.begin();
        client = std::make_unique<tls_session>(*context, host);
        error_code ec;
        std::string incoming;
        for (int i = 0; i < 100'000; ++i) {
            std::string const piece = incoming.substr(0, step);
            incoming.erase(0, step);
            client->feed(piece);
            byte_buffer out;
            bool const done = client->handshake(out, ec);
            server.receive(out.view());
            if (done || ec) {
                rest = incoming + server.output();
                return ec;
            }
            incoming += server.output();
            if (incoming.empty()) return boost::asio::error::would_block; // both wait: the handshake hangs
        }
        return boost::asio::error::timed_out;
    }

    std::string read_all(std::string const& wire, std::size_t step, error_code& ec)
    {
        std::string plain;
        byte_buffer out;
        for (std::size_t at = 0; at < wire.size() && !ec; at += step) {
            std::string const piece = wire.substr(at, step);
            client->feed(piece);
            char to[1000];
            for (std::size_t n = 0; (n = client->read(to, out, ec)) != 0;)
                plain.append(to, n);
        }
        return plain;
    }

    temp_directory directory;
    test_identity authority = make_test_identity("test authority");
    test_identity leaf =
        make_test_identity("ocr.test", "DNS:ocr.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1", &authority);
    memory_server server{leaf};
    std::unique_ptr<tls_context> context;
    std::unique_ptr<tls_session> client;
    std::string rest; ///< what the server had to say behind the handshake
};

} // namespace

TEST_CASE("tls_session: handshake, whole or byte by byte -> done, TLS 1.3, SNI sent")
{
    for (std::size_t const step : {std::size_t{1}, std::size_t{100}, std::size_t{1 << 20}}) {
        CAPTURE(step);
        fixture f;
        CHECK_FALSE(f.shake("ocr.test", step));
        CHECK(::SSL_version(f.server.ssl()) == TLS1_3_VERSION);
        CHECK(std::string(::SSL_get_servername(f.server.ssl(), TLSEXT_NAMETYPE_host_name)) == "ocr.test");
        CHECK(::SSL_session_reused(f.server.ssl()) == 0);
    }
}

TEST_CASE("tls_session: bytes both ways, several records and any cut -> unchanged")
{
    fixture f;
    REQUIRE_FALSE(f.shake("ocr.test"));
    std::string const big(100'000, 'q');
    byte_buffer wire;
    error_code ec;
    f.client->write("head ", wire, ec);
    f.client->write(big, wire, ec);
    CHECK_FALSE(ec);
    f.server.receive(wire.view());
    CHECK(f.server.read() == "head " + big);
    for (std::size_t const step : {std::size_t{1}, std::size_t{999}, std::size_t{1 << 20}}) {
        CAPTURE(step);
        f.server.write(big);
        CHECK(f.read_all(f.rest + f.server.output(), step, ec) == big);
        CHECK_FALSE(ec);
        f.rest.clear();
    }
}

TEST_CASE("tls_session: another host, address or authority than the certificate's -> certificate_invalid "
          "that says why")
{
    for (char const* host : {"other.test", "sub.ocr.test", "a.b.wild.test", "127.0.0.2", "::2"}) {
        CAPTURE(host);
        fixture f;
        CHECK(f.shake(host) == errc::certificate_invalid);
        CHECK(f.client->detail().find(host) == 0);
        CHECK(f.client->detail().find("mismatch") != std::string::npos);
    }
    fixture stranger;
    stranger.context = tls_context::make(tls_options()).value();
    CHECK(stranger.shake("ocr.test") == errc::certificate_invalid);
}

TEST_CASE("tls_session: host names and addresses of the certificate -> accepted, no SNI for addresses")
{
    for (char const* host : {"OCR.test", "a.wild.test", "127.0.0.1", "::1"}) {
        CAPTURE(host);
        fixture f;
        CHECK_FALSE(f.shake(host));
        bool const named = ::SSL_get_servername(f.server.ssl(), TLSEXT_NAMETYPE_host_name) != nullptr;
        CHECK(named == (std::string_view(host).find("test") != std::string_view::npos));
    }
}

TEST_CASE("tls_session: a server that offers TLS 1.1 at most -> tls_failed")
{
    fixture f;
    ::SSL_CTX_set_security_level(f.server.context(), 0);
    ::SSL_CTX_set_max_proto_version(f.server.context(), TLS1_1_VERSION);
    CHECK(f.shake("ocr.test") == errc::tls_failed);
    CHECK_FALSE(f.client->detail().empty());
}

TEST_CASE("tls_session: what is no TLS at all -> tls_failed")
{
    fixture f;
    f.server.begin();
    tls_session client(*f.context, "ocr.test");
    byte_buffer out;
    error_code ec;
    std::string const http = "HTTP/1.1 400 Bad Request\r\n\r\n";
    client.feed(http);
    client.handshake(out, ec);
    CHECK(ec == errc::tls_failed);
}

TEST_CASE("tls_session: TLS 1.3 and 1.2, the connection dropped without close_notify -> the next one resumes")
{
    for (int const version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
        CAPTURE(version);
        fixture f;
        ::SSL_CTX_set_max_proto_version(f.server.context(), version);
        REQUIRE_FALSE(f.shake("ocr.test"));
        error_code ec;
        f.read_all(f.rest, 1 << 20, ec); // the tickets
        f.client.reset();
        REQUIRE_FALSE(f.shake("ocr.test"));
        CHECK(::SSL_session_reused(f.server.ssl()) == 1);
        f.client.reset();
        REQUIRE_FALSE(f.shake("ocr.test"));
        CHECK(::SSL_session_reused(f.server.ssl()) == 1);
    }
}

TEST_CASE("tls_session: many connections opened together -> a bounded number of sessions is kept")
{
    struct opened {
        std::unique_ptr<tls_session> client;
        std::string tickets;
    };
    fixture f;
    std::vector<opened> together;
    for (int i = 0; i < 30; ++i) {
        REQUIRE_FALSE(f.shake("ocr.test"));
        together.push_back({std::move(f.client), std::move(f.rest)});
    }
    for (opened& o : together) {
        f.client = std::move(o.client);
        error_code ec;
        f.read_all(o.tickets, 1 << 20, ec);
    }
    int resumed = 0;
    for (int i = 0; i < 30; ++i) {
        REQUIRE_FALSE(f.shake("ocr.test"));
        resumed += ::SSL_session_reused(f.server.ssl());
    }
    CHECK(resumed == 16);
}

TEST_CASE("tls_session: close_notify -> eof for the reader, and ours reaches the server")
{
    fixture f;
    REQUIRE_FALSE(f.shake("ocr.test"));
    f.server.write("last");
    ::SSL_shutdown(f.server.ssl());
    error_code ec;
    CHECK(f.read_all(f.rest + f.server.output(), 1 << 20, ec) == "last");
    CHECK(ec == boost::asio::error::eof);
    byte_buffer out;
    f.client->close(out);
    f.server.receive(out.view());
    f.server.read();
    CHECK((::SSL_get_shutdown(f.server.ssl()) & SSL_RECEIVED_SHUTDOWN) != 0);
}

TEST_CASE("tls_session: a record that was tampered with -> tls_failed")
{
    fixture f;
    REQUIRE_FALSE(f.shake("ocr.test"));
    f.server.write("secret");
    std::string wire = f.server.output();
    wire.back() = static_cast<char>(wire.back() ^ 1);
    error_code ec;
    CHECK(f.read_all(f.rest + wire, 1 << 20, ec).empty());
    CHECK(ec == errc::tls_failed);
}

TEST_CASE("tls_session: a server that asks for a certificate -> gets ours")
{
    fixture f;
    test_identity const mine = make_test_identity("client", {}, &f.authority);
    tls_options options;
    options.ca_file = (f.directory.path() / "ca.pem").string();
    options.client_cert = f.directory.write("client.pem", mine.certificate_pem()).string();
    options.client_key = f.directory.write("client.key", mine.key_pem()).string();
    f.context = tls_context::make(options).value();
    ::SSL_CTX_set_verify(f.server.context(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(f.server.context()), f.authority.certificate.get());
    REQUIRE_FALSE(f.shake("ocr.test"));
    CHECK(::SSL_get0_peer_certificate(f.server.ssl()) != nullptr);
}

TEST_CASE("tls_session: a server that speaks h2 only -> tls_failed")
{
    fixture f;
    ::SSL_CTX_set_alpn_select_cb(
        f.server.context(),
        [](::SSL*, unsigned char const** out, unsigned char* length, unsigned char const*, unsigned, void*) {
            *out = reinterpret_cast<unsigned char const*>("h2");
            *length = 2;
            return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
    CHECK(f.shake("ocr.test") == errc::tls_failed);
}

TEST_CASE("tls_context: files that cannot be used -> invalid_argument that names option and file")
{
    temp_directory directory;
    test_identity const a = make_test_identity("a");
    test_identity const b = make_test_identity("b");
    std::string const cert = directory.write("a.pem", a.certificate_pem()).string();
    std::string const other_key = directory.write("b.key", b.key_pem()).string();
    std::string const noise = directory.write("noise.pem", "no certificate").string();
    auto const reason = [](tls_options const& options) {
        auto const made = tls_context::make(options);
        REQUIRE(made.has_error());
        CHECK(made.error().is(errc::invalid_argument));
        return made.error().reason;
    };
    tls_options options;
    options.ca_file = "/nowhere/ca.pem";
    CHECK(reason(options).find("ca_file: /nowhere/ca.pem") == 0);
    options.ca_file = noise;
    CHECK(reason(options).find("ca_file: ") == 0);
    options.ca_file.clear();
    options.client_cert = noise;
    options.client_key = other_key;
    CHECK(reason(options).find("client_cert: ") == 0);
    options.client_cert = cert;
    CHECK(reason(options).find("client_key: ") == 0);
}
