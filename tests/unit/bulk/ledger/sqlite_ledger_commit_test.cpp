#include "support/fault_vfs.hpp"
#include "support/open_ledger.hpp"

#include <algorithm>

using namespace ocrpipe;
using enum document_state;

namespace
{

using action = fault_vfs::action;

constexpr char const* database_file = "ledger.db";
constexpr char const* log_file = "ledger.db-wal";

/// The events since `from`, as words: "log write", "log sync", "db write", a note's own text, and so on;
/// repetitions count once.
std::string story(fault_vfs const& vfs, std::size_t from)
{
    std::string text, last;
    std::vector<fault_vfs::event> const events = vfs.events();
    for (std::size_t i = from; i < events.size(); ++i) {
        fault_vfs::event const& e = events[i];
        std::string word = e.what == action::note    ? e.bytes
                           : e.file == log_file      ? "log "
                           : e.file == database_file ? "db "
                                                     : "other ";
        if (e.what == action::write) word += "write";
        if (e.what == action::sync) word += "sync";
        if (e.what == action::truncate) word += "truncate";
        if (e.what == action::remove) word += "remove";
        if (word != last) text += (text.empty() ? "" : ", ") + word;
        last = word;
    }
    return text;
}

std::size_t count(fault_vfs const& vfs, std::size_t from, action what, std::string_view file)
{
    std::vector<fault_vfs::event> const events = vfs.events();
    return static_cast<std::size_t>(
        std::count_if(events.begin() + static_cast<std::ptrdiff_t>(from), events.end(),
                      [&](fault_vfs::event const& e) { return e.is(what, file); }));
}

} // namespace

TEST_CASE("group commit: a change -> written to the log, synced, and only then told")
{
    temp_directory dir;
    fault_vfs vfs;
    open_ledger l(dir.path(), vfs.name());
    std::size_t const from = vfs.events().size();
    l->admit_intent(document_named("a"), std::nullopt,
                    [&](error_code ec) { vfs.note(ec ? "failed" : "told"); });
    l.settle();
    CHECK(story(vfs, from) == "log write, log sync, told");
}

