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
    return failure(errc::unwritable_output, phase::prepare, std::move(path), cause);
}

} // namespace detail
} // namespace ocrpipe

#endif
