#ifndef OCRPIPE_HTTP_ANSWER_HEAD_HPP
#define OCRPIPE_HTTP_ANSWER_HEAD_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/http/inflater.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// Takes a line off `text`, without its end; false when the end is not there yet. A line ends in a line feed,
/// with or without carriage returns before it; `unusual` is set when it is not exactly one, or when another
/// stands within the line.
///
/// `searched` bytes are known to hold no line feed.
OCRPIPE_DECL bool take_line(std::string_view& text, std::string_view& line, bool& unusual,
                            std::size_t searched = 0) noexcept;

/// How many bytes of `text` are lines up to and with an empty one; 0 when there is none yet. `searched` bytes
/// are known to hold no line feed that ends one.
OCRPIPE_DECL std::size_t section_size(std::string_view text, std::size_t searched) noexcept;

/// Whether `text` is, or can become, the beginning of an answer.
OCRPIPE_DECL bool may_be_http(std::string_view text) noexcept;

/// What an answer's header section says: its status, the fields that somebody reads, and where the body ends.
///
/// What curl or Python's http.client reads is read where the end of the answer is the same for all who read
/// it, or where the connection is closed after it. Refused are, since an answer could be taken for another
/// one or for whole:
/// - NUL bytes, and a status line among the fields;
/// - a Content-Length that is no number, and several that differ;
/// - codings that cannot be undone, and transfer codings in another order than gzip or deflate, then chunked.
///
/// Read, and unfit for reuse (`persistent` is false): line feeds without carriage returns, carriage returns
/// within lines, blanks before a line's first letter or a colon, lines without a colon, folded lines, names
/// that are empty, a version other than 1.0 and 1.1, equal lengths that come twice, a plus sign before a
/// length, a length beside chunked (RFC 9112, 6.3: chunked counts), transfer codings other than one chunked.
/// Read without consequences: a status line without a reason, any reason, any bytes but those in names and
/// values.
struct answer_head {
    enum class body_end { at_header, at_length, at_last_chunk, at_close };

    int status = 0;
    body_end end = body_end::at_close;
    std::uint64_t length = 0;                 ///< when that is where it ends
    std::optional<inflater::format> encoding; ///< of the body
    bool persistent = false;                  ///< the connection can carry another exchange
    std::chrono::seconds keep_alive_hint{0};  ///< zero when the server gave none
};

/// Reads the header section that `text` begins with, and writes the fields that somebody reads to `response`;
/// returns its size with the empty line. 0 when it has no end yet, or is refused; what was written then is to
/// be forgotten. `to_connect` as in answer_limits. What is wrong is said in `problem`.
///
/// Errors: errc::malformed_answer, unsupported_encoding.
OCRPIPE_DECL std::size_t read_answer_head(std::string_view text, bool to_connect, answer_head& head,
                                          http_response& response, std::string& problem, error_code& ec);

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/answer_head.ipp>
#endif

#endif
