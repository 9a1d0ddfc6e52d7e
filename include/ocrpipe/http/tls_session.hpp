#ifndef OCRPIPE_HTTP_TLS_SESSION_HPP
#define OCRPIPE_HTTP_TLS_SESSION_HPP

#include <ocrpipe/core/result.hpp>
#include <ocrpipe/http/byte_buffer.hpp>
#include <ocrpipe/http/http_options.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// OpenSSL's own names, declared here to avoid including its headers.
struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace ocrpipe
{
namespace detail
{

struct openssl_deleter {
    void operator()(ssl_st* p) const noexcept;
    void operator()(ssl_ctx_st* p) const noexcept;
    void operator()(ssl_session_st* p) const noexcept;
};

template<class T>
using openssl_ptr = std::unique_ptr<T, openssl_deleter>;

/// State shared by all TLS connections of a transport: certificates, versions, and sessions to resume.
///
/// Thread safety: none.
class tls_context
{
public:
    /// Errors: errc::invalid_argument with the option's name if a file cannot be read or a key does not match
    /// its certificate.
    static result<std::unique_ptr<tls_context>> make(tls_options const& options);

    tls_context(tls_context const&) = delete;
    tls_context& operator=(tls_context const&) = delete;
    ~tls_context();

    ssl_ctx_st* native() const noexcept { return context_.get(); }

    /// Sets what holds for every connection, whatever the context says.
    void prepare(ssl_st* ssl);

    /// The newest session, or null. A TLS 1.3 ticket is used only once (RFC 8446, appendix C.4).
    openssl_ptr<ssl_session_st> session_to_resume();

private:
    tls_context() = default;

    static void store_sessions_of(ssl_ctx_st* context);
    void store_session(ssl_session_st* session);

    std::shared_ptr<boost::asio::ssl::context> given_; ///< null without tls_options::context
    openssl_ptr<ssl_ctx_st> context_;
    std::vector<openssl_ptr<ssl_session_st>> sessions_; ///< the newest at the back
};

/// The client side of one TLS connection as a byte filter: no socket, no waiting.
///
/// Output is appended to the caller's buffer, so that a whole request becomes one buffer and one send.
class tls_session
{
public:
    /// `host` is verified against the certificate, and sent as SNI unless it is an IP address.
    tls_session(tls_context& context, std::string const& host);
    tls_session(tls_session const&) = delete;
    tls_session& operator=(tls_session const&) = delete;
    ~tls_session();

    /// Supplies bytes received from the peer. They are not copied: keep them valid until handshake() needs
    /// more input or read() returns 0.
    void feed(std::span<char const> bytes) noexcept;

    /// Continues the handshake; true if it is complete, false if more input is needed or `ec` is set.
    ///
    /// Errors: errc::certificate_invalid, errc::client_certificate_refused, errc::tls_failed; detail() says
    /// why.
    bool handshake(byte_buffer& out, error_code& ec);

    /// Decrypts into `to`; returns 0 if more input is needed (no error), or at the peer's close_notify
    /// (asio::error::eof). With TLS 1.3, the server's refusal of the client certificate arrives here
    /// (errc::client_certificate_refused): for the server, the handshake failed.
    std::size_t read(std::span<char> to, byte_buffer& out, error_code& ec);

    /// Encrypts all of `plain`.
    void write(std::string_view plain, byte_buffer& out, error_code& ec);

    /// Appends a close_notify if the connection's state allows it.
    void close(byte_buffer& out);

    std::string const& detail() const noexcept { return detail_; }

private:
    struct filter;

    void fail(error_code& ec);

    std::unique_ptr<filter> filter_;
    openssl_ptr<ssl_st> ssl_;
    std::string host_;
    std::string detail_;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/tls_session.ipp>
#endif

#endif
