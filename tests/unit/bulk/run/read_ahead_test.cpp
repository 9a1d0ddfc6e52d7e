#include <ocrpipe/bulk/run/detail/read_ahead.hpp>
#include <ocrpipe/core/sha256.hpp>

#include "support/open_ledger.hpp"
#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <utility>
#include <variant>
#include <vector>

using namespace ocrpipe;
using detail::prepared;
using detail::prepared_document;
using detail::read_ahead;

namespace
{

/// What the test and the thread that reads ahead tell each other.
class meeting
{
public:
    /// Wakes whoever waits, after `change` was made.
    template<class Change>
    void tell(Change change)
    {
        std::lock_guard const lock(mutex_);
        change();
        news_.notify_all();
    }
    template<class Condition>
    void wait(Condition condition)
    {
        std::unique_lock lock(mutex_);
        news_.wait(lock, condition);
    }

private:
    std::mutex mutex_;
    std::condition_variable news_;
};

/// Gives what a function gives, and says when it is gone.
class function_source final : public source
{
public:
    explicit function_source(
        std::function<std::optional<input>()> f, std::function<void()> at_end = [] {})
        : next_(std::move(f)), at_end_(std::move(at_end))
    {
    }
    ~function_source() override { at_end_(); }
    std::optional<input> next() override { return next_(); }

private:
    std::function<std::optional<input>()> next_;
    std::function<void()> at_end_;
};

std::unique_ptr<source> list(std::vector<input> all)
{
    return std::make_unique<function_source>([all = std::move(all), at = std::size_t(0)]() mutable {
        return at == all.size() ? std::nullopt : std::optional<input>(std::move(all[at++]));
    });
}

input_item item(std::string path)
{
    input_item i;
    i.id = i.path = std::move(path);
    return i;
}

/// An intake with a ledger of its own, which knows no document.
std::shared_ptr<detail::intake> plain_intake()
{
    auto const owner = std::make_shared<ledger_in_memory>();
    return std::make_shared<detail::intake>(detail::intake_options(),
                                            std::shared_ptr<ledger>(owner, owner->share().get()));
}

/// Pops as a pipeline does: waits for wake() when there is nothing.
class consumer
{
public:
    explicit consumer(std::unique_ptr<source> s)
        : ahead(std::move(s), plain_intake(), [this] { met_.tell([this] { ++woken_; }); })
    {
    }
    ~consumer() { ahead.stop(); }
    consumer(consumer const&) = delete;
    consumer& operator=(consumer const&) = delete;

    /// The next one, nothing at the end.
    std::optional<prepared> pop()
    {
        for (;;) {
            if (auto p = ahead.try_pop()) return p;
            if (ahead.exhausted()) return std::nullopt;
            met_.wait([this] { return woken_ != 0; });
            met_.tell([this] { --woken_; });
        }
    }

private:
    meeting met_;
    int woken_ = 0;

public:
    read_ahead ahead;
};

} // namespace

TEST_CASE("read_ahead: documents -> in the source's order, with size and digest; then exhausted")
{
    temp_directory const dir;
    std::vector<input> all;
    for (int i = 0; i != 300; ++i)
        all.push_back(item(dir.write(std::to_string(i), "document " + std::to_string(i)).string()));
    consumer c(list(std::move(all)));
    for (int i = 0; i != 300; ++i) {
        CAPTURE(i);
        auto const p = c.pop();
        REQUIRE(p);
        auto const& d = std::get<prepared_document>(*p);
        std::string const text = "document " + std::to_string(i);
        CHECK(d.record.id == (dir.path() / std::to_string(i)).string());
        CHECK(d.record.size == text.size());
        CHECK(d.record.sha256 == to_hex(sha256(text)));
    }
    CHECK_FALSE(c.pop());
    CHECK(c.ahead.exhausted());
    CHECK_FALSE(c.ahead.try_pop());
}

TEST_CASE("read_ahead: small documents are held whole, larger ones are read again; both keep their names")
{
    temp_directory const dir;
    std::string const below(detail::intake::hold_below - 1, 's');
    std::string const at(detail::intake::hold_below, 'l');
    std::string const many(3 * detail::intake::hold_below + 17, 'm');
    consumer c(list({item(dir.write("below.pdf", below).string()), item(dir.write("at.pdf", at).string()),
                     item(dir.write("many.pdf", many).string())}));
    auto const small = std::get<prepared_document>(c.pop().value());
    REQUIRE(small.doc.bytes());
    CHECK(*small.doc.bytes() == below);
    CHECK(small.doc.name() == "below.pdf");
    for (auto const& text : {at, many}) {
        auto const large = std::get<prepared_document>(c.pop().value());
        CHECK_FALSE(large.doc.bytes());
        CHECK(large.doc.path() == large.record.path);
        CHECK(large.record.size == text.size());
        CHECK(large.record.sha256 == to_hex(sha256(text)));
    }
}

