#ifndef OCRPIPE_BULK_OUTPUT_OUTPUT_FAILURE_HPP
#define OCRPIPE_BULK_OUTPUT_OUTPUT_FAILURE_HPP

#include <ocrpipe/core/result.hpp>

#include <string>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Returns errc::unwritable_output with the system error as cause.
inline failure output_failure(error_code cause, std::string path)
{
    failure f;
    f.code = errc::unwritable_output;
    f.cause = cause;
    f.where = phase::prepare;
    f.reason = std::move(path);
    return f;
}

} // namespace detail
} // namespace ocrpipe

#endif
