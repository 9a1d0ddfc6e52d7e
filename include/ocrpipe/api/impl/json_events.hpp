#ifndef OCRPIPE_API_IMPL_JSON_EVENTS_HPP
#define OCRPIPE_API_IMPL_JSON_EVENTS_HPP

#include <ocrpipe/detail/utf8.hpp>

#include <boost/config.hpp>

#include <algorithm>
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

/// A string as it stands between its quotes: valid UTF-8, each escape well formed.
struct json_string {
    std::string_view raw;
    bool escaped = false; ///< holds an escape, so that it has to be unescaped()
};

inline std::uint32_t hex_digits(char const* four) noexcept
{
    std::uint32_t n = 0;
    for (char const c : std::string_view(four, 4))
        n = 16 * n + static_cast<std::uint32_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    return n;
}

inline std::string unescaped(json_string s)
{
    std::string out;
    out.reserve(s.raw.size());
    auto const put = [&out](std::uint32_t c) { out += static_cast<char>(c); };
    for (char const* p = s.raw.data(); p != s.raw.data() + s.raw.size(); ++p) {
        if (*p != '\\') {
            out += *p;
            continue;
        }
        static constexpr std::string_view letters = "bfnrt";
        static constexpr std::string_view controls = "\b\f\n\r\t";
        if (*++p != 'u') {
            std::size_t const i = letters.find(*p);
            out += i == letters.npos ? *p : controls[i];
            continue;
        }
        std::uint32_t c = hex_digits(p + 1);
        p += 4;
        if (c >= 0xD800 && c < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + (hex_digits(p + 3) - 0xDC00);
            p += 6;
        }
        if (c < 0x80) {
            put(c);
        } else if (c < 0x800) {
            put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
        } else {
            put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F)), put(0x80 | (c >> 6 & 0x3F)),
                put(0x80 | (c & 0x3F));
        }
    }
    return out;
}

/// Deeper than any answer of the service, and shallow enough for a bit a container in one word.
inline constexpr int max_json_depth = 64;

/// Reads the parts of a JSON text (RFC 8259; strict). Each function takes where something begins and returns
/// what follows it, or null when it is something else.
///
/// No state but the text's end: as locals of one loop, the position and the end stay in registers.
class json_scanner
{
public:
    explicit json_scanner(char const* end) noexcept : end_(end) {}

    bool at_end(char const* p) const noexcept { return p == end_; }
    bool is(char c, char const* p) const noexcept { return p != end_ && *p == c; }

    /// Behind white space; never null.
    BOOST_FORCEINLINE char const* space(char const* p) const noexcept
    {
        return p != end_ && static_cast<unsigned char>(*p) <= ' ' ? spaces(p) : p;
    }

    /// `p` stands behind the opening quote.
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
        if (is('-', p)) ++p;
        p = is('0', p) ? p + 1 : digits(p);
        if (p != nullptr && is('.', p)) p = digits(p + 1);
        if (p == nullptr || (!is('e', p) && !is('E', p))) return p;
        ++p;
        return digits(is('+', p) || is('-', p) ? p + 1 : p);
    }

    char const* word(char const* p, std::string_view w) const noexcept
    {
        return std::string_view(p, static_cast<std::size_t>(end_ - p)).starts_with(w) ? p + w.size()
                                                                                      : nullptr;
    }

