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

/// Reads one JSON text that lies in memory whole, and tells a handler what it meets (RFC 8259; strict).
///
/// The handler may say of an object or array that nothing in it interests it; that is then only checked. Why
/// not Boost.JSON's basic_parser: it can be cut anywhere and converts every number, which costs nearly twice
/// as much; a test holds the two to the same verdicts.
///
/// Handler: void key(json_string), string(json_string), number(std::string_view), truth(bool), null(); bool
/// open(bool is_object): whether the members are wanted, and if not there is no close(); void close(bool
/// empty).
template<class Handler>
class json_events
{
public:
    static constexpr int max_depth = 64;

    json_events(std::string_view text, Handler& handler)
        : begin_(text.data()), end_(text.data() + text.size()), handler_(handler)
    {
    }

    /// False when the text is not one JSON value in valid UTF-8, nested at most so deep; the handler has then
    /// heard of its beginning.
    bool read();

private:
    // Each of these reads what stands at `p` and returns what follows it, or null when it is something else.

    char const* key(char const* p);
    char const* scalar(char const* p);
    char const* string(char const* p, json_string& out) const;
    char const* special(char const* p, json_string& out) const;
    char const* escape(char const* p) const;
    char const* number(char const* p) const noexcept;
    char const* digits(char const* p) const noexcept;
    char const* word(char const* p, std::string_view w) const noexcept;

    // These find where something ends that may be empty.

    char const* plain(char const* p) const noexcept;
    char const* spaces(char const* p) const noexcept;
    BOOST_FORCEINLINE char const* space(char const* p) const noexcept
    {
        return p != end_ && static_cast<unsigned char>(*p) <= ' ' ? spaces(p) : p;
    }

    bool is(char c, char const* p) const noexcept { return p != end_ && *p == c; }
    bool in_object() const noexcept { return (objects_ & 1) != 0; }
    bool is_told() const noexcept { return unwanted_ == 0; }

    void open(bool is_object)
    {
        objects_ = objects_ << 1 | std::uint64_t{is_object};
        ++depth_;
        if (is_told() && !handler_.open(is_object)) unwanted_ = depth_;
    }
    void close(bool empty)
    {
        if (is_told())
            handler_.close(empty);
        else if (unwanted_ == depth_)
            unwanted_ = 0;
        objects_ >>= 1;
        --depth_;
    }

    char const* begin_;
    char const* end_;
    Handler& handler_;
    int depth_ = 0;    ///< open containers
    int unwanted_ = 0; ///< the depth of the one that the handler did not want; 0 for none
    std::uint64_t objects_ =
        0; ///< a bit for each open container, the innermost lowest: whether it is an object
};

template<class Handler>
bool json_events<Handler>::read()
{
    char const* p = space(begin_);
    for (;;) {
        // Here a value begins, in an object with its key.
        if (in_object() && (p = key(p)) == nullptr) return false;
        if (p == end_) return false;
        bool const is_object = *p == '{';
        if (is_object || *p == '[') {
            if (depth_ == max_depth) return false;
            open(is_object);
            p = space(p + 1);
            if (!is(is_object ? '}' : ']', p)) continue;
            ++p;
            close(true);
        } else if ((p = scalar(p)) == nullptr) {
            return false;
        }
        // Here one has ended, and perhaps what holds it ends too.
        for (p = space(p); !is(',', p); p = space(p + 1)) {
            if (depth_ == 0) return p == end_;
            if (!is(in_object() ? '}' : ']', p)) return false;
            close(false);
        }
        if (depth_ == 0) return false;
        p = space(p + 1);
    }
}

/// With its colon.
template<class Handler>
BOOST_FORCEINLINE char const* json_events<Handler>::key(char const* p)
{
    json_string s;
    if (!is('"', p) || (p = string(p, s)) == nullptr) return nullptr;
    if (is_told()) handler_.key(s);
    p = space(p);
    return is(':', p) ? space(p + 1) : nullptr;
}

template<class Handler>
BOOST_FORCEINLINE char const* json_events<Handler>::scalar(char const* p)
{
    char const* last = nullptr;
    if (*p == '"') {
        json_string s;
        last = string(p, s);
        if (last != nullptr && is_told()) handler_.string(s);
    } else if (*p == 't' || *p == 'f') {
        bool const truth = *p == 't';
        last = word(p, truth ? "true" : "false");
        if (last != nullptr && is_told()) handler_.truth(truth);
    } else if (*p == 'n') {
        last = word(p, "null");
        if (last != nullptr && is_told()) handler_.null();
    } else {
        last = number(p);
        if (last != nullptr && is_told()) handler_.number({p, static_cast<std::size_t>(last - p)});
    }
    return last;
}

template<class Handler>
char const* json_events<Handler>::string(char const* p, json_string& out) const
{
    char const* const from = ++p;
    while (!is('"', p = plain(p))) {
        p = special(p, out);
        if (p == nullptr) return nullptr;
    }
    out.raw = std::string_view(from, static_cast<std::size_t>(p - from));
    return p + 1;
}

template<class Handler>
char const* json_events<Handler>::spaces(char const* p) const noexcept
{
    while (p != end_ && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        ++p;
    return p;
}

/// Characters of a string that need no look: ASCII, no control, no quote, no backslash.
template<class Handler>
BOOST_FORCEINLINE char const* json_events<Handler>::plain(char const* p) const noexcept
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

/// An escape, or characters of a string beyond ASCII.
template<class Handler>
char const* json_events<Handler>::special(char const* p, json_string& out) const
{
    if (is('\\', p)) {
        out.escaped = true;
        return escape(p);
    }
    do {
        std::size_t const n = utf8_sequence_length({p, static_cast<std::size_t>(end_ - p)});
        if (n == 0 || static_cast<unsigned char>(*p) < 0x20) return nullptr;
        p += n;
    } while (p != end_ && static_cast<unsigned char>(*p) >= 0x80);
    return p;
}

template<class Handler>
char const* json_events<Handler>::escape(char const* p) const
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

template<class Handler>
char const* json_events<Handler>::number(char const* p) const noexcept
{
    if (is('-', p)) ++p;
    p = is('0', p) ? p + 1 : digits(p);
    if (p != nullptr && is('.', p)) p = digits(p + 1);
    if (p == nullptr || (!is('e', p) && !is('E', p))) return p;
    ++p;
    return digits(is('+', p) || is('-', p) ? p + 1 : p);
}

template<class Handler>
char const* json_events<Handler>::digits(char const* p) const noexcept
{
    char const* const from = p;
    while (p != end_ && *p >= '0' && *p <= '9')
        ++p;
    return p != from ? p : nullptr;
}

template<class Handler>
char const* json_events<Handler>::word(char const* p, std::string_view w) const noexcept
{
    return std::string_view(p, static_cast<std::size_t>(end_ - p)).starts_with(w) ? p + w.size() : nullptr;
}

} // namespace ocrpipe::detail

#endif
