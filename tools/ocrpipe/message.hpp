#ifndef OCRPIPE_TOOLS_MESSAGE_HPP
#define OCRPIPE_TOOLS_MESSAGE_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ocrpipe::cli
{

enum class level { debug, info, warn, error };

std::string_view name(level l) noexcept;
std::optional<level> parse_level(std::string_view text) noexcept;

/// A named, machine-readable fact of a message.
struct field {
    std::string_view name; ///< a literal; "time", "level", "event" and "text" are reserved
    std::variant<bool, std::int64_t, std::uint64_t, double, std::string> value;
};

/// The only kind of output message of the command line: a sentence for people, facts for machines, and a
/// stable event name.
struct message {
    message(level l, std::string_view what, std::string sentence, std::vector<field> facts = {})
        : severity(l), event(what), text(std::move(sentence)), fields(std::move(facts))
    {
    }

    level severity;
    std::string_view event; ///< a literal such as "run_started": stable, unlike the text
    std::string text;       ///< lower case, no full stop, names the thing and the remedy
    std::vector<field> fields;
};

/// Renders one line, without the newline. Control characters of file names and answers cannot reach the
/// terminal.
std::string to_people(message const& m, bool color);

/// Renders one JSON object on one line, without the newline; always valid UTF-8.
std::string to_json(message const& m, std::chrono::system_clock::time_point now);

} // namespace ocrpipe::cli

#endif
