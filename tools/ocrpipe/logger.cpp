#include "logger.hpp"

#include <ocrpipe/core/write_all.hpp>

#include <chrono>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

constexpr std::string_view erase_line = "\r\x1b[K";

} // namespace

void logger::write(message const& m)
{
    if (!shows(m.severity)) return;
    message safe = m;
    if (m.severity >= level::warn) safe.text = settings_.names.in_sentence(std::move(safe.text));
    // Before rendering, which escapes characters that a very short secret may consist of.
    safe.text = mask_.masked(safe.text);
    for (field& f : safe.fields)
        if (auto* text = std::get_if<std::string>(&f.value)) *text = mask_.masked(*text);
    std::string line = settings_.format == log_format::json ? to_json(safe, std::chrono::system_clock::now())
                                                            : to_people(safe, settings_.color);
    line += '\n';
    detail::write_all(descriptor_, status_.empty() ? line : std::string(erase_line) + line + status_);
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

} // namespace ocrpipe::cli
