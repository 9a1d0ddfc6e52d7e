#ifndef OCRPIPE_HTTP_IMPL_ANSWER_READER_IPP
#define OCRPIPE_HTTP_IMPL_ANSWER_READER_IPP

#include <ocrpipe/core/words.hpp>
#include <ocrpipe/http/answer_reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// An endless stream of interim answers is an attack or a fault; one per second until the deadline is
/// legitimate.
inline constexpr int max_interim_answers = 100;

/// A chunk's size in hexadecimal, with blanks around it and an extension after a semicolon; nullopt if it is
/// malformed or does not fit.
inline std::optional<std::uint64_t> chunk_size_of(std::string_view line) noexcept
{
    line = trim(line.substr(0, line.find(';')));
    std::uint64_t n = 0;
    char const* const end = line.data() + line.size();
    auto const [stop, error] = std::from_chars(line.data(), end, n, 16);
    if (error != std::errc() || stop != end) return std::nullopt;
    return n;
}

OCRPIPE_DECL answer_reader::answer_reader(answer_limits const& limits) : limits_(limits) {}

OCRPIPE_DECL void answer_reader::start(answer_limits const& limits)
{
    limits_ = limits;
    response_ = http_response();
    head_ = answer_head();
    inflater_.reset();
    pending_.clear();
    detail_.clear();
    where_ = place::header;
    left_ = body_bytes_ = 0;
    searched_ = extra_bytes_ = 0;
    interim_ = 0;
    started_ = unusual_ = surplus_ = ended_ = false;
}

OCRPIPE_DECL void answer_reader::put(std::string_view bytes, error_code& ec)
{
    ec = {};
    if (bytes.empty()) return;
    if (complete()) {
        surplus_ = true;
        return;
    }
    started_ = true;
    if (pending_.empty()) {
        parse(bytes, ec);
        if (!ec && !complete()) pending_ = bytes;
    } else {
        pending_ += bytes;
        return parse_pending(ec);
    }
    searched_ = pending_.size();
    if (complete() && !bytes.empty()) surplus_ = true;
}

OCRPIPE_DECL void answer_reader::parse_pending(error_code& ec)
{
    std::string_view bytes = pending_;
    parse(bytes, ec);
    if (complete() && !bytes.empty()) surplus_ = true;
    pending_.erase(0, pending_.size() - bytes.size());
    searched_ = pending_.size();
}

OCRPIPE_DECL void answer_reader::release(error_code& ec)
{
    ec = {};
    limits_.share = static_cast<std::uint64_t>(-1);
    if (!pending_.empty()) parse_pending(ec);
    if (!ec && std::exchange(ended_, false)) put_eof(ec);
}

OCRPIPE_DECL void answer_reader::parse(std::string_view& bytes, error_code& ec)
{
    bool more = true;
    while (more && !ec && !complete()) {
        std::size_t const before = bytes.size();
        switch (where_) {
        case place::header:
            more = parse_header(bytes, ec);
            break;
        case place::body:
        case place::chunk:
            more = parse_body(bytes, ec);
            break;
        case place::chunk_size:
            more = parse_chunk_size(bytes, ec);
            break;
        case place::chunk_end:
            more = parse_chunk_end(bytes, ec);
            break;
        case place::trailer:
            more = parse_trailer(bytes, ec);
            break;
        case place::end:
            break;
        }
        if (bytes.size() != before) searched_ = 0;
    }
}

/// Each of these returns whether it made progress; if not, it needs more bytes, or `ec` is set.
OCRPIPE_DECL bool answer_reader::parse_header(std::string_view& bytes, error_code& ec)
{
    if (!may_be_http(bytes)) return fail(errc::malformed_answer, "no HTTP status line", ec);
    // A header received in one piece is parsed at once; otherwise it is parsed when its end has arrived.
    std::size_t size = searched_ == 0 ? bytes.size() : section_size(bytes, searched_);
    if (size != 0)
        size = read_answer_head(bytes.substr(0, size), limits_.to_connect, head_, response_, detail_, ec);
    if (ec || !fits_header(size != 0 ? size : bytes.size(), ec)) return false;
    if (size == 0) {
        response_ = http_response();
        return false;
    }
    bytes.remove_prefix(size);
    if (head_.status / 100 == 1) {
        if (head_.status == 101)
            return fail(errc::malformed_answer, "101 although no upgrade was requested", ec);
        if (++interim_ > max_interim_answers)
            return fail(errc::malformed_answer, "too many interim answers", ec);
        if (!head_.persistent) unusual_ = true;
        response_ = http_response();
        return !bytes.empty();
    }
    begin_body(ec);
    return !ec;
}

OCRPIPE_DECL void answer_reader::begin_body(error_code& ec)
{
    using enum answer_head::body_end;
    if (head_.encoding && head_.end != at_header) inflater_.emplace(*head_.encoding);
    switch (head_.end) {
    case at_header:
        finish(ec);
        break;
    case at_length:
        where_ = place::body;
        left_ = head_.length;
        if (!fits_body(left_, ec)) {
            detail_ = fmt::format("it has {} bytes, {}", left_, detail_);
            return;
        }
        if (!inflater_) response_.body.reserve(static_cast<std::size_t>(left_));
        if (left_ == 0) finish(ec);
        break;
    case at_last_chunk:
        where_ = place::chunk_size;
        break;
    case at_close:
        where_ = place::body;
        left_ = static_cast<std::uint64_t>(-1);
        break;
    }
}

