#ifndef OCRPIPE_CORE_THREAD_CHECK_HPP
#define OCRPIPE_CORE_THREAD_CHECK_HPP

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace ocrpipe::detail
{

#if defined(NDEBUG)

class thread_check
{
public:
    class scope
    {
    public:
        scope(thread_check&, char const*) noexcept {}
    };
};

#else

/// Ends the program, with a message, when two threads are inside the same object at the same time. Objects
/// that a single thread must use call it; release builds do not check.
class thread_check
{
public:
    class scope
    {
    public:
        /// `rule`: what the message says.
        scope(thread_check& c, char const* rule)
            : check_(c), outer_(c.inside_.exchange(std::this_thread::get_id()))
        {
            if (outer_ == std::thread::id() || outer_ == std::this_thread::get_id()) return;
            std::fprintf(stderr, "ocrpipe: %s\n", rule);
            std::abort();
        }
        scope(scope const&) = delete;
        ~scope() { check_.inside_ = outer_; }

    private:
        thread_check& check_;
        std::thread::id const outer_;
    };

private:
    std::atomic<std::thread::id> inside_{std::thread::id()};
};

#endif

} // namespace ocrpipe::detail

#endif
