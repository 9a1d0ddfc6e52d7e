#ifndef OCRPIPE_HTTP_IMPL_ANSWER_HEAD_IPP
#define OCRPIPE_HTTP_IMPL_ANSWER_HEAD_IPP

#include <ocrpipe/core/words.hpp>
#include <ocrpipe/http/answer_head.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Registered codings that are not supported; any other word, such as "utf-8" or "none", is not a coding.
/// Source: IANA's HTTP Content Coding Registry.
inline constexpr std::array<std::string_view, 10> other_encodings{
    "br", "zstd", "compress", "x-compress", "dcb", "dcz", "aes128gcm", "exi", "pack200-gzip", "bzip2"};

inline bool is_blank_or_tab(char c) noexcept { return c == ' ' || c == '\t'; }
/// Most servers write names as the standard does.
inline bool is_name(std::string_view name, std::string_view wanted) noexcept
{
    return name == wanted || same_letters(name, wanted);
}

inline bool is_status_line(std::string_view line) noexcept { return is_name(line.substr(0, 5), "HTTP/"); }

inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Removes and returns the next element of a comma-separated list.
inline std::string_view next_element(std::string_view& list) noexcept
{
    std::size_t const comma = list.find(',');
    std::string_view const element = trim(list.substr(0, comma));
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
    return element;
}

/// The number after `key` in a Keep-Alive field, such as `timeout=5, max=100`.
inline std::optional<std::uint32_t> keep_alive_number(std::string_view value, std::string_view key) noexcept
{
    for (std::size_t i = 0; i + key.size() < value.size(); ++i) {
        if (!same_letters(value.substr(i, key.size()), key)) continue;
        std::uint32_t number = 0;
        char const* const last = value.data() + value.size();
        auto const parsed = std::from_chars(value.data() + i + key.size(), last, number);
        if (parsed.ec == std::errc()) return number;
    }
    return std::nullopt;
}

/// Collects what the lines of one header section say.
class head_reader
{
public:
    head_reader(http_response& response, std::string& problem, error_code& ec)
        : response_(response), problem_(problem), ec_(ec)
    {
    }

    /// Returns the section's size, 0 if it is incomplete.
    std::size_t read(std::string_view const text)
    {
        ec_ = {};
        std::string_view rest = text;
        std::string_view line;
        if (!next_line(rest, line, unusual_)) return 0;
        parse_status(line);
        bool ended = false;
        std::string folded; // holds `field` once it was folded
        std::string_view field;
        while (!ec_ && next_line(rest, line, unusual_) && !(ended = line.empty())) {
            if (is_blank_or_tab(line.front())) {
                // RFC 9112, sections 2.2 and 5.2: continues the previous field; without one it is ignored.
                unusual_ = true;
                if (field.empty()) continue;
                if (field.data() != folded.data()) folded = field;
                (folded += ' ') += trim(line);
                field = folded;
            } else {
                if (!field.empty()) parse_field(field);
                field = line;
            }
        }
        if (ec_ || !ended) return 0;
        if (!field.empty()) parse_field(field);
        std::size_t const size = text.size() - rest.size();
        if (text.substr(0, size).find('\0') != text.npos) refuse("a NUL byte in the header");
        return size;
    }

    answer_head finish(bool to_connect)
    {
        using enum answer_head::body_end;
        if (ec_) return head_;
        bool const has_length = length_.value_or(0) != 0;
        if (chunked_ && (length_ || !http_1_1_)) unusual_ = true;
        if (head_.status == 204 && (chunked_ || has_length)) unusual_ = true;
        if (to_connect || head_.status / 100 == 1 || head_.status == 204 || head_.status == 304)
            head_.end = at_header;
        else if (chunked_)
            head_.end = at_last_chunk;
        else if (length_ && !transfer_coded_)
            head_.end = at_length;
        head_.length = length_.value_or(0);
        head_.persistent = (http_1_1_ ? !close_ : keep_alive_) && !unusual_ && head_.end != at_close;
        if (head_.end != at_header && !unsupported_.empty())
            refuse(std::move(unsupported_), errc::unsupported_encoding);
        return head_;
    }

private:
    void refuse(std::string problem, errc why = errc::malformed_answer)
    {
        problem_ = std::move(problem);
        ec_ = make_error_code(why);
    }

