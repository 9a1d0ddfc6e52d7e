#ifndef OCRPIPE_API_IMPL_STRICT_JSON_IPP
#define OCRPIPE_API_IMPL_STRICT_JSON_IPP

#include <ocrpipe/api/json_events.hpp>
#include <ocrpipe/api/strict_json.hpp>

#include <algorithm>

namespace ocrpipe
{
namespace detail
{

/// The encoding of a text.
struct json_encoding {
    std::size_t unit = 1; ///< bytes: 1 is UTF-8, 2 is UTF-16, 4 is UTF-32
    bool big_endian = false;
    std::size_t mark = 0; ///< bytes of the byte order mark
};

inline json_encoding encoding_of(std::string_view text) noexcept
{
    using namespace std::string_view_literals;
    // UTF-32 first: its little-endian mark begins with the mark of UTF-16.
    if (text.starts_with("\xFF\xFE\0\0"sv)) return {4, false, 4};
    if (text.starts_with("\0\0\xFE\xFF"sv)) return {4, true, 4};
    if (text.starts_with("\xFF\xFE"sv)) return {2, false, 2};
    if (text.starts_with("\xFE\xFF"sv)) return {2, true, 2};
    // JSON begins with an ASCII character, so that the other bytes of its unit are NUL.
    auto const nul = [&](std::size_t i) { return i < text.size() && text[i] == '\0'; };
    if (text.size() < 2 || text.size() == 3 || (!nul(0) && !nul(1))) return {};
    if (nul(0)) return {nul(1) ? std::size_t{4} : 2, true, 0};
    return {nul(2) && nul(3) ? std::size_t{4} : 2, false, 0};
}

/// The characters of a text in UTF-16 or UTF-32, one by one.
class wide_characters
{
public:
    wide_characters(std::string_view text, json_encoding how) noexcept
        : rest_(text.substr(how.mark)), how_(how)
    {
    }

    bool done() const noexcept { return rest_.empty(); }

    std::uint32_t next() noexcept
    {
        std::uint32_t const c = next_unit();
        bool const high = how_.unit == 2 && c >= 0xD800 && c < 0xDC00;
        if (high && rest_.size() >= 2)
            if (std::uint32_t const low = peek(); low >= 0xDC00 && low < 0xE000)
                return 0x10000 + ((c - 0xD800) << 10) + (next_unit() - 0xDC00);
        return (c >= 0xD800 && c < 0xE000) || c > 0x10FFFF ? replacement_character : c;
    }

    std::size_t left() const noexcept { return rest_.size(); }

private:
    std::uint32_t peek() const noexcept
    {
        std::uint32_t c = 0;
        for (std::size_t i = 0; i != how_.unit; ++i)
            c = c << 8 | static_cast<unsigned char>(rest_[how_.big_endian ? i : how_.unit - 1 - i]);
        return c;
    }

    std::uint32_t next_unit() noexcept
    {
        std::uint32_t const c = rest_.size() < how_.unit ? replacement_character : peek();
        rest_.remove_prefix(std::min(how_.unit, rest_.size()));
        return c;
    }

    std::string_view rest_;
    json_encoding how_;
};

/// Copies a valid JSON text, replacing the parts that strict parsers reject.
class strict_copy
{
public:
    explicit strict_copy(std::string_view text) : text_(text) { out_.reserve(text.size()); }

    void key(json_string const& s) { string(s); }
    void string(json_string const& s)
    {
        if (!s.escaped) return;
        copy_until(s.raw.data());
        repair(s.raw);
        from_ += s.raw.size();
    }
    void number(std::string_view s)
    {
        if (s.back() >= '0' && s.back() <= '9') return;
        copy_until(s.data());
        out_ += "null";
        from_ += s.size();
    }
    void truth(bool) noexcept {}
    void null() noexcept {}
    bool open(bool) noexcept { return true; }
    void close(bool) noexcept {}

    /// The copy, after the last event. Call it once.
    std::string finish()
    {
        copy_until(text_.data() + text_.size());
        return std::move(out_);
    }

private:
    void copy_until(char const* p)
    {
        std::size_t const to = static_cast<std::size_t>(p - text_.data());
        out_ += text_.substr(from_, to - from_);
        from_ = to;
    }

    void repair(std::string_view raw)
    {
        while (!raw.empty()) {
            std::size_t n = utf8_sequence_length(raw);
            bool whole = n != 0;
            if (raw.front() == '\\') {
                n = 2;
                if (raw[1] == 'u') {
                    unicode_escape const e = read_unicode_escape(raw);
                    n = e.length;
                    // A valid escape for U+FFFD may be replaced too.
                    whole = e.character != replacement_character;
                }
            } else if (!whole) {
                n = utf8_broken_length(raw);
            }
            if (whole)
                out_ += raw.substr(0, n);
            else
                append_utf8(out_, replacement_character);
            raw.remove_prefix(n);
        }
    }

    std::string_view text_;
    std::size_t from_ = 0;
    std::string out_;
};

/// The offset in a text in UTF-16 or UTF-32 that corresponds to the offset `at` in `converted`.
inline std::size_t offset_before_conversion(std::string_view text, std::string_view converted, std::size_t at)
{
    auto const leads = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    auto const before = converted.substr(0, at);
    wide_characters characters(text, encoding_of(text));
    for (auto n = std::count_if(before.begin(), before.end(), leads); n != 0; --n)
        characters.next();
    return text.size() - characters.left();
}

} // namespace detail

OCRPIPE_DECL std::optional<std::string> json_in_utf8(std::string_view text)
{
    detail::json_encoding const how = detail::encoding_of(text);
    if (how.unit == 1) return std::nullopt;
    std::string out;
    out.reserve(text.size() / how.unit);
    detail::wide_characters characters(text, how);
    while (!characters.done())
        detail::append_utf8(out, characters.next());
    return out;
}

OCRPIPE_DECL std::string to_string(json_error const& e)
{
    return "line " + std::to_string(e.line) + ", column " + std::to_string(e.column) + " (byte " +
           std::to_string(e.offset) + "): " + e.what;
}

OCRPIPE_DECL std::optional<json_error> find_json_error(std::string_view text)
{
    std::optional<std::string> const converted = json_in_utf8(text);
    std::string_view const json = converted ? std::string_view(*converted) : text;
    detail::no_json_events nobody;
    detail::json_notes notes;
    if (detail::read_json(json, nobody, notes)) return std::nullopt;
    json_error e;
    e.what = notes.what;
    std::string_view const before = json.substr(0, static_cast<std::size_t>(notes.error - json.data()));
    e.offset = converted ? detail::offset_before_conversion(text, json, before.size()) : before.size();
    e.line += static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    std::string_view line = before.substr(before.rfind('\n') + 1); // npos + 1 is 0
    if (e.line == 1) line = detail::without_marks(line);
    for (; !line.empty(); ++e.column) {
        std::size_t const n = detail::utf8_sequence_length(line);
        line.remove_prefix(n != 0 ? n : detail::utf8_broken_length(line));
    }
    return e;
}

OCRPIPE_DECL std::optional<std::string> strict_json(std::string_view text)
{
    std::optional<std::string> converted = json_in_utf8(text);
    if (converted) text = *converted;
    detail::no_json_events nobody;
    detail::json_notes notes;
    if (!detail::read_json(text, nobody, notes)) return std::nullopt;
    if (!notes.lenient) return converted;
    detail::strict_copy copy(detail::without_marks(text));
    detail::read_json(detail::without_marks(text), copy);
    return copy.finish();
}

} // namespace ocrpipe

#endif
