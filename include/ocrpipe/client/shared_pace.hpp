#ifndef OCRPIPE_CLIENT_SHARED_PACE_HPP
#define OCRPIPE_CLIENT_SHARED_PACE_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/pace/pace_options.hpp>

#include <memory>

namespace ocrpipe
{

namespace detail
{
class pace_state;
}

/// The pace of several clients of one account, such as one client for each thread: rate limits, pauses that
/// the service asks for, refused credentials, outages, and stopped doc_types.
///
/// Give the same object to each client as client_options::shared. Its rates, max_auth_refusals, first_alone
/// and max_outage replace those of the client's options; max_in_flight and the numbers of connections apply
/// to each client.
/// Thread safety: any thread.
/// Cost: a mutex that is locked a few times for each request. It is held only for short decisions, never
/// during I/O or a callback.
class shared_pace
{
public:
    /// `options` must be valid; see pace_options::validate().
    explicit shared_pace(pace_options const& options);

    /// The pace of another account at the same service: it shares the rate limits and the pauses that the
    /// service asks for, but not refusals, outages and stopped doc_types. Of `options`, the rates are not
    /// used.
    std::shared_ptr<shared_pace> for_tenant(pace_options const& options) const;

private:
    friend class detail::pace_state;

    explicit shared_pace(std::shared_ptr<detail::pace_state> state);

    std::shared_ptr<detail::pace_state> state_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/client/impl/shared_pace.ipp>
#endif

#endif
