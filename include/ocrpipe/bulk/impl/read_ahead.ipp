#ifndef OCRPIPE_BULK_IMPL_READ_AHEAD_IPP
#define OCRPIPE_BULK_IMPL_READ_AHEAD_IPP

#include <ocrpipe/bulk/detail/read_ahead.hpp>
#include <ocrpipe/bulk/sha256.hpp>

#include <thread>
#include <utility>
#include <vector>

namespace ocrpipe::detail
{

struct read_ahead::state {
    std::unique_ptr<source> from;
    std::function<void()> wake;

    mutable std::mutex mutex;
    std::condition_variable room;
    std::deque<prepared> ready;
    std::size_t held_bytes = 0;
    bool consumer_waits = false;
    bool stopped = false;
    bool exhausted = false;

    bool full() const { return ready.size() >= max_ahead || held_bytes >= max_held_bytes; }
    static std::size_t held_by(prepared const& p)
    {
        auto const* d = std::get_if<prepared_document>(&p);
        return d && d->doc.bytes() ? d->doc.bytes()->size() : 0;
    }

    void run();
    static prepared prepare(input_item item, std::vector<char>& buffer);
};

/// Hashes a document; one that fits is kept in memory for its upload.
OCRPIPE_DECL prepared read_ahead::state::prepare(input_item item, std::vector<char>& buffer)
{
    document const file = document::from_file(item.path);
    result<document_reader> reader = document_reader::open(file);
    auto const problem = [&item](error_code code, std::string message) {
        input_problem p;
        p.path = item.path;
        p.code = code;
        p.message = std::move(message);
        return p;
    };
    if (!reader) return problem(reader.error().code, to_string(reader.error()));

    prepared_document d;
    d.size = reader->size();
    bool const hold = d.size < hold_below;
    std::string whole;
    if (hold) whole.reserve(d.size);
    sha256_stream hash;
    for (;;) {
        error_code ec;
        std::size_t const n = reader->read(buffer, ec);
        if (ec) return problem(ec, printable_excerpt(item.path, 1024) + ": " + ec.message());
        if (n == 0) break;
        std::string_view const piece(buffer.data(), n);
        hash.update(piece);
        if (hold) whole.append(piece);
    }
    d.sha256 = hash.hex();
    d.doc = hold ? document::from_bytes(std::move(whole), file.name()) : file;
    d.item = std::move(item);
    return d;
}

OCRPIPE_DECL void read_ahead::state::run()
{
    std::vector<char> buffer(hold_below + 1);
    std::unique_lock lock(mutex);
    while (!stopped) {
        room.wait(lock, [this] { return stopped || !full(); });
        if (stopped) break;
        lock.unlock();
        std::optional<input> found = from->next();
        std::optional<prepared> p;
        if (found) {
            if (auto* item = std::get_if<input_item>(&*found))
                p = prepare(std::move(*item), buffer);
            else
                p = std::get<input_problem>(std::move(*found));
        }
        lock.lock();
        if (stopped) break; // what was found meanwhile is dropped with what was ahead
        if (p) {
            held_bytes += held_by(*p);
            ready.push_back(std::move(*p));
        } else {
            exhausted = true;
        }
        if (std::exchange(consumer_waits, false)) wake();
        if (exhausted) break;
    }
}

OCRPIPE_DECL read_ahead::read_ahead(std::unique_ptr<source> s, std::function<void()> wake)
    : state_(std::make_shared<state>())
{
    state_->from = std::move(s);
    state_->wake = std::move(wake);
    std::thread([shared = state_] { shared->run(); }).detach();
}

OCRPIPE_DECL read_ahead::~read_ahead() { stop(); }

OCRPIPE_DECL std::optional<prepared> read_ahead::try_pop()
{
    std::lock_guard const lock(state_->mutex);
    if (state_->ready.empty()) {
        state_->consumer_waits = true;
        return std::nullopt;
    }
    bool const was_full = state_->full();
    prepared p = std::move(state_->ready.front());
    state_->ready.pop_front();
    state_->held_bytes -= state::held_by(p);
    if (was_full) state_->room.notify_one();
    return p;
}

OCRPIPE_DECL bool read_ahead::exhausted() const
{
    std::lock_guard const lock(state_->mutex);
    return state_->exhausted && state_->ready.empty();
}

OCRPIPE_DECL void read_ahead::stop()
{
    std::lock_guard const lock(state_->mutex);
    state_->stopped = true;
    state_->ready.clear();
    state_->held_bytes = 0;
    // Under the lock and only while not stopped is wake() called: after this line it never is.
    state_->exhausted = true;
    state_->room.notify_one();
}

} // namespace ocrpipe::detail

#endif
