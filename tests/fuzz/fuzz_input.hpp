#ifndef OCRPIPE_TESTS_FUZZ_FUZZ_INPUT_HPP
#define OCRPIPE_TESTS_FUZZ_FUZZ_INPUT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

/// The function that libFuzzer calls. fuzz_replay calls it too, under another name for each target.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

/// Aborts if `holds` is false. libFuzzer then keeps the input as a finding; fuzz_replay has printed the file.
inline void require(bool holds, char const* what)
{
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

/// An input as lines and words, so that people can read and write the files of the corpus. Missing ones are
/// empty.
class fuzz_input
{
public:
    fuzz_input(std::uint8_t const* data, std::size_t size) noexcept
        : rest_(reinterpret_cast<char const*>(data), size)
    {
    }
    explicit fuzz_input(std::string_view text) noexcept : rest_(text) {}

    std::string_view line() noexcept { return until("\n"); }
    std::string_view word() noexcept { return until(" "); }

    /// The text up to the next `end`, which is removed.
    std::string_view until(std::string_view end) noexcept
    {
        std::size_t const at = rest_.find(end);
        std::string_view const taken = rest_.substr(0, at);
        rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at + end.size());
        return taken;
    }

    /// A word as a number of at most nine digits; other characters are ignored.
    std::uint32_t number() noexcept
    {
        std::uint32_t value = 0;
        for (char const c : word().substr(0, 9))
            if (c >= '0' && c <= '9') value = value * 10 + static_cast<std::uint32_t>(c - '0');
        return value;
    }

    std::string_view rest() const noexcept { return rest_; }
    bool empty() const noexcept { return rest_.empty(); }

private:
    std::string_view rest_;
};

/// Sizes of the pieces in which bytes arrive, chosen by a seed: mostly a few bytes, sometimes many.
class cutter
{
public:
    explicit cutter(std::uint64_t seed) noexcept : state_(seed) {}

    /// At least 1 and at most `left`, which must not be 0.
    std::size_t next(std::size_t left) noexcept
    {
        // Knuth's multiplier for MMIX; only the high bits are random enough.
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        std::size_t const draw = static_cast<std::size_t>(state_ >> 33);
        std::size_t const most = draw % 4 == 0 ? left : std::min<std::size_t>(left, 8);
        return 1 + (draw / 4) % most;
    }

private:
    std::uint64_t state_;
};

/// "%0A" and the like as the byte they stand for; other percent signs stand for themselves.
inline std::string unescaped(std::string_view text)
{
    auto const digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    };
    std::string out;
    for (std::size_t i = 0; i != text.size(); ++i) {
        bool const escape =
            text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
        out += escape ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
        if (escape) i += 2;
    }
    return out;
}

inline bool has_control(std::string_view text) noexcept
{
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

#endif
