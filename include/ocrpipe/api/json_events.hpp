#ifndef OCRPIPE_API_JSON_EVENTS_HPP
#define OCRPIPE_API_JSON_EVENTS_HPP

#include <ocrpipe/core/utf8.hpp>

#include <boost/config.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ocrpipe::detail
{

/// The raw text of a string between its quotes; all escapes are well formed.
struct json_string {
    std::string_view raw;
    bool escaped = false; ///< `raw` holds an escape or invalid UTF-8 and needs unescaped()
};

inline std::uint32_t hex_digits(char const* four) noexcept
{
    std::uint32_t n = 0;
    for (char const c : std::string_view(four, 4))
        n = 16 * n + static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    return n;
}

/// A character written as \uXXXX or as a surrogate pair of two such escapes.
struct unicode_escape {
    std::uint32_t character; ///< U+FFFD for an unpaired surrogate
    std::size_t length;
};

/// Decodes the escape at the start of `rest`, which begins with \u and belongs to a string already validated.
inline unicode_escape read_unicode_escape(std::string_view rest) noexcept
{
    std::uint32_t const high = hex_digits(rest.data() + 2);
    if (high < 0xD800 || high >= 0xE000) return {high, 6};
    std::string_view const next = rest.substr(6);
    std::uint32_t const low =
        high < 0xDC00 && next.starts_with("\\u") ? hex_digits(next.data() + 2) : replacement_character;
    if (low < 0xDC00 || low >= 0xE000) return {replacement_character, 6};
    return {0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), 12};
}

/// The decoded string in valid UTF-8: each unpaired surrogate and each run of invalid bytes becomes U+FFFD.
inline std::string unescaped(json_string s)
{
    static constexpr std::string_view letters = "bfnrt";
    static constexpr std::string_view controls = "\b\f\n\r\t";
    std::string out;
    out.reserve(s.raw.size());
    for (std::string_view rest = s.raw; !rest.empty();) {
        if (rest.front() == '\\' && rest[1] == 'u') {
            unicode_escape const e = read_unicode_escape(rest);
            append_utf8(out, e.character);
            rest.remove_prefix(e.length);
        } else if (rest.front() == '\\') {
            std::size_t const i = letters.find(rest[1]);
            out += i == letters.npos ? rest[1] : controls[i];
            rest.remove_prefix(2);
        } else if (std::size_t const n = utf8_sequence_length(rest); n != 0) {
            out += rest.substr(0, n);
            rest.remove_prefix(n);
        } else {
            append_utf8(out, replacement_character);
            rest.remove_prefix(utf8_broken_length(rest));
        }
    }
    return out;
}

/// Maximum nesting depth of an answer; Python's limit is about the same.
inline constexpr int max_json_depth = 1000;

/// Diagnostics of a parse.
struct json_notes {
    bool lenient = false;        ///< the text contains something that a strict parser rejects
    char const* error = nullptr; ///< where the text stops being valid JSON
    std::string_view what;       ///< what is wrong there
};

/// Scans the tokens of a JSON text. Each function takes a pointer to the start of a token and returns the
/// position after it, or null on a mismatch; the notes then say where and what is wrong.
///
/// Its only state is the end of the text, so that position and end stay in registers as locals of one loop.
class json_scanner
{
public:
    json_scanner(char const* end, json_notes& notes) noexcept : end_(end), notes_(&notes) {}

    char const* fail(char const* at, std::string_view what) const noexcept
    {
        notes_->error = at;
        notes_->what = what;
        return nullptr;
    }

    bool at_end(char const* p) const noexcept { return p == end_; }
    bool is(char c, char const* p) const noexcept { return p != end_ && *p == c; }

    /// Skips white space; never returns null.
    BOOST_FORCEINLINE char const* space(char const* p) const noexcept
    {
        return p != end_ && static_cast<unsigned char>(*p) <= ' ' ? spaces(p) : p;
    }

