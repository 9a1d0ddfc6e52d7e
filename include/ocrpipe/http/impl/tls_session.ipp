#ifndef OCRPIPE_HTTP_IMPL_TLS_SESSION_IPP
#define OCRPIPE_HTTP_IMPL_TLS_SESSION_IPP

#include <ocrpipe/http/origin.hpp>
#include <ocrpipe/http/tls_session.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/context.hpp>

#include <climits>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

namespace ocrpipe
{
namespace detail
{

/// Enough for the connections that are opened together after a pause; TLS 1.3 servers send two tickets a
/// handshake.
inline constexpr std::size_t max_stored_sessions = 16;

OCRPIPE_DECL void openssl_deleter::operator()(ssl_st* p) const noexcept { ::SSL_free(p); }
OCRPIPE_DECL void openssl_deleter::operator()(ssl_ctx_st* p) const noexcept { ::SSL_CTX_free(p); }
OCRPIPE_DECL void openssl_deleter::operator()(ssl_session_st* p) const noexcept { ::SSL_SESSION_free(p); }

/// Whether the oldest error in OpenSSL's queue is an alert by which a server may refuse a client certificate,
/// or its absence.
inline bool is_refused_certificate() noexcept
{
    unsigned long const error = ::ERR_peek_error();
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) return false;
    switch (ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET) {
    case SSL_AD_HANDSHAKE_FAILURE: // TLS 1.2
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_DECRYPT_ERROR:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

/// OpenSSL's message for the oldest error in the queue, which caused the others; empties the queue.
inline std::string pop_openssl_error()
{
    char const* const reason = ::ERR_reason_error_string(::ERR_get_error());
    ::ERR_clear_error();
    return reason != nullptr ? reason : "";
}

OCRPIPE_DECL void tls_context::store_sessions_of(ssl_ctx_st* context)
{
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    ::SSL_CTX_sess_set_new_cb(context, [](::SSL* ssl, ::SSL_SESSION* session) {
        auto* const self = static_cast<tls_context*>(SSL_get_app_data(ssl));
        if (self != nullptr) self->store_session(session);
        return 0;
    });
}

OCRPIPE_DECL void tls_context::prepare(ssl_st* ssl)
{
    SSL_set_app_data(ssl, this);
    // A given context may say otherwise.
    if (SSL_get_min_proto_version(ssl) < TLS1_2_VERSION) SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
    ::SSL_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    ::SSL_set_verify(ssl, SSL_VERIFY_PEER, ::SSL_get_verify_callback(ssl));
    static constexpr std::array<unsigned char, 9> alpn{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    if (::SSL_set_alpn_protos(ssl, alpn.data(), alpn.size()) != 0) throw std::bad_alloc();
}

OCRPIPE_DECL result<std::unique_ptr<tls_context>> tls_context::make(tls_options const& options)
{
    std::unique_ptr<tls_context> self(new tls_context);
    if (options.context) {
        self->given_ = options.context;
        ::SSL_CTX* const given = options.context->native_handle();
        ::SSL_CTX_up_ref(given);
        self->context_.reset(given);
        // A context with a callback of its own keeps it, and its sessions are not resumed.
        if (::SSL_CTX_sess_get_new_cb(given) == nullptr) store_sessions_of(given);
        return self;
    }
    self->context_.reset(::SSL_CTX_new(::TLS_client_method()));
    ::SSL_CTX* const ctx = self->context_.get();
    if (ctx == nullptr) throw std::bad_alloc();

    auto const refuse = [](std::string_view option, std::string const& file, std::string_view what) {
        return failure(
            errc::invalid_argument, phase::prepare,
            fmt::format("{}: {}: {} ({})", option, printable_excerpt(file, 1024), what, pop_openssl_error()));
    };

    ::ERR_clear_error();
    if (options.ca_file.empty())
        ::SSL_CTX_set_default_verify_paths(ctx);
    else if (::SSL_CTX_load_verify_file(ctx, options.ca_file.c_str()) != 1)
        return refuse("ca_file", options.ca_file, "cannot be read as PEM certificates");

    if (!options.client_cert.empty()) {
        // Without this OpenSSL would ask for the passphrase on the terminal, and a daemon would hang at
        // startup.
        ::SSL_CTX_set_default_passwd_cb(ctx, [](char*, int, int, void*) { return 0; });
        if (::SSL_CTX_use_certificate_chain_file(ctx, options.client_cert.c_str()) != 1)
            return refuse("client_cert", options.client_cert, "cannot be read as a PEM certificate chain");
        if (::SSL_CTX_use_PrivateKey_file(ctx, options.client_key.c_str(), SSL_FILETYPE_PEM) != 1)
            return refuse("client_key", options.client_key,
                          "cannot be read as an unencrypted PEM key that belongs to client_cert");
    }

    store_sessions_of(ctx);
    return self;
}

OCRPIPE_DECL tls_context::~tls_context() = default;

OCRPIPE_DECL void tls_context::store_session(ssl_session_st* session)
{
    // A copy: OpenSSL marks the connection's own session as not resumable when the connection ends without
    // close_notify.
    openssl_ptr<::SSL_SESSION> copy(::SSL_SESSION_dup(session));
    if (!copy) return;
    if (sessions_.size() == max_stored_sessions) sessions_.erase(sessions_.begin());
    sessions_.push_back(std::move(copy));
}

OCRPIPE_DECL openssl_ptr<ssl_session_st> tls_context::session_to_resume()
{
    openssl_ptr<::SSL_SESSION> session;
    if (sessions_.empty()) return session;
    if (::SSL_SESSION_get_protocol_version(sessions_.back().get()) >= TLS1_3_VERSION) {
        session = std::move(sessions_.back());
        sessions_.pop_back();
    } else {
        session.reset(::SSL_SESSION_dup(sessions_.back().get()));
    }
    return session;
}

/// The BIO under a session: reads from the bytes that were fed, writes to the caller's buffer. OpenSSL's
/// memory BIO would copy and move what it reads, and clear its whole buffer with every reset.
struct tls_session::filter {
    std::span<char const> in;
    byte_buffer* out = nullptr;
    bool certificate_requested = false;
    bool received = false; ///< data, so that the handshake is complete for the server, too

    static int read(::BIO* bio, char* to, int n)
    {
        auto& self = *static_cast<filter*>(::BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (self.in.empty()) {
            BIO_set_retry_read(bio);
            return -1;
        }
        std::size_t const got = std::min(self.in.size(), static_cast<std::size_t>(n));
        std::memcpy(to, self.in.data(), got);
        self.in = self.in.subspan(got);
        return static_cast<int>(got);
    }

    static int write(::BIO* bio, char const* from, int n)
    {
        auto& self = *static_cast<filter*>(::BIO_get_data(bio));
        self.out->append(std::string_view(from, static_cast<std::size_t>(n)));
        return n;
    }

    static long control(::BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static ::BIO* make(filter& self)
    {
        static ::BIO_METHOD* const method = [] {
            ::BIO_METHOD* const m = ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ocrpipe");
            if (m == nullptr) throw std::bad_alloc();
            ::BIO_meth_set_read(m, &filter::read);
            ::BIO_meth_set_write(m, &filter::write);
            ::BIO_meth_set_ctrl(m, &filter::control);
            return m;
        }();
        ::BIO* const bio = ::BIO_new(method);
        if (bio == nullptr) throw std::bad_alloc();
        ::BIO_set_data(bio, &self);
        ::BIO_set_init(bio, 1);
        return bio;
    }
};

OCRPIPE_DECL tls_session::tls_session(tls_context& context, std::string const& host)
    : filter_(std::make_unique<filter>()), ssl_(::SSL_new(context.native())), host_(host)
{
    if (!ssl_) throw std::bad_alloc();
    ::SSL* const ssl = ssl_.get();
    context.prepare(ssl);
    ::BIO* const bio = filter::make(*filter_);
    ::SSL_set_bio(ssl, bio, bio);
    // Called when the server requests a client certificate.
    ::SSL_set_cert_cb(
        ssl,
        [](::SSL*, void* self) {
            static_cast<filter*>(self)->certificate_requested = true;
            return 1;
        },
        filter_.get());
    bool named = false;
    if (is_address(host)) {
        named = ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl), host.c_str()) == 1;
    } else {
        ::SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        named = ::SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
    }
    if (!named) throw std::bad_alloc(); // continuing would skip host name verification
    if (openssl_ptr<::SSL_SESSION> const session = context.session_to_resume())
        ::SSL_set_session(ssl, session.get());
    ::SSL_set_connect_state(ssl);
}

OCRPIPE_DECL tls_session::~tls_session() = default;

OCRPIPE_DECL void tls_session::feed(std::span<char const> bytes) noexcept { filter_->in = bytes; }

OCRPIPE_DECL bool tls_session::handshake(byte_buffer& out, error_code& ec)
{
    ec = {};
    filter_->out = &out;
    ::ERR_clear_error();
    int const rc = ::SSL_do_handshake(ssl_.get());
    if (rc == 1) {
        unsigned char const* chosen = nullptr;
        unsigned length = 0;
        ::SSL_get0_alpn_selected(ssl_.get(), &chosen, &length);
        if (length == 0 || std::string_view(reinterpret_cast<char const*>(chosen), length) == "http/1.1")
            return true;
        detail_ = "the server insists on a protocol other than http/1.1";
        ec = make_error_code(errc::tls_failed);
        return false;
    }
    if (::SSL_get_error(ssl_.get(), rc) != SSL_ERROR_WANT_READ) fail(ec);
    return false;
}

OCRPIPE_DECL std::size_t tls_session::read(std::span<char> to, byte_buffer& out, error_code& ec)
{
    ec = {};
    filter_->out = &out;
    ::ERR_clear_error();
    std::size_t n = 0;
    if (::SSL_read_ex(ssl_.get(), to.data(), to.size(), &n) == 1) {
        filter_->received = true;
        return n;
    }
    int const why = ::SSL_get_error(ssl_.get(), 0);
    if (why == SSL_ERROR_ZERO_RETURN)
        ec = boost::asio::error::eof;
    else if (why != SSL_ERROR_WANT_READ)
        fail(ec);
    return 0;
}

OCRPIPE_DECL void tls_session::write(std::string_view plain, byte_buffer& out, error_code& ec)
{
    ec = {};
    filter_->out = &out;
    ::ERR_clear_error();
    while (!plain.empty()) {
        std::size_t n = 0;
        if (::SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &n) != 1) return fail(ec);
        plain.remove_prefix(n);
    }
}

OCRPIPE_DECL void tls_session::close(byte_buffer& out)
{
    if (!::SSL_is_init_finished(ssl_.get())) return;
    filter_->out = &out;
    ::SSL_shutdown(ssl_.get());
    ::ERR_clear_error();
}

OCRPIPE_DECL void tls_session::fail(error_code& ec)
{
    long const verified = ::SSL_get_verify_result(ssl_.get());
    bool const refused = filter_->certificate_requested && !filter_->received && is_refused_certificate();
    std::string const cause = pop_openssl_error();
    if (refused) {
        bool const given = ::SSL_get_certificate(ssl_.get()) != nullptr;
        detail_ = fmt::format("{}: {} ({})", host_,
                              given ? "the server refuses the client certificate"
                                    : "the server requires a client certificate, and client_cert is not set",
                              cause);
        ec = make_error_code(errc::client_certificate_refused);
    } else if (verified != X509_V_OK) {
        detail_ = fmt::format("{}: {}", host_, ::X509_verify_cert_error_string(verified));
        ec = make_error_code(errc::certificate_invalid);
    } else {
        detail_ = fmt::format("{}: {}", host_, cause.empty() ? "unexpected end" : cause);
        ec = make_error_code(errc::tls_failed);
    }
}

} // namespace detail
} // namespace ocrpipe

#endif