TEST_CASE("group commit: as many changes as a batch holds -> one sync for all, then their handlers in order")
{
    temp_directory dir;
    fault_vfs vfs;
    sqlite_ledger_options o = open_ledger::options_for(dir.path(), vfs.name());
    o.max_batch_rows = 250;
    open_ledger l(o);
    std::size_t const from = vfs.events().size();
    std::vector<int> order;
    for (int i = 0; i != 250; ++i)
        l->admit_intent(document_named(std::to_string(i)), std::nullopt, [&, i](error_code ec) {
            CHECK_FALSE(ec);
            order.push_back(i);
            vfs.note("told");
        });
    l.ioc.run(); // nobody flushes
    CHECK(story(vfs, from) == "log write, log sync, told");
    CHECK(count(vfs, from, action::sync, log_file) == 1);
    CHECK(order.size() == 250);
    CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE(
    "group commit: fewer changes than a batch holds -> committed when the oldest has waited long enough")
{
    temp_directory dir;
    for (int const delay_ms : {0, 1}) {
        fault_vfs vfs;
        sqlite_ledger_options o = open_ledger::options_for(dir.path(), vfs.name());
        o.max_delay = std::chrono::milliseconds(delay_ms);
        open_ledger l(o);
        error_code seen = errc::cancelled;
        l->set_metadata("key", "value", [&](error_code ec) { seen = ec; });
        l.ioc.run(); // nobody flushes, and nothing else keeps the context running
        CHECK_FALSE(seen);
        CHECK_FALSE(l->close());
    }
}

TEST_CASE("group commit: a flush with nothing before it -> told, and the disk is left alone")
{
    temp_directory dir;
    fault_vfs vfs;
    open_ledger l(dir.path(), vfs.name());
    std::size_t const from = vfs.events().size();
    CHECK_FALSE(l.outcome([&](auto h) { l->flush(std::move(h)); }));
    CHECK(story(vfs, from) == "");
}

TEST_CASE("group commit: many more changes than a commit takes -> several commits, each synced before its "
          "handlers run")
{
    temp_directory dir;
    fault_vfs vfs;
    open_ledger l(dir.path(), vfs.name());
    std::size_t const from = vfs.events().size();
    std::size_t told = 0;
    for (int i = 0; i != 2'500; ++i)
        l->admit_intent(document_named(std::to_string(i)), std::nullopt, [&](error_code ec) { told += !ec; });
    l.settle();
    CHECK(told == 2'500);
    CHECK(count(vfs, from, action::sync, log_file) == 3);
}

TEST_CASE("group commit: a handler asks for the next change -> made in a later commit, as in a run")
{
    temp_directory dir;
    sqlite_ledger_options o = open_ledger::options_for(dir.path());
    o.max_delay = std::chrono::milliseconds(0);
    open_ledger l(o);
    std::string story;
    l->admit_intent(document_named("a"), std::nullopt, [&](error_code ec) {
        story += ec ? "!" : "intent ";
        CHECK(l.row("a").state == intent);
        l->submitted("a", request("r"), [&](error_code ec) {
            story += ec ? "!" : "submitted ";
            CHECK(l.row("a").state == submitted);
            l->finished("a", done_at({1, 0, 1}), [&](error_code ec) {
                story += ec ? "!" : "done";
                CHECK(l.row("a").state == done);
            });
        });
    });
    l.ioc.run();
    CHECK(story == "intent submitted done");
}

TEST_CASE("checkpoint: at any moment -> the log is safe before the database is written, the database before "
          "the log is begun anew")
{
    temp_directory dir;
    fault_vfs vfs;
    sqlite_ledger_options o = open_ledger::options_for(dir.path(), vfs.name());
    o.checkpoint_pages = 8;
    open_ledger l(o);
    std::size_t const from = vfs.events().size();
    for (int i = 0; i != 60; ++i)
        CHECK_FALSE(l.first_intent(document_named(std::to_string(i))));
    std::vector<fault_vfs::event> const events = vfs.events();
    bool log_dirty = false;
    bool database_dirty = false;
    int database_writes = 0;
    int beginnings = 0;
    for (std::size_t i = from; i != events.size(); ++i) {
        fault_vfs::event const& e = events[i];
        if (e.is(action::write, log_file)) {
            if (e.offset == 0) {
                ++beginnings;
                CHECK_FALSE(database_dirty);
            }
            log_dirty = true;
        }
        if (e.is(action::sync, log_file)) log_dirty = false;
        if (e.is(action::write, database_file)) {
            ++database_writes;
            CHECK_FALSE(log_dirty);
            database_dirty = true;
        }
        if (e.is(action::sync, database_file)) database_dirty = false;
    }
    CHECK(database_writes > 20);
    CHECK(beginnings > 3);
}

TEST_CASE("checkpoint: somebody reads for a long time -> the log grows, the run goes on, and it shrinks "
          "again afterwards")
{
    temp_directory dir;
    fault_vfs vfs;
    sqlite_ledger_options o = open_ledger::options_for(dir.path(), vfs.name());
    o.checkpoint_pages = 8;
    open_ledger l(o);
    CHECK_FALSE(l.intent(document_named("first")));
    // A find keeps its view until there is something new; it must not hold up the log while nobody asks
    // again.
    CHECK(l.row("first").state == intent);
    std::size_t const from = vfs.events().size();
    for (int i = 0; i != 60; ++i)
        CHECK_FALSE(l.first_intent(document_named(std::to_string(i))));
    std::vector<fault_vfs::event> const events = vfs.events();
    CHECK(std::any_of(
        events.begin() + static_cast<std::ptrdiff_t>(from), events.end(),
        [](fault_vfs::event const& e) { return e.is(action::write, log_file) && e.offset == 0; }));
    CHECK(l->counts().value().total() == 61);
}
