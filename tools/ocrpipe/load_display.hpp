#ifndef OCRPIPE_TOOLS_LOAD_DISPLAY_HPP
#define OCRPIPE_TOOLS_LOAD_DISPLAY_HPP

#include <ocrpipe/load/load_run.hpp>

#include "logger.hpp"
#include "progress.hpp"

#include <cstddef>
#include <string>

namespace ocrpipe::cli
{

/// One line of at most `width` columns; less important parts are dropped if it does not fit.
std::string load_line(load_statistics const& s, double done_per_second, double p95_seconds, std::size_t width,
                      bool color);

/// The same facts for machines.
message load_message(load_statistics const& s, double done_per_second, double p95_seconds);

/// Shows the progress of a load test; call show() twice a second.
class load_display
{
public:
    load_display(load_run const& run, logger& log, std::size_t width) : run_(run), log_(log), width_(width) {}
    ~load_display() { log_.clear_status(); }
    load_display(load_display const&) = delete;
    load_display& operator=(load_display const&) = delete;

    void show();

private:
    load_run const& run_;
    logger& log_;
    std::size_t width_;
    rate_meter rate_{std::chrono::milliseconds(5'000)};
    unsigned calls_ = 0;
};

} // namespace ocrpipe::cli

#endif
