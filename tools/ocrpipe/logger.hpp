#ifndef OCRPIPE_TOOLS_LOGGER_HPP
#define OCRPIPE_TOOLS_LOGGER_HPP

#include <ocrpipe/client/client_options.hpp>

#include "message.hpp"
#include "option_names.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

    /// Masks all further occurrences of `s` in the output: an excerpt of an answer may echo the key.
    void mask(secret s) { secrets_.push_back(std::move(s)); }

    /// Returns `text` with the strings given to mask() masked, for output written elsewhere.
    std::string masked(std::string text) const;

    bool shows(level l) const noexcept { return l >= settings_.threshold; }
    settings const& how() const noexcept { return settings_; }

private:
    settings settings_;
    int descriptor_;
    std::string status_;
    std::vector<secret> secrets_;
};

/// Replaces every occurrence of `s` in `text` by a fixed number of asterisks, so that its length is hidden
/// too. A secret shorter than 8 bytes is replaced only as a whole word.
std::string masked(std::string text, secret const& s);

/// The same for the text and every fact of a message; done before rendering, which may escape characters of
/// the key.
message masked(message m, secret const& s);

} // namespace ocrpipe::cli

#endif
