#ifndef OCRPIPE_HTTP_HTTP_OPTIONS_HPP
#define OCRPIPE_HTTP_HTTP_OPTIONS_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/secret.hpp>
#include <ocrpipe/core/secret_mask.hpp>
#include <ocrpipe/core/task.hpp>

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio::ssl
{
class context;
}

namespace ocrpipe
{

/// A header field of requests. Its value is masked where an answer echoes it.
struct header_field {
    std::string name;
    secret value;
};

/// The service's URL and the user's credentials.
struct endpoint_options {
    /// Scheme, host and port of the service, without a path; the path follows from portal_user_id. http://
    /// sends the key in clear text and is accepted for loopback addresses only, unless allow_plain_http is
    /// set.
    std::string base_url = "https://maas-llm-aiplatform-hcm.api.vngcloud.vn";
    bool allow_plain_http = false;
    /// The service's PORTAL_USER_ID; part of every path and sent as the header portal-user-id. Required.
    std::string portal_user_id;
    /// The service's API_KEY; sent as Authorization: Bearer. Required, unless api_key_provider is set.
    secret api_key;
    /// Gives the current key, for keys that change while the program runs. It is called before the first
    /// request if api_key is empty, and after an answer 401. If it then gives another key, the request is
    /// sent again with that one. Requests that need a key at the same time share one call. If it fails, the
    /// request fails with this failure; a code for which is_transport() holds is tried again.
    ///
    /// It runs where the client keeps its state, and is not cancelled; requests wait for it for at most
    /// timeout_options::acquire.
    std::function<task<result<secret>>()> api_key_provider;
    /// Sent before the library's own name and version, such as "archive/2.1"; empty means nothing.
    std::string user_agent;
    /// Sent with every request to the service, but not to a proxy that opens a tunnel. Fields that the
    /// library sends itself, and those that change how a message is read, are refused.
    std::vector<header_field> header_fields;
};

/// Certificates. The peer's certificate and host name are always verified; TLS 1.2 is the oldest version
/// accepted.
struct tls_options {
    std::string ca_file;     ///< PEM; empty means the system's certificates
    std::string client_cert; ///< PEM chain; empty means none
    std::string client_key;  ///< PEM; required with client_cert
    /// Replaces the files and the library's own context, such as for keys in hardware. Its certificates,
    /// ciphers and verify callback apply; the peer and its host name are verified even if it says otherwise.
    /// Several clients may share it. It must not be changed while a client uses it.
    std::shared_ptr<boost::asio::ssl::context> context;
};

/// HTTP CONNECT proxy for https, absolute-form proxy for http.
struct proxy_options {
    std::string url;      ///< http://[user:password@]host:port, or host:port; empty means no proxy
    std::string no_proxy; ///< hosts, domains, addresses, networks such as 10.0.0.0/8, or *; as in NO_PROXY
};

/// Connections per lane. A lane never uses more than its own limit; idle connections are shared.
struct pool_options {
    std::size_t submit_connections = 16; ///< 1 to 10000
    std::size_t poll_connections = 8;    ///< 1 to 10000
    std::size_t part_connections = 4;    ///< 1 to 10000
    /// Operations waiting for a connection, per lane; further ones fail at once.
    std::size_t max_waiting = 1024;
    std::chrono::milliseconds idle_limit{
        60'000}; ///< idle connections are closed after this, or sooner if the server closes sooner
    std::chrono::milliseconds life_limit{
        600'000}; ///< a connection is not reused after this time ±10 %, so that DNS changes are followed
    double max_connects_per_second = 100; ///< new connections; a handshake costs both sides; 0 means no limit
};

/// Timeout of each phase. Zero is not allowed, so that nothing waits forever by accident.
struct timeout_options {
    std::chrono::milliseconds resolve{5'000};
    std::chrono::milliseconds connect{5'000};
    std::chrono::milliseconds tls{5'000};
    std::chrono::milliseconds acquire{120'000};    ///< waiting for a pooled connection
    std::chrono::milliseconds write_stall{30'000}; ///< without a byte sent, or a byte of a chunk_source
    std::chrono::milliseconds first_byte{
        60'000}; ///< from the end of the request to the first byte of the answer
    /// The same for a request with a body, plus 1 s for every 100,000 bytes of it: a service may store and
    /// check a document before it answers. When this time passes, the document may have been accepted, so it
    /// is longer than first_byte. Sending the body may take this long plus 1 s for every 1,000 bytes.
    std::chrono::milliseconds submit{120'000};
    std::chrono::milliseconds read_stall{30'000}; ///< without a byte of progress
    std::chrono::milliseconds answer{300'000};    ///< the complete answer, even if it makes steady progress
};

/// Limits on the memory that a peer can make us use.
struct limit_options {
    /// Bytes of an answer's header, trailers included: 1024 to 16 MiB. A longer header fails with
    /// errc::header_too_large, and the answer is not read again. Every connection may hold this much.
    std::size_t max_header_bytes = 64 * 1024;
    /// Bytes of an answer's body after decoding: 1024 to 2 GiB. A longer answer fails with
    /// errc::body_too_large and is not read again. All connections together hold at most twice this much, or
    /// 64 KiB each if that is more: larger answers are received one at a time.
    std::uint64_t max_answer_bytes = 64 * 1024 * 1024;
};

/// All options of an http_transport. `validate()` reports every problem at once.
struct http_options {
    endpoint_options endpoint;
    tls_options tls;
    proxy_options proxy;
    pool_options pool;
    timeout_options timeouts;
    limit_options limits;
    /// Finds the addresses of a host, instead of the system's resolver: in order of preference, and none is
    /// a failure. It is called where the client keeps its state and not for hosts that are addresses;
    /// requests wait for it for at most timeout_options::resolve. What it gives is used for 30 seconds.
    std::function<task<result<std::vector<boost::asio::ip::address>>>(std::string host)> resolver;
    std::uint64_t seed = 0; ///< of the jitter, the client's included; 0 means a random one

    /// Every problem found, as "option: what is wrong: remedy"; empty if there are none.
    std::vector<std::string> validate() const;

    /// Masks the key, the additional header fields and the proxy's password. The client key is not among
    /// them: it is never sent, so nothing can echo it.
    secret_mask secrets() const;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/http_options.ipp>
#endif

#endif
