#ifndef OCRPIPE_CLIENT_IMPL_SHARED_PACE_IPP
#define OCRPIPE_CLIENT_IMPL_SHARED_PACE_IPP

#include <ocrpipe/client/detail/pace_state.hpp>
#include <ocrpipe/client/shared_pace.hpp>

#include <utility>

namespace ocrpipe
{

OCRPIPE_DECL shared_pace::shared_pace(pace_options const& options)
    : state_(std::make_shared<detail::pace_state>(options, true))
{
}

OCRPIPE_DECL shared_pace::shared_pace(std::shared_ptr<detail::pace_state> state) : state_(std::move(state)) {}

OCRPIPE_DECL std::shared_ptr<shared_pace> shared_pace::for_tenant(pace_options const& options) const
{
    return std::shared_ptr<shared_pace>(new shared_pace(state_->for_tenant(options)));
}

} // namespace ocrpipe

#endif