    /// `p` points after the opening quote.
    BOOST_FORCEINLINE char const* string(char const* p, json_string& out) const noexcept
    {
        char const* const from = p;
        out.escaped = false;
        while (!is('"', p = plain(p))) {
            p = special(p, out.escaped);
            if (p == nullptr) return nullptr;
        }
        out.raw = std::string_view(from, static_cast<std::size_t>(p - from));
        return p + 1;
    }

    BOOST_FORCEINLINE char const* number(char const* p) const noexcept
    {
        char const* const from = p;
        if (is('-', p)) ++p;
        p = is('0', p) ? p + 1 : digits(p);
        if (p == nullptr) return not_finite(from);
        if (is('.', p)) p = digits(p + 1);
        if (p == nullptr || (!is('e', p) && !is('E', p))) return p;
        ++p;
        return digits(is('+', p) || is('-', p) ? p + 1 : p);
    }

    char const* word(char const* p, std::string_view w) const noexcept
    {
        return rest(p).starts_with(w) ? p + w.size() : fail(p, "a value is missing");
    }

    /// NaN, Infinity or -Infinity, as Python writes and reads them; `p` is not the start of a number.
    char const* not_finite(char const* p) const noexcept
    {
        bool const negative = is('-', p);
        if (negative && !is('I', p + 1)) return nullptr; // already noted: a digit is missing
        *notes_ = {true, nullptr, {}};
        return word(negative ? p + 1 : p, is('N', p) ? "NaN" : "Infinity");
    }

private:
    /// Skips characters of a string that need no handling: ASCII without controls, quotes and backslashes.
    BOOST_FORCEINLINE char const* plain(char const* p) const noexcept
    {
#if defined(__SSE2__)
        for (; end_ - p >= 16; p += 16) {
            __m128i const text = _mm_loadu_si128(reinterpret_cast<__m128i const*>(p));
            // Signed comparison: non-ASCII bytes compare below the control characters.
            __m128i const stop = _mm_or_si128(_mm_cmplt_epi8(text, _mm_set1_epi8(' ')),
                                              _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('"')),
                                                           _mm_cmpeq_epi8(text, _mm_set1_epi8('\\'))));
            if (auto const found = static_cast<unsigned>(_mm_movemask_epi8(stop)); found != 0)
                return p + std::countr_zero(found);
        }
#endif
        while (p != end_ && static_cast<signed char>(*p) >= ' ' && *p != '"' && *p != '\\')
            ++p;
        return p;
    }

    BOOST_FORCEINLINE char const* digits(char const* p) const noexcept
    {
        char const* const from = p;
        while (p != end_ && static_cast<unsigned char>(*p - '0') < 10)
            ++p;
        return p != from ? p : fail(p, "a digit is missing");
    }

    std::string_view rest(char const* p) const noexcept { return {p, static_cast<std::size_t>(end_ - p)}; }

    char const* spaces(char const* p) const noexcept
    {
        while (p != end_ && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
            ++p;
        return p;
    }

    char const* special(char const* p, bool& escaped) const noexcept;
    char const* escape(char const* p) const noexcept;

    char const* end_;
    json_notes* notes_;
};

/// Scans an escape or non-ASCII characters of a string.
inline char const* json_scanner::special(char const* p, bool& escaped) const noexcept
{
    if (is('\\', p)) {
        escaped = true;
        return escape(p);
    }
    if (p == end_) return fail(p, "the closing quote is missing");
    if (static_cast<unsigned char>(*p) < 0x20) return fail(p, "a string contains a control character");
    do {
        std::size_t n = utf8_sequence_length(rest(p));
        if (n == 0) {
            n = utf8_broken_length(rest(p));
            escaped = notes_->lenient = true;
        }
        p += n;
    } while (p != end_ && static_cast<unsigned char>(*p) >= 0x80);
    return p;
}