private:
    /// Behind the characters of a string that need no look: ASCII, no control, no quote, no backslash.
    BOOST_FORCEINLINE char const* plain(char const* p) const noexcept
    {
#if defined(__SSE2__)
        for (; end_ - p >= 16; p += 16) {
            __m128i const text = _mm_loadu_si128(reinterpret_cast<__m128i const*>(p));
            // Signed: what is not ASCII is below the controls.
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
        return p != from ? p : nullptr;
    }

    char const* spaces(char const* p) const noexcept
    {
        while (p != end_ && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
            ++p;
        return p;
    }

    char const* special(char const* p, bool& escaped) const noexcept;
    char const* escape(char const* p) const noexcept;

    char const* end_;
};

/// An escape, or characters of a string beyond ASCII.
inline char const* json_scanner::special(char const* p, bool& escaped) const noexcept
{
    if (is('\\', p)) {
        escaped = true;
        return escape(p);
    }
    do {
        std::size_t const n = utf8_sequence_length({p, static_cast<std::size_t>(end_ - p)});
        if (n == 0 || static_cast<unsigned char>(*p) < 0x20) return nullptr;
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
    if (end_ - p < 2) return nullptr;
    if (p[1] != 'u')
        return std::string_view("\"\\/bfnrt").find(p[1]) != std::string_view::npos ? p + 2 : nullptr;
    if (!is_unit(p)) return nullptr;
    std::uint32_t const high = hex_digits(p + 2);
    if (high < 0xD800 || high >= 0xE000) return p + 6;
    // A half of a surrogate pair alone is no character.
    if (high >= 0xDC00 || !is_unit(p + 6)) return nullptr;
    std::uint32_t const low = hex_digits(p + 8);
    return low >= 0xDC00 && low < 0xE000 ? p + 12 : nullptr;
}

/// A handler that wants nothing.
struct no_json_events {
    void key(json_string const&) noexcept {}
    void string(json_string const&) noexcept {}
    void number(std::string_view) noexcept {}
    void truth(bool) noexcept {}
    void null() noexcept {}
    bool open(bool) noexcept { return true; }
    void close(bool) noexcept {}
};

/// Reads the JSON value that begins at `p`, of which nothing is white space, and tells a handler what it
/// meets; returns what follows it. Null when it is none, or nested deeper than `room`; the handler has then
/// heard of its beginning.
template<class Handler>
char const* read_json_value(char const* p, json_scanner const text, Handler& handler, int room)
{
    std::uint64_t objects = 0; // a bit for each open container, the innermost lowest: whether it is an object
    int depth = 0;
    for (;;) {
        json_string s;
        // Here a value begins, in an object with its key.
        if ((objects & 1) != 0) {
            if (!text.is('"', p) || (p = text.string(p + 1, s)) == nullptr) return nullptr;
            handler.key(s);
            if (!text.is(':', p = text.space(p))) return nullptr;
            p = text.space(p + 1);
        }
        if (text.at_end(p)) return nullptr;
        char const first = *p;
        if (first == '"') {
            if ((p = text.string(p + 1, s)) == nullptr) return nullptr;
            handler.string(s);
        } else if (first == '{' || first == '[') {
            if (depth == room) return nullptr;
            bool const is_object = first == '{';
            if (!handler.open(is_object)) {
                no_json_events nobody;
                p = read_json_value(p, text, nobody, room - depth);
                if (p == nullptr) return nullptr;
            } else {
                p = text.space(p + 1);
                if (!text.is(is_object ? '}' : ']', p)) {
                    objects = objects << 1 | std::uint64_t{is_object};
                    ++depth;
                    continue;
                }
                ++p;
                handler.close(true);
            }
        } else if (first == 't' || first == 'f') {
            if ((p = text.word(p, first == 't' ? "true" : "false")) == nullptr) return nullptr;
            handler.truth(first == 't');
        } else if (first == 'n') {
            if ((p = text.word(p, "null")) == nullptr) return nullptr;
            handler.null();
        } else {
            char const* const from = p;
            if ((p = text.number(p)) == nullptr) return nullptr;
            handler.number({from, static_cast<std::size_t>(p - from)});
        }
        // Here one has ended, and perhaps what holds it ends too.
        for (; depth != 0 && !text.is(',', p = text.space(p)); ++p) {
            if (!text.is((objects & 1) != 0 ? '}' : ']', p)) return nullptr;
            handler.close(false);
            objects >>= 1;
            --depth;
        }
        if (depth == 0) return p;
        p = text.space(p + 1);
    }
}

/// Reads one JSON text that lies in memory whole, and tells a handler what it meets. False when the text is
/// not one JSON value in valid UTF-8, nested at most max_json_depth deep; the handler has then heard of its
/// beginning.
///
/// The handler may say of an object or array that nothing in it interests it; that is then only checked. Why
/// not Boost.JSON's basic_parser: it can be cut anywhere and converts every number, which costs several times
/// as much; a test holds the two to the same verdicts.
///
/// Handler: void key(json_string), string(json_string), number(std::string_view), truth(bool), null(); bool
/// open(bool is_object): whether the members are wanted, and if not there is no close(); void close(bool
/// empty).
template<class Handler>
bool read_json(std::string_view json, Handler& handler)
{
    char const* const end = json.data() + json.size();
    json_scanner const text(end);
    char const* const p = read_json_value(text.space(json.data()), text, handler, max_json_depth);
    return p != nullptr && text.space(p) == end;
}

} // namespace ocrpipe::detail

#endif
