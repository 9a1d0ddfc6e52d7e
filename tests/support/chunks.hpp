#ifndef OCRPIPE_TESTS_SUPPORT_CHUNKS_HPP
#define OCRPIPE_TESTS_SUPPORT_CHUNKS_HPP

#include <ocrpipe/api/chunk_source.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

/// A source that yields bytes in chunks, and can fail, throw or stall on the way.
class chunks final : public ocrpipe::chunk_source
{
public:
    static constexpr std::size_t never = static_cast<std::size_t>(-1);

    explicit chunks(std::string bytes, std::size_t chunk = 100) : bytes_(std::move(bytes)), chunk_(chunk) {}

    ocrpipe::task<std::size_t> read(std::span<char> out, ocrpipe::error_code& ec) override
    {
        auto const ex = co_await boost::asio::this_coro::executor;
        co_await boost::asio::post(ex, ocrpipe::detail::use_task);
        if (on_read) on_read(out);
        if (taken >= stall_at) {
            ++stalled;
            ocrpipe::detail::timer forever(ex, ocrpipe::clock::time_point::max());
            try {
                co_await forever.async_wait(ocrpipe::detail::use_task);
            } catch (std::exception const&) {
                ++cancelled;
                if (!yields_when_cancelled) throw;
            }
        }
        if (taken >= throw_at) throw std::runtime_error("the disk is on fire");
        if (taken >= fail_at) {
            ec = failure;
            co_return 0;
        }
        std::size_t const n = std::min({out.size(), chunk_, bytes_.size() - taken});
        bytes_.copy(out.data(), n, taken);
        taken += n;
        co_return n;
    }

    bool can_rewind() const noexcept override { return rewindable; }
    void rewind() override
    {
        taken = 0;
        ++rewinds;
    }

    std::size_t fail_at = never;
    ocrpipe::error_code failure;
    std::size_t throw_at = never;
    std::size_t stall_at = never;
    bool yields_when_cancelled = false; ///< its bytes came at the moment of the cancellation
    bool rewindable = false;
    std::function<void(std::span<char>)> on_read;

    std::size_t taken = 0; ///< bytes yielded
    int rewinds = 0;
    int stalled = 0;
    int cancelled = 0;

private:
    std::string bytes_;
    std::size_t chunk_;
};

#endif
