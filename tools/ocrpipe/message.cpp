#include "message.hpp"

#include <ocrpipe/result.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
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

std::string rfc3339(std::chrono::system_clock::time_point now)
{
    auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(ms / 1'000)),
                       ms % 1'000);
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
    boost::json::object o;
    o.emplace("time", rfc3339(now));
    o.emplace("level", name(m.severity));
    o.emplace("event", m.event);
    o.emplace("text", printable(m.text));
    for (auto const& f : m.fields) {
        if (auto const* s = std::get_if<std::string>(&f.value))
            o.emplace(f.name, printable(*s));
        else
            std::visit(
                [&](auto const& v) {
                    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(v)>>) o.emplace(f.name, v);
                },
                f.value);
    }
    return boost::json::serialize(o);
}

} // namespace ocrpipe::cli