    void parse_status(std::string_view line)
    {
        if (line.empty() || is_blank_or_tab(line.front())) unusual_ = true;
        line = trim(line);
        if (!is_status_line(line)) return refuse("no HTTP status line");
        line.remove_prefix(protocol.size());
        std::string_view const version = line.substr(0, line.find_first_not_of("0123456789."));
        line.remove_prefix(version.size());
        http_1_1_ = version == "1.1";
        if (!http_1_1_ && version != "1.0") unusual_ = true;
        bool const separated = !version.empty() && !line.empty() && is_blank_or_tab(line.front());
        line = trim(line);
        bool const three_digits = line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, is_digit) &&
                                  (line.size() == 3 || !is_digit(line[3]));
        if (!separated || !three_digits || line[0] == '0') return refuse("no HTTP status of three digits");
        head_.status = response_.status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    }

    void parse_field(std::string_view line)
    {
        if (is_status_line(line)) return refuse("a second status line in the header");
        std::size_t const colon = line.find(':');
        std::string_view const name = trim(line.substr(0, colon));
        // A line without a colon is ignored.
        if (name.empty() || name.size() != colon) unusual_ = true;
        if (colon != line.npos) parse_field(name, trim(line.substr(colon + 1)));
    }

    /// Most names differ in length, so compare that first.
    void parse_field(std::string_view name, std::string_view value)
    {
        switch (name.size()) {
        case 4:
            if (is_name(name, "Date")) store(response_.date, value);
            break;
        case 8:
            if (is_name(name, "Location")) store(response_.location, value);
            break;
        case 10:
            if (is_name(name, "Connection")) parse_connection(value);
            if (is_name(name, "Keep-Alive")) parse_keep_alive(value);
            break;
        case 11:
            if (is_name(name, "Retry-After")) store(response_.retry_after, value);
            break;
        case 12:
            if (is_name(name, "Content-Type")) store(response_.content_type, value);
            break;
        case 14:
            if (is_name(name, "Content-Length")) parse_content_length(value);
            break;
        case 16:
            if (is_name(name, "Content-Encoding")) parse_content_encoding(value);
            break;
        case 17:
            if (is_name(name, "Transfer-Encoding")) parse_transfer_encoding(value);
            break;
        default:
            break;
        }
    }

    void store(std::string& to, std::string_view value) const
    {
        to = value;
        // RFC 9112, section 2.2: a carriage return alone counts as a space.
        if (unusual_) std::replace(to.begin(), to.end(), '\r', ' ');
    }

    void parse_connection(std::string_view list)
    {
        while (!list.empty()) {
            std::string_view const word = next_element(list);
            if (same_letters(word, "close")) close_ = true;
            if (same_letters(word, "keep-alive")) keep_alive_ = true;
        }
    }

    void parse_keep_alive(std::string_view value)
    {
        constexpr std::uint32_t longest = 24 * 3600;
        std::uint32_t const none = longest + 1;
        std::uint32_t const seconds = keep_alive_number(value, "timeout=").value_or(none);
        if (seconds <= longest) head_.keep_alive_hint = std::chrono::seconds(seconds);
        head_.keep_alive_max = keep_alive_number(value, "max=");
        if (seconds == 0) head_.keep_alive_max = 0;
    }

    void parse_content_length(std::string_view list)
    {
        bool any = false;
        while (!list.empty()) {
            std::string_view digits = next_element(list);
            bool const sign = digits.starts_with('+');
            if (digits.empty() || sign || length_) unusual_ = true;
            if (digits.empty()) continue;
            digits.remove_prefix(sign ? 1 : 0);
            std::uint64_t n = 0;
            char const* const end = digits.data() + digits.size();
            auto const [stop, error] = std::from_chars(digits.data(), end, n);
            if (error != std::errc() || stop != end) break;
            if (length_ && *length_ != n) return refuse("two values of Content-Length that differ");
            length_ = n;
            any = list.empty();
        }
        if (!any) refuse("a Content-Length that is not a number");
    }

    void parse_content_encoding(std::string_view list)
    {
        while (!list.empty()) {
            std::string_view const word = next_element(list);
            auto const same = [word](std::string_view other) { return same_letters(word, other); };
            if (parse_encoding(word)) continue;
            if (std::any_of(other_encodings.begin(), other_encodings.end(), same))
                unsupported_ = "Content-Encoding: " + printable_excerpt(word, 64);
        }
    }

    void parse_transfer_encoding(std::string_view list)
    {
        do {
            std::string_view const word = next_element(list);
            if (same_letters(word, "chunked")) {
                if (chunked_) unusual_ = true;
                chunked_ = true;
                continue;
            }
            unusual_ = true;
            if (word.empty() || same_letters(word, "identity")) continue;
            transfer_coded_ = true;
            if (chunked_ || !parse_encoding(word))
                unsupported_ = "Transfer-Encoding: " + printable_excerpt(word, 64);
        } while (!list.empty());
    }

    /// False for an unsupported coding.
    bool parse_encoding(std::string_view word)
    {
        bool const gzip = same_letters(word, "gzip") || same_letters(word, "x-gzip");
        if (!gzip && !same_letters(word, "deflate")) return false;
        if (head_.encoding) unsupported_ = "a body that is encoded twice";
        head_.encoding = gzip ? inflater::format::gzip : inflater::format::deflate;
        return true;
    }

    static constexpr std::string_view protocol = "HTTP/";

    http_response& response_;
    std::string& problem_;
    error_code& ec_;
    answer_head head_;
    std::optional<std::uint64_t> length_;
    std::string unsupported_; ///< matters when there is a body
    bool http_1_1_ = false;
    bool close_ = false;
    bool keep_alive_ = false;
    bool chunked_ = false;
    bool transfer_coded_ = false;
    bool unusual_ = false; ///< another reader may see the end elsewhere
};

