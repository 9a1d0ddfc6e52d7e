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

// OpenSSL's own names, declared here so that nobody pays for its headers.
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

/// What all TLS connections of one transport share: certificates, versions, and sessions to resume.
///
/// Thread safety: none.
class tls_context
{
public:
    /// Errors: errc::invalid_argument with the option's name when a file cannot be read or a key does not fit
    /// its certificate.
    static result<std::unique_ptr<tls_context>> make(tls_options const& options);

    tls_context(tls_context const&) = delete;
    tls_context& operator=(tls_context const&) = delete;
    ~tls_context();

    ssl_ctx_st* native() const noexcept { return context_.get(); }

    /// The newest session, or null. A TLS 1.3 ticket is handed out once (RFC 8446, appendix C.4).
    openssl_ptr<ssl_session_st> take_session();
    std::size_t stored_sessions() const noexcept { return sessions_.size(); }

private:
    tls_context() = default;

    void store_session(ssl_session_st* session);

    openssl_ptr<ssl_ctx_st> context_;
    std::vector<openssl_ptr<ssl_session_st>> sessions_; ///< the newest at the back
};

/// The client's side of one TLS connection as a filter of bytes: no socket, no waiting.
///
/// What it wants to send is appended to a buffer of the caller, so that a whole request becomes one buffer
/// and one send.
class tls_session
{
public:
    /// `host` is verified against the certificate, and sent as SNI unless it is an address.
    tls_session(tls_context& context, std::string const& host);
    tls_session(tls_session const&) = delete;
    tls_session& operator=(tls_session const&) = delete;
    ~tls_session();

    /// Gives the bytes that the peer sent. They are only looked at, not copied: call handshake() until it
    /// wants input, or read() until it returns nothing, before they go away.
    void feed(std::span<char const> bytes) noexcept;

    /// Goes on with the handshake; true when it is done, false when more input is wanted or `ec` is set.
    ///
    /// Errors: errc::certificate_invalid, errc::tls_failed; detail() says why.
    bool handshake(byte_buffer& out, error_code& ec);

    /// Decrypts into `to`; 0 when more input is wanted (no error), or at the peer's close_notify
    /// (asio::error::eof).
    std::size_t read(std::span<char> to, byte_buffer& out, error_code& ec);

    /// Encrypts all of `plain`.
    void write(std::string_view plain, byte_buffer& out, error_code& ec);

    /// Appends a close_notify, if the connection is fit for one.
    void close(byte_buffer& out);

    bool resumed() const noexcept;
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
