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

/// Removes the first line from `text` and stores it in `line` without its terminator; false if the line is
/// incomplete. A line ends in a line feed, with any number of carriage returns before it. Sets `unusual`
/// unless there is exactly one, or if there is a carriage return within the line.
///
/// The first `searched` bytes are known to hold no line feed.
OCRPIPE_DECL bool next_line(std::string_view& text, std::string_view& line, bool& unusual,
                            std::size_t searched = 0) noexcept;

/// Size of the leading section of `text` that ends with an empty line, which is included; 0 if there is no
/// empty line yet. The first `searched` bytes are known not to complete one.
OCRPIPE_DECL std::size_t section_size(std::string_view text, std::size_t searched) noexcept;

/// Whether `text` is, or is a prefix of, the start of an HTTP answer.
OCRPIPE_DECL bool may_be_http(std::string_view text) noexcept;

/// The parsed header section of an answer: its status, the framing of the body, and connection persistence.
///
/// The parser accepts what curl or Python's http.client accepts, if all parsers agree on the end of the
/// answer or if the connection is closed after it. It rejects the following, because an answer could be
/// confused with another one or wrongly taken for complete:
/// - NUL bytes, and a status line among the fields;
/// - a Content-Length that is not a number, and several that differ;
/// - codings that cannot be decoded, and transfer codings in any order other than gzip or deflate, then
///   chunked.
///
/// Accepted, but the connection is not reused (`persistent` is false): line feeds without carriage returns,
/// carriage returns within lines, blanks before a line's first letter or a colon, lines without a colon,
/// folded lines, empty names, a version other than 1.0 and 1.1, duplicate equal lengths, a plus sign before a
/// length, a length together with chunked (RFC 9112, 6.3: chunked wins), transfer codings other than a single
/// chunked. Accepted without consequences: a status line without a reason, any reason, any bytes but those in
/// names and values.
struct answer_head {
    enum class body_end { at_header, at_length, at_last_chunk, at_close };

    int status = 0;
    body_end end = body_end::at_close;
    std::uint64_t length = 0;                 ///< used if `end` is at_length
    std::optional<inflater::format> encoding; ///< of the body
    bool persistent = false;                  ///< the connection can carry another exchange
    std::chrono::seconds keep_alive_hint{0};  ///< zero if the server sent none
    /// `max` of Keep-Alive: requests on the connection, either in all or from now on, as servers differ. 0
    /// also for a timeout of 0.
    std::optional<std::uint32_t> keep_alive_max;
};

/// Parses the header section at the start of `text` and stores the fields that are used in `response`.
/// Returns the section's size, including the empty line; 0 if it is incomplete or rejected, and then the
/// output must be discarded. `to_connect` as in answer_limits. `problem` describes an error.
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
