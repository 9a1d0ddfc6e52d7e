#ifndef OCRPIPE_HTTP_FAILURES_HPP
#define OCRPIPE_HTTP_FAILURES_HPP

#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <string>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// `t + d` without overflow: a deadline may be time_point::max().
inline clock::time_point later(clock::time_point t, clock::duration d) noexcept
{
    return t > clock::time_point::max() - d ? clock::time_point::max() : t + d;
}

/// What a time-out is called: the caller's own deadline comes before that of a phase.
inline errc timeout_code(errc of_phase, clock::time_point now, clock::time_point deadline) noexcept
{
    return now >= deadline ? errc::deadline_exceeded : of_phase;
}

inline transport_failure make_failure(error_code code, phase where, bytes_sent sent, error_code cause = {},
                                      std::string detail = {})
{
    transport_failure f;
    f.code = code;
    f.cause = cause;
    f.where = where;
    f.sent = sent;
    f.detail = std::move(detail);
    return f;
}

/// `reason` names the option, what is wrong with it, and the remedy.
inline failure invalid_option(std::string reason)
{
    failure f;
    f.code = make_error_code(errc::invalid_argument);
    f.where = phase::prepare;
    f.reason = std::move(reason);
    return f;
}

} // namespace detail
} // namespace ocrpipe

#endif