inline char const* json_scanner::escape(char const* p) const noexcept
{
    auto const is_hex = [](char c) {
        char const lower = static_cast<char>(c | 0x20);
        return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
    };
    auto const is_unit = [&](char const* u) {
        return end_ - u >= 6 && u[0] == '\\' && u[1] == 'u' && std::all_of(u + 2, u + 6, is_hex);
    };
    constexpr std::string_view unknown = "an unknown escape sequence";
    if (end_ - p < 2) return fail(p, unknown);
    if (p[1] != 'u')
        return std::string_view("\"\\/bfnrt").find(p[1]) != std::string_view::npos ? p + 2 : fail(p, unknown);
    if (!is_unit(p)) return fail(p, unknown);
    std::uint32_t const high = hex_digits(p + 2);
    if (high < 0xD800 || high >= 0xE000) return p + 6;
    std::uint32_t const low = high < 0xDC00 && is_unit(p + 6) ? hex_digits(p + 8) : 0;
    if (low >= 0xDC00 && low < 0xE000) return p + 12;
    notes_->lenient = true;
    return p + 6;
}

/// A handler that ignores all events.
struct no_json_events {
    void key(json_string const&) noexcept {}
    void string(json_string const&) noexcept {}
    void number(std::string_view) noexcept {}
    void truth(bool) noexcept {}
    void null() noexcept {}
    bool open(bool) noexcept { return true; }
    void close(bool) noexcept {}
};

/// The containers that are open at a position in a text.
class json_nesting
{
public:
    int depth() const noexcept { return depth_; }
    /// Whether the innermost container is an object.
    bool in_object() const noexcept { return (innermost_ & 1) != 0; }

    void enter(bool is_object) noexcept
    {
        if (depth_ % 64 == 0) outer_[word()] = innermost_;
        innermost_ = innermost_ << 1 | std::uint64_t{is_object};
        ++depth_;
    }
    void leave() noexcept
    {
        innermost_ >>= 1;
        if (--depth_ % 64 == 0) innermost_ = outer_[word()];
    }

private:
    std::size_t word() const noexcept { return static_cast<std::size_t>(depth_ / 64); }

    std::uint64_t innermost_ = 0; ///< one bit per container, the innermost lowest: whether it is an object
    std::array<std::uint64_t, max_json_depth / 64 + 1> outer_; ///< earlier values of `innermost_`, one per 64
    int depth_ = 0;
};

/// Reads a key and its colon; returns the position of the value, or null.
template<class Handler>
BOOST_FORCEINLINE char const* read_json_key(char const* p, json_scanner const text, Handler& handler)
{
    json_string s;
    if (!text.is('"', p)) return text.fail(p, "a key is missing");
    if ((p = text.string(p + 1, s)) == nullptr) return nullptr;
    handler.key(s);
    if (!text.is(':', p = text.space(p))) return text.fail(p, "a colon is missing");
    return text.space(p + 1);
}

/// Reads a value that is not a container; returns the position after it, or null.
template<class Handler>
BOOST_FORCEINLINE char const* read_json_scalar(char const* const from, json_scanner const text,
                                               Handler& handler)
{
    char const* p = nullptr;
    if (*from == '"') {
        json_string s;
        if ((p = text.string(from + 1, s)) != nullptr) handler.string(s);
    } else if (*from == 't' || *from == 'f') {
        bool const is_true = *from == 't';
        if ((p = text.word(from, is_true ? "true" : "false")) != nullptr) handler.truth(is_true);
    } else if (*from == 'n') {
        if ((p = text.word(from, "null")) != nullptr) handler.null();
    } else {
        if ((p = text.number(from)) != nullptr) handler.number({from, static_cast<std::size_t>(p - from)});
    }
    return p;
}

/// Reads the ends of containers after a value. Returns the position of the comma before the next value, or
/// the end of the outermost container, or null.
template<class Handler>
BOOST_FORCEINLINE char const* read_json_ends(char const* p, json_scanner const text, Handler& handler,
                                             json_nesting& nesting)
{
    for (; nesting.depth() != 0 && !text.is(',', p = text.space(p)); ++p) {
        if (!text.is(nesting.in_object() ? '}' : ']', p))
            return text.fail(p, nesting.in_object() ? "a comma or } is missing" : "a comma or ] is missing");
        handler.close(false);
        nesting.leave();
    }
    return p;
}

