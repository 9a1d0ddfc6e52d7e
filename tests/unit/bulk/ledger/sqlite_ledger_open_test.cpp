#include "support/fault_vfs.hpp"
#include "support/open_ledger.hpp"

#include <fstream>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace ocrpipe;
using enum document_state;

namespace
{

std::string why(open_ledger const& l)
{
    REQUIRE(l.opening_failure);
    CHECK(l.opening_failure->is(errc::ledger_failed));
    return l.opening_failure->reason;
}

bool has(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A process that holds a ledger, with one intent in it, until it is killed.
class other_process
{
public:
    explicit other_process(std::filesystem::path const& folder)
    {
        int ready[2];
        REQUIRE(::pipe(ready) == 0);
        pid_ = ::fork();
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) hold(folder, ready[1]);
        ::close(ready[1]);
        char word = 0;
        CHECK(::read(ready[0], &word, 1) == 1);
        CHECK(word == 'y');
        ::close(ready[0]);
    }
    ~other_process() { kill(); }

    ::pid_t pid() const { return pid_; }

    void kill()
    {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

private:
    [[noreturn]] static void hold(std::filesystem::path const& folder, int ready)
    {
        boost::asio::io_context ioc(1);
        auto l = open_sqlite_ledger(ioc, open_ledger::options_for(folder));
        char word = 'n';
        if (l) {
            (*l)->admit_intent(document_named("from another process"), std::nullopt,
                               [&](error_code ec) { word = ec ? 'n' : 'y'; });
            (*l)->flush({});
            ioc.run();
        }
        if (::write(ready, &word, 1) != 1) ::_exit(1);
        for (;;)
            ::pause();
    }

    ::pid_t pid_ = 0;
};

} // namespace

TEST_CASE("open_sqlite_ledger: another process has the ledger -> refused, naming it; free once it was "
          "killed, with all that it had made durable")
{
    temp_directory dir;
    other_process other(dir.path());
    {
        open_ledger l(dir.path());
        REQUIRE(l.opening_failure);
        CHECK(l.opening_failure->is(errc::ledger_in_use));
        CHECK(
            has(l.opening_failure->reason, "ledger.lock is held by process " + std::to_string(other.pid())));
    }
    // The shell and `ocrpipe status` can look meanwhile.
    CHECK(sqlite_answer(dir.path() / "ledger.db", "SELECT state FROM document") == "intent");
    {
        sqlite_ledger_options o = open_ledger::options_for(dir.path());
        o.read_only = true;
        open_ledger look(o);
        CHECK(look.row("from another process").state == intent);
    }
    std::string const path = (dir.path() / "ledger.db").string();
    CHECK(sqlite_ledger_holder(path) == "process " + std::to_string(other.pid()));
    other.kill();
    CHECK(!sqlite_ledger_holder(path));
    CHECK(!sqlite_ledger_holder((dir.path() / "none.db").string()));
    open_ledger l(dir.path());
    CHECK(l.row("from another process").state == intent);
    CHECK(l->interrupted_intents_to_ambiguous().value() == 1);
}

TEST_CASE("open_sqlite_ledger: the same process has the ledger -> refused until it is closed")
{
    temp_directory dir;
    open_ledger first(dir.path());
    CHECK_FALSE(first.opening_failure);
    open_ledger second(dir.path());
    REQUIRE(second.opening_failure);
    CHECK(second.opening_failure->is(errc::ledger_in_use));
    CHECK_FALSE(first->close());
    CHECK_FALSE(open_ledger(dir.path()).opening_failure);
}

TEST_CASE("open_sqlite_ledger: read only -> sees what another commits, and changes nothing")
{
    temp_directory dir;
    open_ledger l(dir.path());
    CHECK_FALSE(l.intent(document_named("a")));
    sqlite_ledger_options o = open_ledger::options_for(dir.path());
    o.read_only = true;
    open_ledger look(o);
    CHECK(look.row("a").state == intent);
    CHECK_FALSE(l.submitted("a", request("r")));
    CHECK(look.row("a").state == submitted);
    CHECK(look->counts().value()[submitted] == 1);
    CHECK(look.intent(document_named("b")) == errc::invalid_argument);
    CHECK(look->interrupted_intents_to_ambiguous().error().is(errc::invalid_argument));
    CHECK_FALSE(look->close());
    CHECK_FALSE(l.finished("a", done_at({1, 0, 1})));
}

TEST_CASE("open_sqlite_ledger: read only, with no ledger there -> an error, and nothing is created")
{
    temp_directory dir;
    sqlite_ledger_options o = open_ledger::options_for(dir.path());
    o.read_only = true;
    open_ledger l(o);
    CHECK(has(why(l), "ledger.db"));
    CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("open_sqlite_ledger: no such folder -> an error with the system's reason")
{
    temp_directory dir;
    open_ledger l(dir.path() / "none");
    CHECK(has(why(l), "none/ledger.lock"));
    CHECK(l.opening_failure->cause == boost::system::errc::no_such_file_or_directory);
}

TEST_CASE("open_sqlite_ledger: options out of range -> refused before anything is touched")
{
    temp_directory dir;
    std::vector<sqlite_ledger_options> bad(5, open_ledger::options_for(dir.path()));
    bad[0].path.clear();
    bad[1].max_batch_rows = 0;
    bad[2].max_delay = std::chrono::milliseconds(-1);
    bad[3].checkpoint_pages = 0;
    bad[4].max_delay = std::chrono::hours(2);
    for (sqlite_ledger_options const& o : bad) {
        open_ledger l(o);
        REQUIRE(l.opening_failure);
        CHECK(l.opening_failure->is(errc::invalid_argument));
    }
    CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("open_sqlite_ledger: a text file in its place -> an error, and the file is untouched")
{
    temp_directory dir;
    std::string const text =
        "this is no database, however long it may be, and it must not be taken for one\n";
    dir.write("ledger.db", text);
    open_ledger l(dir.path());
    CHECK(has(why(l), "not a database"));
    CHECK(dir.read("ledger.db") == text);
}

TEST_CASE("open_sqlite_ledger: somebody else's database in its place -> an error, and the file is untouched")
{
    temp_directory dir;
    CHECK(sqlite_answer(dir.path() / "ledger.db",
                        "CREATE TABLE address(name TEXT); INSERT INTO address VALUES('x')") == "");
    std::string const before = dir.read("ledger.db");
    {
        open_ledger l(dir.path());
        CHECK(has(why(l), "not a ledger of ocrpipe"));
    }
    CHECK(dir.read("ledger.db") == before);
}

TEST_CASE("open_sqlite_ledger: a newer ledger -> an error that names both versions, and nothing is changed")
{
    temp_directory dir;
    {
        open_ledger l(dir.path());
        CHECK_FALSE(l.intent(document_named("a")));
    }
    sqlite_answer(dir.path() / "ledger.db", "PRAGMA user_version = 7; PRAGMA wal_checkpoint(TRUNCATE)");
    std::string const before = dir.read("ledger.db");
    {
        open_ledger l(dir.path());
        CHECK(has(why(l), "schema version 7"));
        CHECK(has(why(l), "only versions 1 to 3"));
    }
    CHECK(dir.read("ledger.db") == before);
}

namespace
{

/// The changes of a later version, taken back.
constexpr char to_version_2[] =
    "DROP VIEW document_for_people; ALTER TABLE document DROP COLUMN sent_at; "
    "ALTER TABLE document DROP COLUMN last_pending_at; ALTER TABLE document DROP COLUMN ready_at; "
    "CREATE VIEW document_for_people AS SELECT number, state, id FROM document; "
    "UPDATE metadata SET value = '2' WHERE key = 'schema_version'; PRAGMA user_version = 2;";

} // namespace

TEST_CASE(
    "open_sqlite_ledger: a ledger of version 2 -> read as it is, and upgraded by the run that continues "
    "it, with the new times")
{
    temp_directory dir;
    {
        open_ledger l(dir.path());
        for (char const* const id : {"a", "b", "c"})
            CHECK_FALSE(l.intent(document_named(id)));
        l.now_ms = 1'005;
        CHECK_FALSE(l.submitted("a", request("r")));
        CHECK_FALSE(l.submitted("b", request("r-b")));
        finish_record empty = done_at({1, 0, 10});
        empty.how_complete = completeness::empty;
        CHECK_FALSE(l.finished("b", std::move(empty)));
        CHECK_FALSE(l.submitted("c", request("r-c")));
        CHECK_FALSE(l.finished("c", ended(lost, errc::job_lost)));
        CHECK_FALSE(l.intent(document_named("c")));
    }
    std::filesystem::path const db = dir.path() / "ledger.db";
    sqlite_answer(db, to_version_2);
    {
        sqlite_ledger_options o = open_ledger::options_for(dir.path());
        o.read_only = true;
        open_ledger look(o);
        CHECK(look.row("a").submitted_at == 1'005);
        CHECK(look.row("a").sent_at == 0);
        CHECK(look->find_request("r").value());
        CHECK(look->find_request("r-c").value()->submitted_at == 1'005); // of an earlier submit
        CHECK_FALSE(look->find_request("unknown").value());
        std::uint64_t cursor = 0;
        CHECK(look->incomplete_rows(true, cursor, 10).value().size() == 1);
        cursor = 0;
        CHECK(look->rows(document_states::all(), cursor, 10).value().size() == 3);
    }
    CHECK(sqlite_answer(db, "PRAGMA user_version") == "2");
    {
        open_ledger l(dir.path());
        CHECK(l->metadata("schema_version").value() == "3");
        CHECK(l.row("a").state == submitted);
        CHECK(l.row("a").intent_at == 1'000);
        CHECK(l.row("a").sent_at == 0);
        finish_record end = done_at({1, 20, 10});
        end.last_pending_at = 1'700'000'000'000;
        end.ready_at = 1'700'000'001'000;
        CHECK_FALSE(l.finished("a", end));
        CHECK(l.row("a").ready_at == end.ready_at);
    }
    CHECK(sqlite_answer(db, "SELECT last_pending_at, ready_at FROM document_for_people WHERE id = 'a'") ==
          "2023-11-14T22:13:20Z|2023-11-14T22:13:21Z");
    CHECK(sqlite_answer(db, "PRAGMA user_version") == "3");
}

TEST_CASE(
    "open_sqlite_ledger: a ledger of version 1 -> read as it is, and upgraded by the run that continues it")
{
    temp_directory dir;
    {
        open_ledger l(dir.path());
        CHECK_FALSE(l.intent(document_named("a")));
        CHECK_FALSE(l.submitted("a", request("r")));
    }
    std::filesystem::path const db = dir.path() / "ledger.db";
    sqlite_answer(db, to_version_2);
    sqlite_answer(
        db, "DROP TABLE missing_part; DROP INDEX document_incomplete; "
            "ALTER TABLE document DROP COLUMN completeness; ALTER TABLE document DROP COLUMN ask_again; "
            "UPDATE metadata SET value = '1' WHERE key = 'schema_version'; PRAGMA user_version = 1");
    {
        sqlite_ledger_options o = open_ledger::options_for(dir.path());
        o.read_only = true;
        open_ledger look(o);
        CHECK(look.row("a").state == submitted);
        CHECK(look->counts().value().parts_wanted == 0);
        CHECK(look->documents_lacking_parts().value().empty());
        CHECK(look.missing_parts("a") == "");
        CHECK(look.row("a").how_complete == completeness::whole);
    }
    CHECK(sqlite_answer(db, "PRAGMA user_version") == "1");
    for (int run = 0; run != 2; ++run) {
        open_ledger l(dir.path());
        CHECK(l->metadata("schema_version").value() == "3");
        CHECK(l.row("a").state == (run == 0 ? submitted : done));
        if (run != 0) continue;
        finish_record end = done_at({1, 0, 10});
        end.missing_parts = {lacking(0, "s")};
        end.how_complete = completeness::empty;
        CHECK_FALSE(l.finished("a", std::move(end)));
    }
    CHECK(sqlite_answer(db, "SELECT kind, sub_id FROM missing_part") == "stamp|s");
    CHECK(sqlite_answer(db, "SELECT completeness FROM document") == "empty");
    CHECK(sqlite_answer(db, "PRAGMA user_version") == "3");
}

TEST_CASE("open_sqlite_ledger: an empty file, as of a crash at the very beginning -> becomes a ledger")
{
    temp_directory dir;
    dir.write("ledger.db", "");
    open_ledger l(dir.path());
    CHECK_FALSE(l.intent(document_named("a")));
}

TEST_CASE("open_sqlite_ledger: a table is missing -> an error")
{
    temp_directory dir;
    {
        open_ledger l(dir.path());
    }
    sqlite_answer(dir.path() / "ledger.db", "DROP TABLE metadata");
    open_ledger l(dir.path());
    CHECK(has(why(l), "no such table: metadata"));
}

TEST_CASE("open_sqlite_ledger: a damaged database -> an error on opening or reading, never a document "
          "reported as absent")
{
    temp_directory dir;
    std::vector<std::string> ids;
    for (int i = 0; i != 2'000; ++i)
        ids.push_back("folder/document-" + std::to_string(i * 7919));
    {
        open_ledger l(dir.path());
        for (std::string const& id : ids)
            l->admit_intent(document_named(id), std::nullopt, {});
        l.settle();
    }
    std::string const whole = dir.read("ledger.db");
    auto const problems = [&](std::string const& content) {
        dir.write("ledger.db", content);
        open_ledger l(dir.path());
        if (l.opening_failure) return ids.size();
        std::size_t count = 0;
        for (std::string const& id : ids) {
            result<std::optional<ledger_row>> const row = l->find(id);
            if (!row) {
                CHECK(row.error().is(errc::ledger_failed));
                ++count;
            } else {
                REQUIRE(*row);
                CHECK((*row)->id == id);
            }
        }
        return count;
    };
    CHECK(problems(whole) == 0);
    CHECK(problems(whole.substr(0, whole.size() / 2)) > 0);
    std::string scribbled = whole;
    for (std::size_t page = 20; page < 60; page += 4)
        scribbled.replace(page * 4096, 4096, 4096, '\x5a');
    CHECK(problems(scribbled) > 0);
    CHECK(problems("SQLite format 3" + std::string(5000, '\0')) > 0);
}

TEST_CASE(
    "sqlite_ledger: a row with a state that nobody knows -> an error, never a document reported as absent")
{
    temp_directory dir;
    {
        open_ledger l(dir.path());
        CHECK_FALSE(l.intent(document_named("a")));
        CHECK_FALSE(l.intent(document_named("b")));
    }
    sqlite_answer(dir.path() / "ledger.db", "UPDATE document SET state = 'finished' WHERE id = 'a'");
    open_ledger l(dir.path());
    CHECK(l->find("a").error().is(errc::ledger_failed));
    CHECK(l->counts().error().is(errc::ledger_failed));
    CHECK(l.row("b").state == intent);
}
