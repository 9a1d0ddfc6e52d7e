#ifndef OCRPIPE_CLIENT_DETAIL_COUNTERS_HPP
#define OCRPIPE_CLIENT_DETAIL_COUNTERS_HPP

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ocrpipe::detail
{

/// A number that one shard changes and any thread reads. Because no two threads change it at the same time,
/// it costs no more than a plain number.
template<class T>
class published
{
public:
    published() = default;

    published& operator=(T v) noexcept
    {
        value_.store(v, std::memory_order_relaxed);
        return *this;
    }
    published& operator+=(T v) noexcept { return *this = T(*this) + v; }
    published& operator++() noexcept { return *this += T(1); }
    published& operator--() noexcept { return *this = T(*this) - T(1); }
    operator T() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<T> value_{T{}};
};

/// The part of client_statistics that a client counts itself.
struct counters {
    published<std::uint64_t> submits;
    published<std::uint64_t> accepted;
    published<std::uint64_t> polls;
    published<std::uint64_t> pending_answers;
    published<std::uint64_t> part_reads;
    published<std::uint64_t> transport_failures;
    published<std::uint64_t> throttled;
    published<std::uint64_t> bytes_uploaded;
    published<std::size_t> waiting_jobs;
    published<std::size_t> active_submits;
    published<std::size_t> active_polls;
    published<std::chrono::nanoseconds> waited_for_submit_rate;
    published<std::chrono::nanoseconds> waited_for_poll_rate;
    published<std::chrono::nanoseconds> waited_for_bytes;
    published<std::chrono::nanoseconds> waited_for_pause;
};

} // namespace ocrpipe::detail

#endif