/// Reads the JSON value that begins at `p` (no white space before it) and calls the handler for each part.
/// Returns the position after the value, or null if it is not a JSON value or is nested deeper than `room`.
/// In that case the handler has been called for the part before the error.
template<class Handler>
char const* read_json_value(char const* p, json_scanner const text, Handler& handler, int room)
{
    json_nesting nesting;
    for (;;) {
        if (nesting.in_object() && (p = read_json_key(p, text, handler)) == nullptr) return nullptr;
        if (text.at_end(p)) return text.fail(p, "a value is missing");
        bool const is_object = *p == '{';
        if (!is_object && *p != '[') {
            p = read_json_scalar(p, text, handler);
        } else if (nesting.depth() == room) {
            return text.fail(p, "it is nested too deeply");
        } else if (!handler.open(is_object)) {
            no_json_events nobody;
            p = read_json_value(p, text, nobody, room - nesting.depth());
        } else if (p = text.space(p + 1); text.is(is_object ? '}' : ']', p)) {
            ++p;
            handler.close(true);
        } else {
            nesting.enter(is_object);
            continue;
        }
        if (p == nullptr || (p = read_json_ends(p, text, handler, nesting)) == nullptr) return nullptr;
        if (nesting.depth() == 0) return p;
        p = text.space(p + 1);
    }
}

/// `text` without leading byte order marks.
inline std::string_view without_marks(std::string_view text) noexcept
{
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    while (text.starts_with(mark))
        text.remove_prefix(mark.size());
    return text;
}

/// Parses one complete JSON text in UTF-8 and calls a handler for each event. Returns false if the text is
/// not a single JSON value nested at most max_json_depth deep. In that case the handler has received the
/// events before the error, and the notes say where the error is.
///
/// Accepts every text that Python's json.loads() or JavaScript's Response.json() accepts. These extensions to
/// RFC 8259 are accepted and noted as lenient:
/// - one or more byte order marks at the beginning;
/// - NaN, Infinity and -Infinity, reported as numbers;
/// - an unpaired surrogate written as an escape, and invalid UTF-8 in a string: `escaped` is then set, and
///   unescaped() returns U+FFFD for it. Python decodes surrogates encoded in UTF-8, JavaScript replaces them;
///   here they are replaced.
///
/// Like both, it rejects control characters in strings, white space other than JSON's four characters,
/// numbers such as 01, +1, .5 or 1., unknown escapes, comments, trailing commas, NUL bytes, a second value,
/// and an empty text. Numbers may have any size, and keys may be repeated.
///
/// Convert UTF-16 and UTF-32, which json.loads() accepts, first: see json_in_utf8().
///
/// The handler may skip an object or array; its content is then only validated. Boost.JSON's basic_parser is
/// not used because it supports incremental input and converts every number, which costs several times as
/// much. A test checks that both give the same verdict on strict texts.
///
/// Handler: void key(json_string), string(json_string), number(std::string_view), truth(bool), null(); bool
/// open(bool is_object): returns whether the members are wanted; if not, close() is not called; void
/// close(bool empty).
template<class Handler>
bool read_json(std::string_view json, Handler& handler, json_notes& notes)
{
    std::size_t const size = json.size();
    json = without_marks(json);
    notes.lenient = json.size() != size;
    char const* const end = json.data() + json.size();
    json_scanner const text(end, notes);
    char const* p = read_json_value(text.space(json.data()), text, handler, max_json_depth);
    if (p == nullptr) return false;
    if ((p = text.space(p)) != end) text.fail(p, "something follows the value");
    return p == end;
}

template<class Handler>
bool read_json(std::string_view json, Handler& handler)
{
    json_notes notes;
    return read_json(json, handler, notes);
}

} // namespace ocrpipe::detail

#endif
