#ifndef OCRPIPE_BULK_RUN_DETAIL_RUN_OBSERVER_HPP
#define OCRPIPE_BULK_RUN_DETAIL_RUN_OBSERVER_HPP

#include <ocrpipe/client/client_observer.hpp>
#include <ocrpipe/measure/run_measurements.hpp>

#include <chrono>

namespace ocrpipe::detail
{

/// Passes the client's events on to a run's measurements. The client may keep it for longer than the run.
class run_observer final : public client_observer
{
public:
    run_observer(clock::time_point start, std::chrono::system_clock::time_point started_at)
        : collected(start, started_at)
    {
    }

    void on_exchange(exchange_event const& e) override { collected.add(e); }
    void on_pause(pause_event const& e) override { collected.add(e); }

    run_measurements collected;
};

} // namespace ocrpipe::detail

#endif
