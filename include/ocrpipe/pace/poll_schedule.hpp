#ifndef OCRPIPE_PACE_POLL_SCHEDULE_HPP
#define OCRPIPE_PACE_POLL_SCHEDULE_HPP

#include <chrono>
#include <cstdint>
#include <string_view>

namespace ocrpipe
{

/// What a schedule knows about a job when it chooses the time of the next poll.
struct poll_context {
    std::string_view doc_type;        ///< empty if the job was resumed by request_id alone
    std::uint64_t document_bytes = 0; ///< 0 when unknown
    int polls = 0;                    ///< polls already answered with "not yet"
    std::chrono::milliseconds age{0}; ///< since the submit was accepted, or since the job was resumed
};

/// Decides when to poll for a result next. Derive from it for an adaptive schedule.
class poll_schedule
{
public:
    virtual ~poll_schedule() = default;

    /// Time from now to the next poll; `random` is uniform in [0, 1) and the only source of randomness.
    virtual std::chrono::milliseconds next_delay(poll_context const& job, double random) const = 0;
};

/// The guide's advice: wait 2 to 5 seconds between polls, uniformly distributed so that jobs submitted
/// together do not poll together.
///
/// Source: OCR API Usage Guide, "What if no data is returned yet?".
class fixed_poll_schedule final : public poll_schedule
{
public:
    explicit fixed_poll_schedule(std::chrono::milliseconds min = std::chrono::milliseconds(2'000),
                                 std::chrono::milliseconds max = std::chrono::milliseconds(5'000)) noexcept
        : min_(min), max_(max < min ? min : max)
    {
    }

    std::chrono::milliseconds next_delay(poll_context const&, double random) const override
    {
        return min_ + std::chrono::milliseconds(
                          static_cast<std::int64_t>(random * static_cast<double>((max_ - min_).count())));
    }

private:
    std::chrono::milliseconds min_;
    std::chrono::milliseconds max_;
};

} // namespace ocrpipe

#endif