OCRPIPE_DECL bool answer_reader::parse_body(std::string_view& bytes, error_code& ec)
{
    if (waits()) return false;
    // While the share counts, compressed data is decoded in small pieces: it may grow a thousandfold.
    constexpr std::uint64_t piece_size = 1024;
    bool const in_pieces = inflater_ && limits_.share != static_cast<std::uint64_t>(-1);
    std::uint64_t const most = in_pieces ? std::min(left_, piece_size) : left_;
    std::size_t const n = static_cast<std::size_t>(std::min<std::uint64_t>(most, bytes.size()));
    if (!fits_body(n, ec)) return false;
    std::string_view const piece = bytes.substr(0, n);
    bytes.remove_prefix(n);
    // Some servers declare gzip for an uncompressed body. No JSON and no image starts with the gzip
    // signature.
    bool const is_plain =
        n != 0 && body_bytes_ == 0 && head_.encoding == inflater::format::gzip && piece.front() != '\x1F';
    if (is_plain) inflater_.reset();
    body_bytes_ += n;
    if (inflater_) {
        inflater_->decode(piece, response_.body, limits_.max_body, ec);
        if (ec == errc::malformed_answer) detail_ = "the compressed body is damaged";
        if (ec == errc::body_too_large) detail_ = body_limit();
    } else {
        response_.body += piece;
    }
    if (ec) return false;
    if (head_.end != answer_head::body_end::at_close) left_ -= n;
    if (left_ != 0) return !bytes.empty();
    if (where_ == place::chunk)
        where_ = place::chunk_end;
    else
        finish(ec);
    return !ec;
}

OCRPIPE_DECL bool answer_reader::parse_chunk_size(std::string_view& bytes, error_code& ec)
{
    constexpr char const* no_size = "a chunk without a size";
    // Report this at once: a body that is not chunked may never contain a line feed.
    std::size_t const first = bytes.find_first_not_of(" \t");
    if (first != bytes.npos && !chunk_size_of(bytes.substr(first, 1)))
        return fail(errc::malformed_answer, no_size, ec);
    std::string_view line;
    if (!next_line(bytes, line, unusual_, searched_)) {
        fits_header(extra_bytes_ + bytes.size(), ec);
        return false;
    }
    // Count the bytes beyond a number's digits, so that extensions are bounded.
    extra_bytes_ += line.size() - std::min<std::size_t>(line.size(), 16);
    if (!fits_header(extra_bytes_, ec)) return false;
    if (line.starts_with(' ') || line.starts_with('\t')) unusual_ = true;
    std::optional<std::uint64_t> const size = chunk_size_of(line);
    if (!size) return fail(errc::malformed_answer, no_size, ec);
    if (!fits_body(*size, ec)) return false;
    left_ = *size;
    where_ = left_ != 0 ? place::chunk : place::trailer;
    return true;
}

OCRPIPE_DECL bool answer_reader::parse_chunk_end(std::string_view& bytes, error_code& ec)
{
    if (bytes.empty() || bytes == "\r") return false;
    std::size_t const size = bytes.starts_with("\r\n") ? 2 : bytes.starts_with('\n') ? 1 : 0;
    if (size == 0) return fail(errc::malformed_answer, "a chunk that is longer than its size", ec);
    if (size == 1) unusual_ = true;
    bytes.remove_prefix(size);
    where_ = place::chunk_size;
    return true;
}

/// A trailer must not change what the header said.
OCRPIPE_DECL bool answer_reader::parse_trailer(std::string_view& bytes, error_code& ec)
{
    std::size_t const size = section_size(bytes, searched_);
    if (!fits_header(size != 0 ? size : bytes.size(), ec) || size == 0) return false;
    std::string_view rest = bytes.substr(0, size);
    bytes.remove_prefix(size);
    for (std::string_view line; next_line(rest, line, unusual_);) {
    }
    finish(ec);
    return !ec;
}

OCRPIPE_DECL void answer_reader::finish(error_code& ec)
{
    if (inflater_ && !inflater_->finished())
        fail(errc::truncated_answer, "the compressed body ends early", ec);
    else
        where_ = place::end;
}

OCRPIPE_DECL void answer_reader::put_eof(error_code& ec)
{
    ec = {};
    if (complete()) return;
    if (waits()) {
        ended_ = true;
        return;
    }
    bool const closes = where_ == place::body && head_.end == answer_head::body_end::at_close;
    // After the last chunk the body is complete; only unused trailer fields can be missing.
    bool const is_whole = where_ == place::trailer;
    if (!reading())
        ec = make_error_code(errc::connection_closed);
    else if (!closes && !is_whole)
        ec = make_error_code(errc::truncated_answer);
    else
        finish(ec);
    if (is_whole) unusual_ = true;
}

OCRPIPE_DECL bool answer_reader::fits_header(std::size_t size, error_code& ec)
{
    if (size <= limits_.max_header) return true;
    detail_ = fmt::format("max_header_bytes is {}", limits_.max_header);
    ec = make_error_code(errc::header_too_large);
    return false;
}

OCRPIPE_DECL bool answer_reader::fits_body(std::uint64_t more, error_code& ec)
{
    if (more <= limits_.max_body - std::min(limits_.max_body, body_bytes_)) return true;
    detail_ = body_limit();
    ec = make_error_code(errc::body_too_large);
    return false;
}

OCRPIPE_DECL std::string answer_reader::body_limit() const
{
    return fmt::format("max_answer_bytes is {}", limits_.max_body);
}

OCRPIPE_DECL bool answer_reader::fail(errc code, char const* why, error_code& ec)
{
    detail_ = why;
    ec = make_error_code(code);
    return false;
}

} // namespace detail
} // namespace ocrpipe

#endif
