#ifndef OCRPIPE_EMULATOR_LATENCY_HPP
#define OCRPIPE_EMULATOR_LATENCY_HPP

#include <ocrpipe/core/result.hpp>

#include "text.hpp"

#include <cstdint>
#include <string_view>

namespace ocrpipe::emulator
{

/// How long the service works on one document once a worker is free.
struct latency_model {
    enum class kind { fixed, lognormal, bimodal };

    kind shape = kind::fixed;
    milliseconds typical{0}; ///< fixed: the time; lognormal: the median; bimodal: the usual time
    milliseconds rare{0};    ///< bimodal: the other time
    double sigma = 0;        ///< lognormal: standard deviation of the logarithm, 0 to 5
    double p = 0;            ///< bimodal: share of documents that take the rare time, 0 to 1

    /// The time for one document: a function of `key` only.
    milliseconds of(std::uint64_t key) const noexcept;
};

/// Reads `fixed:2s`, `lognormal:6s,0.35` (median, sigma) and `bimodal:0.1,1s,30s` (share of the rare time,
/// usual, rare).
result<latency_model> parse_latency(std::string_view text);

} // namespace ocrpipe::emulator

#endif
