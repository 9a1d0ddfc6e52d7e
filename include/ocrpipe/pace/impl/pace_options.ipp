#ifndef OCRPIPE_PACE_IMPL_PACE_OPTIONS_IPP
#define OCRPIPE_PACE_IMPL_PACE_OPTIONS_IPP

#include <ocrpipe/core/option_problems.hpp>
#include <ocrpipe/pace/pace_options.hpp>

#include <fmt/format.h>

namespace ocrpipe
{

OCRPIPE_DECL std::vector<std::string> pace_options::validate() const
{
    detail::option_problems p;
    p.rate(rates.submits_per_second, "rates.submits_per_second");
    p.rate(rates.polls_per_second, "rates.polls_per_second");
    p.rate(rates.bytes_per_second, "rates.bytes_per_second");
    p.positive(retry.base, "retry.base");
    p.positive(retry.throttled_base, "retry.throttled_base");
    p.positive(retry.cap, "retry.cap");
    p.positive(retry.max_retry_after, "retry.max_retry_after");
    p.check(retry.max_attempts >= 1 && retry.max_attempts <= 1000,
            fmt::format("retry.max_attempts: {} is out of range: 1 to 1000", retry.max_attempts));
    p.check(max_auth_refusals >= 1 && max_auth_refusals <= 100,
            fmt::format("max_auth_refusals: {} is out of range: 1 to 100", max_auth_refusals));
    p.check(max_outage.count() >= 0, "max_outage: negative: give a time, or 0 for no limit");
    return p.take();
}

} // namespace ocrpipe

#endif
