#ifndef OCRPIPE_TOOLS_OPTION_READER_HPP
#define OCRPIPE_TOOLS_OPTION_READER_HPP

#include <ocrpipe/core/result.hpp>

#include "plan.hpp"
#include "text_units.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ocrpipe::cli
{

/// Reads options one by one: flag, then environment, then default. Collects the problems, each under the name
/// of the flag or variable that the value comes from.
class option_reader
{
public:
    option_reader(raw_arguments const& raw, surroundings const& around, planning& out)
        : raw_(raw), around_(around), out_(out)
    {
        names() = option_names(raw.options, around.env);
    }

    /// Names of the options in messages.
    option_names& names() noexcept { return out_.plan.messages.names; }

    std::string text(std::string_view option) const { return find(option).value; }

    /// Returns the parsed value, or the default if the text is invalid; the problem then says which format is
    /// expected.
    template<class Parse>
    auto value(std::string_view option, Parse parse, std::string_view expected)
    {
        setting const s = find(option);
        if (auto parsed = parse(s.value)) return *parsed;
        problem(s.shown_as,
                fmt::format("\"{}\" is not valid: give {}", printable_excerpt(s.value, 64), expected));
        return *parse(default_of(option));
    }

    /// Returns the meaning of a word, or of the default if the text is no word of the list.
    template<class T>
    T word(std::string_view option, std::initializer_list<std::pair<std::string_view, T>> words,
           std::string_view expected)
    {
        auto const parse = [&words](std::string_view text) -> std::optional<T> {
            for (auto const& [known, meaning] : words)
                if (known == text) return meaning;
            return std::nullopt;
        };
        return value(option, parse, expected);
    }

    /// Returns a number from `low` to `high`.
    std::size_t count_between(std::string_view option, std::size_t low, std::size_t high)
    {
        std::string const expected = fmt::format("a number from {} to {}", low, high);
        std::size_t const n = value(option, parse_count, expected);
        if (n >= low && n <= high) return n;
        problem(find(option).shown_as, "out of range: give " + expected);
        return low;
    }

    bool is_on(std::string_view option)
    {
        setting const s = find(option);
        if (s.value.empty()) return false;
        auto const on = parse_switch(s.value);
        if (!on)
            problem(s.shown_as,
                    fmt::format("\"{}\" is not valid: give 1 or 0", printable_excerpt(s.value, 64)));
        return on.value_or(false);
    }

    void problem(std::string_view what, std::string why)
    {
        out_.problems.push_back(fmt::format("{}: {}", what, std::move(why)));
    }

private:
    setting find(std::string_view option) const { return resolve(option, raw_.options, around_.env); }

    static std::string default_of(std::string_view option)
    {
        return resolve(option, {}, [](std::string const&) { return std::nullopt; }).value;
    }

    raw_arguments const& raw_;
    surroundings const& around_;
    planning& out_;
};

} // namespace ocrpipe::cli

#endif
