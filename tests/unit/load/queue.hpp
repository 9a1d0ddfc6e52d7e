#ifndef OCRPIPE_TESTS_UNIT_LOAD_QUEUE_HPP
#define OCRPIPE_TESTS_UNIT_LOAD_QUEUE_HPP

#include <ocrpipe/load/arrival_plan.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <queue>
#include <random>
#include <vector>

namespace load_test
{

/// A simulated service: `workers` work on one job each, first come first served, as long as `service` says.
struct queue_run {
    std::vector<double> arrived; ///< ascending
    std::vector<double> ended;   ///< in the order of arrival
};

inline double uniform(std::mt19937_64& g) { return static_cast<double>(g() >> 11) * 0x1.0p-53; }

using service_time = std::function<double(std::mt19937_64&)>;

inline service_time fixed(double seconds)
{
    return [=](std::mt19937_64&) { return seconds; };
}

inline service_time lognormal(double median, double sigma)
{
    return [=](std::mt19937_64& g) {
        double const a = 1 - uniform(g), b = uniform(g);
        return median * std::exp(sigma * std::sqrt(-2 * std::log(a)) * std::cos(2 * std::numbers::pi * b));
    };
}

inline service_time bimodal(double share, double usual, double rare)
{
    return [=](std::mt19937_64& g) { return uniform(g) < share ? rare : usual; };
}

inline queue_run simulate(ocrpipe::arrival_plan const& plan, std::size_t workers, service_time const& service,
                          std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    ocrpipe::arrival_times arrivals(plan);
    std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
    queue_run out;
    while (auto const t = arrivals.next()) {
        double const now = static_cast<double>(t->count()) / 1e9;
        double start = now;
        if (free_at.size() == workers) {
            start = std::max(now, free_at.top());
            free_at.pop();
        }
        double const end = start + service(random);
        free_at.push(end);
        out.arrived.push_back(now);
        out.ended.push_back(end);
    }
    return out;
}

} // namespace load_test

#endif
