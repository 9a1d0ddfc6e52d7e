#ifndef OCRPIPE_CLIENT_DETAIL_HELD_DOCUMENTS_HPP
#define OCRPIPE_CLIENT_DETAIL_HELD_DOCUMENTS_HPP

#include <ocrpipe/client/client_options.hpp>
#include <ocrpipe/client/detail/counters.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/pace/wait_estimate.hpp>

#include <fmt/format.h>

#include <optional>

namespace ocrpipe::detail
{

/// The documents that wait for their submit or are being sent, within the bounds of saturation_options. Pure:
/// time is an argument.
class held_documents
{
public:
    explicit held_documents(saturation_options const& bounds) : bounds_(bounds) {}

    /// Holds one more document, or says why not.
    std::optional<failure> hold(std::uint64_t bytes, clock::time_point now)
    {
        bool const too_many = bounds_.max_documents != 0 && count >= bounds_.max_documents;
        bool const too_large = bounds_.max_bytes != 0 && count != 0 && bytes_held + bytes > bounds_.max_bytes;
        if (too_many || too_large) {
            failure full(errc::saturated, phase::prepare,
                         too_many ? fmt::format("{} documents are held, and saturation.max_documents is {}",
                                                std::size_t(count), bounds_.max_documents)
                                  : fmt::format("{} bytes are held, {} more were given, and "
                                                "saturation.max_bytes is {}",
                                                std::uint64_t(bytes_held), bytes, bounds_.max_bytes));
            full.retry_after = pace_.until(1);
            return full;
        }
        if (count == 0) pace_.begins(now);
        ++count;
        bytes_held += bytes;
        wait = pace_.until(count);
        return std::nullopt;
    }

    void release(std::uint64_t bytes, clock::time_point now)
    {
        --count;
        bytes_held = bytes_held - bytes;
        pace_.ended(now);
        wait = pace_.until(count);
    }

    published<std::size_t> count;
    published<std::uint64_t> bytes_held;
    published<std::chrono::seconds> wait; ///< the estimate for one more document

private:
    saturation_options const bounds_;
    wait_estimate pace_;
};

} // namespace ocrpipe::detail

#endif
