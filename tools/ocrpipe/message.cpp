#include "message.hpp"

#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/core/result.hpp>

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

namespace ocrpipe::cli
{
namespace
{

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warn", "error"};

std::string printable(std::string_view text)
{
    return printable_excerpt(text, std::numeric_limits<std::size_t>::max());
}

} // namespace

std::string_view name(level l) noexcept { return level_names[static_cast<std::size_t>(l)]; }

std::optional<level> parse_level(std::string_view text) noexcept
{
    for (std::size_t i = 0; i != level_names.size(); ++i)
        if (level_names[i] == text) return static_cast<level>(i);
    return std::nullopt;
}

std::string to_people(message const& m, bool color)
{
    struct prefix {
        std::string_view plain;
        std::string_view colored;
    };
    static constexpr std::array<prefix, 4> prefixes{
        prefix{"debug: ", "\x1b[2mdebug:\x1b[0m "}, prefix{"", ""},
        prefix{"warning: ", "\x1b[33mwarning:\x1b[0m "}, prefix{"error: ", "\x1b[31merror:\x1b[0m "}};
    auto const& p = prefixes[static_cast<std::size_t>(m.severity)];
    return std::string(color ? p.colored : p.plain) + printable(m.text);
}

std::string to_json(message const& m, std::chrono::system_clock::time_point now)
{
    std::string out = R"({"time":)";
    detail::append_json_time(out, now);
    auto const add = [&out](std::string_view key) -> std::string& {
        detail::append_json_string(out += ',', key);
        return out += ':';
    };
    detail::append_json_string(add("level"), name(m.severity));
    detail::append_json_string(add("event"), m.event);
    detail::append_json_string(add("text"), printable(m.text));
    for (auto const& f : m.fields)
        std::visit(
            [&](auto const& v) {
                using value = std::decay_t<decltype(v)>;
                if constexpr (std::is_same_v<value, double>)
                    add(f.name) += std::isfinite(v) ? fmt::format("{}", v) : "null";
                else if constexpr (std::is_arithmetic_v<value>)
                    add(f.name) += fmt::format("{}", v);
                else
                    detail::append_json_string(add(f.name), printable(v));
            },
            f.value);
    return out += '}';
}

} // namespace ocrpipe::cli
