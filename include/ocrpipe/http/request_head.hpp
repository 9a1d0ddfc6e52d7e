#ifndef OCRPIPE_HTTP_REQUEST_HEAD_HPP
#define OCRPIPE_HTTP_REQUEST_HEAD_HPP

#include <ocrpipe/http/byte_buffer.hpp>
#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/http/origin.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <string>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// Renders request heads for one origin and one user. The common parts are rendered once.
class request_head
{
public:
    /// Set `absolute_form` if requests go to an HTTP proxy without a tunnel; only then is
    /// `proxy_authorization` sent.
    request_head(origin const& to, endpoint_options const& endpoint, bool absolute_form,
                 std::string_view proxy_authorization);

    /// For requests that are rendered later.
    void set_key(secret const& api_key);

    /// The request's path at the service.
    std::string path_of(http_request const& request) const { return service_path_ + request.target; }

    /// Appends the head of `request`, including the empty line. `redirected` is the path given by a redirect;
    /// empty means path_of().
    void render(http_request const& request, std::string_view redirected, byte_buffer& out) const;

private:
    std::string service_path_;
    std::string before_path_; ///< scheme and authority in absolute form, else empty
    std::string before_key_;  ///< from the version to the key
    std::string after_key_;   ///< from there to the last field that is always sent
    std::string fields_;      ///< both, with the key between them
};

/// The head of a CONNECT request for a tunnel to `to`.
OCRPIPE_DECL std::string connect_head(origin const& to, std::string_view proxy_authorization);

/// Whether `text` is allowed in a request line or header field: printable ASCII without blanks.
OCRPIPE_DECL bool is_request_text(std::string_view text) noexcept;

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/request_head.ipp>
#endif

#endif
