#include "logger.hpp"

#include <ocrpipe/core/write_all.hpp>

#include <chrono>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

constexpr std::string_view erase_line = "\r\x1b[K";

/// A shorter key, such as a test key, may occur inside ordinary words: it is masked only as a whole word.
constexpr std::size_t shortest_unmistakable_key = 8;

bool is_word_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool stands_alone(std::string_view text, std::size_t at, std::size_t size)
{
    bool const joined_before = at > 0 && is_word_character(text[at - 1]);
    bool const joined_after = at + size < text.size() && is_word_character(text[at + size]);
    return !joined_before && !joined_after;
}

} // namespace

void logger::write(message const& m)
{
    if (!shows(m.severity)) return;
    message safe = m;
    if (m.severity >= level::warn) safe.text = settings_.names.in_sentence(std::move(safe.text));
    for (secret const& s : secrets_)
        safe = cli::masked(std::move(safe), s);
    std::string line = settings_.format == log_format::json ? to_json(safe, std::chrono::system_clock::now())
                                                            : to_people(safe, settings_.color);
    line += '\n';
    detail::write_all(descriptor_, status_.empty() ? line : std::string(erase_line) + line + status_);
}

std::string logger::masked(std::string text) const
{
    for (secret const& s : secrets_)
        text = cli::masked(std::move(text), s);
    return text;
}

void logger::set_status(std::string line)
{
    if (!settings_.status_line || line == status_) return;
    status_ = std::move(line);
    detail::write_all(descriptor_, std::string(erase_line) + status_);
}

void logger::clear_status()
{
    if (status_.empty()) return;
    status_.clear();
    detail::write_all(descriptor_, erase_line);
}

std::string masked(std::string text, secret const& s)
{
    std::string const& needle = s.reveal();
    if (needle.empty()) return text;
    std::string_view constexpr mask = "***";
    bool const unmistakable = needle.size() >= shortest_unmistakable_key;
    for (auto at = text.find(needle); at != std::string::npos; at = text.find(needle, at)) {
        if (unmistakable || stands_alone(text, at, needle.size())) {
            text.replace(at, needle.size(), mask);
            at += mask.size();
        } else {
            ++at;
        }
    }
    return text;
}

message masked(message m, secret const& s)
{
    m.text = masked(std::move(m.text), s);
    for (field& f : m.fields)
        if (auto* text = std::get_if<std::string>(&f.value)) *text = masked(std::move(*text), s);
    return m;
}

} // namespace ocrpipe::cli
