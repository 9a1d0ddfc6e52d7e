#include "support/open_ledger.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

using namespace ocrpipe;
using enum document_state;

namespace
{

/// Commits and checkpoints often.
class busy_sqlite_ledger : private temp_directory, public open_ledger
{
public:
    busy_sqlite_ledger() : open_ledger(options(temp_directory::path())) {}

private:
    static sqlite_ledger_options options(std::filesystem::path const& folder)
    {
        sqlite_ledger_options o = options_for(folder);
        o.max_batch_rows = 16;
        o.max_delay = std::chrono::milliseconds(1);
        o.checkpoint_pages = 16;
        return o;
    }
};

} // namespace

TEST_CASE_TEMPLATE("ledger: several threads write, read and ask for counts at once -> each one's changes in "
                   "order, every handler on the io_context",
                   Ledger, busy_sqlite_ledger, ledger_in_memory)
{
    Ledger l;
    constexpr int writers = 3;
    constexpr int documents = 100;
    std::atomic<int> failures = 0;
    std::atomic<int> elsewhere = 0;
    std::map<int, std::vector<int>> order; // touched by handlers only
    auto guard = boost::asio::make_work_guard(l.ioc);
    std::thread runner([&] { l.ioc.run(); });
    std::thread::id const on = runner.get_id();
    std::vector<std::thread> threads;
    for (int w = 0; w != writers; ++w)
        threads.emplace_back([&, w] {
            for (int i = 0; i != documents; ++i) {
                std::string const id = std::to_string(w) + "/" + std::to_string(i);
                auto const check = [&, w, i](error_code ec) {
                    if (ec) ++failures;
                    if (std::this_thread::get_id() != on) ++elsewhere;
                    order[w].push_back(i);
                };
                l->admit_intent(document_named(id), std::nullopt, check);
                l->submitted(id, request(id), check);
                l->finished(id, done_at({1, 0, 1}), check);
                if (!l->find(id)) ++failures;
                if (i % 10 == 0 && !l->counts()) ++failures;
            }
        });
    for (std::thread& t : threads)
        t.join();
    CHECK_FALSE(l->close());
    guard.reset();
    runner.join();
    CHECK(failures == 0);
    CHECK(elsewhere == 0);
    REQUIRE(order.size() == writers);
    for (auto const& [w, seen] : order) {
        CHECK(seen.size() == 3 * documents);
        CHECK(std::is_sorted(seen.begin(), seen.end()));
    }
    l.reopen();
    CHECK(l->counts().value()[done] == writers * documents);
}
