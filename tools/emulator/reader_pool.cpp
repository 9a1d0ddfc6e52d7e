#include "emulator/reader_pool.hpp"

#include <exception>
#include <utility>

namespace ocrpipe::emulator
{
namespace
{

constexpr std::size_t most_waiting_bytes = 256 * 1024 * 1024;

result<recognition> read_guarded(reader* r, std::string const& why_none, std::string_view document)
{
    failure f;
    f.code = errc::unreadable_file;
    f.reason = why_none;
    if (r == nullptr) return f;
    try {
        return r->read(document);
    } catch (std::exception const& e) {
        f.reason = e.what();
        return f;
    }
}

} // namespace

reader_pool::reader_pool(reader_factory make, unsigned threads,
                         std::function<void(std::uint32_t job, outcome)> finished)
    : make_(std::move(make)), finished_(std::move(finished))
{
    for (unsigned i = 0; i != threads; ++i)
        threads_.emplace_back([this] { run(); });
}

reader_pool::~reader_pool()
{
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
        waiting_.clear();
    }
    changed_.notify_all();
    for (auto& thread : threads_)
        thread.join();
}

bool reader_pool::full(std::size_t bytes)
{
    std::lock_guard const lock(mutex_);
    return !waiting_.empty() && waiting_bytes_ + bytes > most_waiting_bytes;
}

void reader_pool::put(std::uint32_t job, std::string document)
{
    {
        std::lock_guard const lock(mutex_);
        waiting_bytes_ += document.size();
        waiting_.push_back({job, std::move(document)});
    }
    changed_.notify_one();
}

void reader_pool::run()
{
    std::unique_ptr<reader> mine;
    std::string why_none = "no reader";
    try {
        mine = make_();
    } catch (std::exception const& e) {
        why_none = e.what();
    }
    for (;;) {
        work next;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (stopping_) return;
            next = std::move(waiting_.front());
            waiting_.pop_front();
            waiting_bytes_ -= next.document.size();
        }
        auto found = std::make_shared<result<recognition>>(read_guarded(mine.get(), why_none, next.document));
        finished_(next.job, std::move(found));
    }
}

} // namespace ocrpipe::emulator
