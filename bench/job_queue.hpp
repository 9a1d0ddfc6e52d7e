#ifndef OCRPIPE_BENCH_JOB_QUEUE_HPP
#define OCRPIPE_BENCH_JOB_QUEUE_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace bench
{

using clock = std::chrono::steady_clock;

/// A request to be sent: a submit while request_id is empty, otherwise a result.
struct job {
    std::size_t document = 0;
    std::string request_id;
};

/// What is to be sent next, for peers that have no job table of their own.
///
/// Every document takes the same time, so jobs become due in the order of their submits and a queue does what
/// a heap would.
class job_queue
{
public:
    job_queue(std::size_t documents, std::chrono::milliseconds processing)
        : documents_(documents), processing_(processing)
    {
    }

    /// A result that is due, or else the next submit, or nothing for now.
    std::optional<job> take(clock::time_point now)
    {
        if (!waiting_.empty() && waiting_.front().first <= now) {
            job j = std::move(waiting_.front().second);
            waiting_.pop_front();
            return j;
        }
        if (submitted_ == documents_) return std::nullopt;
        return job{submitted_++, {}};
    }

    /// After the submit's answer.
    void wait(job j, clock::time_point now) { waiting_.emplace_back(now + processing_, std::move(j)); }

    /// After an answer that says not yet. Seldom, since the first question comes in time.
    void wait_again(job j, clock::time_point now)
    {
        ++pending_answers_;
        waiting_.emplace_back(
            std::max(now + std::chrono::milliseconds(5), waiting_.empty() ? now : waiting_.back().first),
            std::move(j));
    }

    /// For epoll_wait and its like: until the next result is due, -1 when none is waiting.
    int milliseconds_to_next(clock::time_point now) const
    {
        if (waiting_.empty()) return -1;
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(waiting_.front().first - now).count();
        return left > 0 ? static_cast<int>(left) : 0;
    }

    std::size_t pending_answers() const { return pending_answers_; }

private:
    std::size_t documents_;
    std::chrono::milliseconds processing_;
    std::size_t submitted_ = 0;
    std::size_t pending_answers_ = 0;
    std::deque<std::pair<clock::time_point, job>> waiting_;
};

} // namespace bench

#endif
