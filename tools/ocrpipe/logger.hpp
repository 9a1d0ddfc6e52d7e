#ifndef OCRPIPE_TOOLS_LOGGER_HPP
#define OCRPIPE_TOOLS_LOGGER_HPP

#include <ocrpipe/core/secret_mask.hpp>

#include "message.hpp"
#include "option_names.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace ocrpipe::cli
{

enum class log_format { people, json };

/// Writes messages to one descriptor, one whole line per system call, and keeps a status line at the bottom
/// of a terminal.
///
/// The status line is plain text that is redrawn in place: no terminal mode is changed, so a crash leaves
/// nothing to restore. Errors: write errors are ignored silently, because there is no other place to report
/// them. Thread safety: one thread.
class logger
{
public:
    struct settings {
        level threshold = level::info;
        log_format format = log_format::people;
        bool color = false;
        bool status_line = false; ///< whether set_status() shows anything
        option_names names{};     ///< names of options in warnings and errors
    };

    logger(int descriptor, settings s) : settings_(s), descriptor_(descriptor) {}
    ~logger() { clear_status(); }
    logger(logger const&) = delete;
    logger& operator=(logger const&) = delete;

    void write(message const& m);

    /// Replaces the status line. `line` may hold color sequences but no newline, and must fit the terminal's
    /// width.
    void set_status(std::string line);
    void clear_status();

    /// Masks these secrets in all further messages.
    void mask(secret_mask secrets) { mask_ = std::move(secrets); }

    /// Returns `text` with the secrets given to mask() masked, for output written elsewhere.
    std::string masked(std::string_view text) const { return mask_.masked(text); }

    bool shows(level l) const noexcept { return l >= settings_.threshold; }
    settings const& how() const noexcept { return settings_; }

private:
    settings settings_;
    int descriptor_;
    std::string status_;
    secret_mask mask_;
};

} // namespace ocrpipe::cli

#endif