OCRPIPE_DECL bool next_line(std::string_view& text, std::string_view& line, bool& unusual,
                            std::size_t searched) noexcept
{
    std::size_t const end = text.find('\n', searched);
    if (end == text.npos) return false;
    line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    else
        unusual = true;
    while (line.ends_with('\r'))
        line.remove_suffix(1);
    // Includes a carriage return removed just above.
    if (end - line.size() > 1 || line.find('\r') != line.npos) unusual = true;
    return true;
}

OCRPIPE_DECL std::size_t section_size(std::string_view text, std::size_t searched) noexcept
{
    for (std::size_t end = searched; (end = text.find('\n', end)) != text.npos; ++end) {
        std::size_t line = end;
        while (line != 0 && text[line - 1] == '\r')
            --line;
        if (line == 0 || text[line - 1] == '\n') return end + 1;
    }
    return 0;
}

OCRPIPE_DECL bool may_be_http(std::string_view text) noexcept
{
    constexpr std::string_view protocol = "HTTP/";
    if (text.starts_with(protocol)) return true;
    std::size_t const first = text.find_first_not_of(" \t");
    if (first == text.npos) return true;
    text = text.substr(first, protocol.size());
    return same_letters(text, protocol.substr(0, text.size()));
}

OCRPIPE_DECL std::size_t read_answer_head(std::string_view text, bool to_connect, answer_head& head,
                                          http_response& response, std::string& problem, error_code& ec)
{
    head_reader reader(response, problem, ec);
    std::size_t const size = reader.read(text);
    head = reader.finish(to_connect);
    return size;
}

} // namespace detail
} // namespace ocrpipe

#endif
