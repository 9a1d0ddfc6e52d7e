#ifndef OCRPIPE_CLIENT_IMPL_SHARED_PACE_IPP
#define OCRPIPE_CLIENT_IMPL_SHARED_PACE_IPP

#include <ocrpipe/client/detail/pace_state.hpp>
#include <ocrpipe/client/shared_pace.hpp>

namespace ocrpipe
{

OCRPIPE_DECL shared_pace::shared_pace(pace_options const& options)
    : state_(std::make_shared<detail::pace_state>(options, true))
{
}

} // namespace ocrpipe

#endif