TEST_CASE("read_ahead: a problem of the source -> passes through as it is, in its place")
{
    temp_directory const dir;
    std::string const a = dir.write("a", "1").string();
    input_problem const p{"gone", "m.csv:7", errc::invalid_argument, "path is missing"};
    consumer c(list({item(a), p, item(a)}));
    CHECK(std::holds_alternative<prepared_document>(c.pop().value()));
    auto const second = std::get<input_problem>(c.pop().value());
    CHECK(second.path == p.path);
    CHECK(second.where == p.where);
    CHECK(second.code == p.code);
    CHECK(second.message == p.message);
    CHECK(std::holds_alternative<prepared_document>(c.pop().value()));
    CHECK_FALSE(c.pop());
}

TEST_CASE("read_ahead: a file that vanished or was emptied since it was found -> a problem with its path, "
          "the rest goes on")
{
    temp_directory const dir;
    std::string const gone = (dir.path() / "gone").string();
    std::string const empty = dir.write("empty", "").string();
    consumer c(list({item(gone), item(empty), item(dir.write("a", "1").string())}));
    auto const first = std::get<input_problem>(c.pop().value());
    CHECK(first.path == gone);
    CHECK(first.code == errc::unreadable_file);
    CHECK(first.message.find(gone) != std::string::npos);
    CHECK(std::get<input_problem>(c.pop().value()).code == errc::empty_document);
    CHECK(std::holds_alternative<prepared_document>(c.pop().value()));
}

TEST_CASE("read_ahead: a slow consumer -> never more than max_ahead are taken before they are asked for")
{
    constexpr std::size_t total = 4 * read_ahead::max_ahead;
    meeting met;
    std::size_t taken = 0;
    std::size_t popped = 0;
    std::size_t most = 0;
    auto next = [&]() -> std::optional<input> {
        std::optional<input> found;
        met.tell([&] {
            if (taken == total) return;
            most = std::max(most, ++taken - popped);
            found = input_problem{std::to_string(taken), {}, errc::unreadable_file, {}};
        });
        return found;
    };
    consumer c(std::make_unique<function_source>(next));
    for (std::size_t i = 0; i != total; ++i) {
        // Each round gives the thread the time to fill up, and a faulty one the occasion to go too far.
        std::size_t const ahead = i == 0 ? read_ahead::max_ahead : read_ahead::refill_at + 1;
        met.wait([&] { return taken >= std::min(popped + ahead, total); });
        met.tell([&] { ++popped; });
        auto const p = c.pop();
        REQUIRE(p);
        CHECK(std::get<input_problem>(*p).path == std::to_string(i + 1));
    }
    CHECK_FALSE(c.pop());
    CHECK(most == read_ahead::max_ahead);
}

TEST_CASE("read_ahead: stopped while it is full -> what is ahead is dropped, and the source is let go")
{
    meeting met;
    std::size_t taken = 0;
    bool released = false;
    auto next = [&]() -> std::optional<input> {
        met.tell([&] { ++taken; });
        return input_problem{"x", {}, errc::unreadable_file, {}};
    };
    auto at_end = [&] { met.tell([&] { released = true; }); };
    {
        read_ahead ahead(std::make_unique<function_source>(next, at_end), plain_intake(), [] {});
        met.wait([&] { return taken == read_ahead::max_ahead; });
        ahead.stop();
        CHECK(ahead.exhausted());
        CHECK_FALSE(ahead.try_pop());
        ahead.stop();
    }
    met.wait([&] { return released; });
    CHECK(taken == read_ahead::max_ahead);
}

TEST_CASE(
    "read_ahead: stopped while the source is blocked -> what it gives then is dropped, and nobody is woken")
{
    temp_directory const dir;
    input_item const document = item(dir.write("a", "1").string());
    meeting met;
    ::pid_t thread = 0;
    bool let_go = false;
    bool released = false;
    int woken = 0;
    auto next = [&]() -> std::optional<input> {
        met.tell([&] { thread = ::gettid(); });
        met.wait([&] { return let_go; });
        return document;
    };
    {
        auto ahead = std::make_unique<read_ahead>(
            std::make_unique<function_source>(next, [&] { met.tell([&] { released = true; }); }),
            plain_intake(), [&] { ++woken; });
        CHECK_FALSE(ahead->try_pop());
        met.wait([&] { return thread != 0; });
        std::string const task = "/proc/self/task/" + std::to_string(thread);
        REQUIRE(std::filesystem::exists(task));
        ahead->stop();
        CHECK(ahead->exhausted());
        met.tell([&] { let_go = true; });
        while (std::filesystem::exists(task))
            std::this_thread::yield();
        CHECK(ahead->exhausted());
        CHECK_FALSE(ahead->try_pop());
    }
    met.wait([&] { return released; });
    CHECK(woken == 0);
}

TEST_CASE("read_ahead: destroyed while the source is blocked -> does not wait for it, and the source is let "
          "go later")
{
    meeting met;
    bool inside = false;
    bool let_go = false;
    bool released = false;
    auto next = [&]() -> std::optional<input> {
        met.tell([&] { inside = true; });
        met.wait([&] { return let_go; });
        return std::nullopt;
    };
    auto at_end = [&] { met.tell([&] { released = true; }); };
    {
        read_ahead const ahead(std::make_unique<function_source>(next, at_end), plain_intake(), [] {});
        met.wait([&] { return inside; });
    }
    CHECK_FALSE(released);
    met.tell([&] { let_go = true; });
    met.wait([&] { return released; });
}
