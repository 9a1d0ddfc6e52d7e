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

/// Writes messages to one descriptor, a whole line a system call, and keeps a status line at the bottom of a
/// terminal.
///
/// The status line is plain text that is redrawn in place: no terminal mode is changed, so a crash leaves
/// nothing to restore. Errors: a descriptor that cannot be written is given up silently; there is nobody left
/// to tell. Thread safety: one thread.
class logger
{
public:
    struct settings {
        level threshold = level::info;
        log_format format = log_format::people;
        bool color = false;
        bool status_line = false; ///< whether set_status() shows anything
        option_names names{};     ///< warnings and errors call options by these
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

    /// From now on occurrences of `s` in anything written are masked: an answer's excerpt may echo the key.
    void mask(secret s) { secrets_.push_back(std::move(s)); }

    /// `text` without what mask() was told of, for what is shown elsewhere.
    std::string masked(std::string text) const;

    bool shows(level l) const noexcept { return l >= settings_.threshold; }
    settings const& how() const noexcept { return settings_; }

private:
    settings settings_;
    int descriptor_;
    std::string status_;
    std::vector<secret> secrets_;
};

/// `text` with every occurrence of `s` replaced by asterisks of a fixed number, so that not even its length
/// shows. A secret of less than 8 bytes is replaced where it stands alone, not inside a word.
std::string masked(std::string text, secret const& s);

/// The same for the sentence and every fact; done before rendering, which may escape what the key holds.
message masked(message m, secret const& s);

} // namespace ocrpipe::cli

#endif
