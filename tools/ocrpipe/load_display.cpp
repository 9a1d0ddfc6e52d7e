#include "load_display.hpp"

#include "text_units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

std::chrono::milliseconds whole_seconds(clock::duration d)
{
    return std::chrono::duration_cast<std::chrono::seconds>(d);
}

} // namespace

std::string load_line(load_statistics const& s, double done_per_second, double p95_seconds, std::size_t width,
                      bool color)
{
    struct piece {
        std::string text;
        int rank; ///< 0 is dropped last
        bool red = false;
    };
    std::vector<piece> pieces{{format_duration(whole_seconds(s.elapsed)), 5},
                              {fmt::format("{} of {} due are done", s.done, s.due), 0}};
    if (s.failed > 0) pieces.push_back({fmt::format("{} failed", s.failed), 1, true});
    if (s.with_parts) pieces.push_back({fmt::format("{} parts", s.parts), 3});
    if (s.parts_failed > 0) pieces.push_back({fmt::format("{} parts failed", s.parts_failed), 1, true});
    pieces.push_back({fmt::format("{} in flight", s.in_flight()), 2});
    pieces.push_back({s.draining ? std::string("draining") : fmt::format("target {:.4g}/s", s.rate), 3});
    pieces.push_back({fmt::format("done {:.4g}/s", done_per_second), 4});
    if (p95_seconds > 0) pieces.push_back({fmt::format("p95 {:.3g} s", p95_seconds), 6});
    auto const length = [&] {
        std::size_t n = 0;
        for (piece const& p : pieces)
            n += p.text.size() + 2;
        return n - 2;
    };
    while (pieces.size() > 1 && length() > width)
        pieces.erase(std::max_element(pieces.begin(), pieces.end(),
                                      [](piece const& a, piece const& b) { return a.rank < b.rank; }));
    std::string line;
    for (piece const& p : pieces) {
        if (!line.empty()) line += ", ";
        line += color && p.red ? fmt::format("\x1b[31m{}\x1b[0m", p.text) : p.text;
    }
    return line;
}

message load_message(load_statistics const& s, double done_per_second, double p95_seconds)
{
    message m(level::info, "load_progress",
              load_line(s, done_per_second, p95_seconds, std::string::npos, false),
              {{"elapsed_seconds", std::chrono::duration<double>(s.elapsed).count()},
               {"due", s.due},
               {"accepted", s.accepted},
               {"done", s.done},
               {"failed", s.failed},
               {"in_flight", s.in_flight()},
               {"draining", s.draining},
               {"asked_per_second", s.rate},
               {"done_per_second", done_per_second},
               {"end_to_end_p95", p95_seconds}});
    if (s.with_parts) {
        m.fields.push_back({"parts", s.parts});
        m.fields.push_back({"parts_failed", s.parts_failed});
        m.fields.push_back({"fetching_parts", s.fetching_parts});
    }
    return m;
}

void load_display::show()
{
    load_statistics const s = run_.statistics();
    rate_.sample(std::chrono::duration_cast<std::chrono::milliseconds>(s.elapsed), s.done);
    // A log needs it less often than a terminal.
    bool const is_line = log_.how().status_line;
    if (!is_line && ++calls_ % 4 != 0) return;
    double const p95 = run_.measurements().latency(measured_phase::end_to_end).percentile(95).count();
    if (is_line)
        log_.set_status(load_line(s, rate_.per_second(), p95, width_, log_.how().color));
    else
        log_.write(load_message(s, rate_.per_second(), p95));
}

} // namespace ocrpipe::cli
