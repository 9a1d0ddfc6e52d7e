#include "support/fault_vfs.hpp"
#include "support/open_ledger.hpp"

#include <sys/stat.h>

using namespace ocrpipe;
using enum document_state;

TEST_CASE("sqlite_ledger: intents that a process left behind -> ambiguous, and no other row is touched")
{
    temp_directory dir;
    {
        open_ledger l(dir.path());
        CHECK(l->interrupted_intents_to_ambiguous().value() == 0);
        for (char const* id : {"a", "b", "c", "d"})
            CHECK_FALSE(l.intent(document_named(id)));
        CHECK_FALSE(l.submitted("c", request("r")));
        CHECK_FALSE(l.not_sent("d"));
        CHECK(l->interrupted_intents_to_ambiguous().error().is(errc::invalid_argument));
    }
    open_ledger l(dir.path());
    l.now_ms = 77;
    CHECK(l->interrupted_intents_to_ambiguous().value() == 2);
    CHECK(l.row("a").state == ambiguous);
    CHECK(l.row("a").failure_class == "ambiguous_submit");
    CHECK(l.row("a").finished_at == 77);
    CHECK(l.row("b").state == ambiguous);
    CHECK(l.row("c").state == submitted);
    CHECK(l.row("d").state == found);
    CHECK(l->interrupted_intents_to_ambiguous().value() == 0);
}

TEST_CASE("sqlite_ledger: the row of an earlier request_id -> only what was kept of that submit")
{
    temp_directory dir;
    open_ledger l(dir.path());
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.submitted("a", request("first")));
    CHECK_FALSE(l.finished("a", ended(lost, errc::job_lost)));
    CHECK_FALSE(l.intent(document_named("a")));
    std::optional<ledger_row> const then = l->find_request("first").value();
    REQUIRE(then);
    CHECK(then->request_id == "first");
    CHECK(then->sha256.empty()); // the document may have changed since
    CHECK(then->doc_type.empty());
    CHECK(then->size == 0);
    CHECK(then->intent_at == 0);
    CHECK(then->attempts == 0);
}

TEST_CASE("sqlite_ledger: an index of contents -> there and used once it was asked for, not before")
{
    temp_directory dir;
    open_ledger l(dir.path());
    auto const plan = [&] {
        return sqlite_answer(dir.path() / "ledger.db",
                             "EXPLAIN QUERY PLAN SELECT id FROM document d WHERE substr(d.sha256, 1, 8) = "
                             "substr(x'00', 1, 8) AND d.state = 'done'");
    };
    std::string const index = "document_done_content";
    CHECK(plan().find(index) == std::string::npos);
    CHECK_FALSE(l.outcome([&](auto h) { l->index_content(std::move(h)); }));
    CHECK(plan().find(index) != std::string::npos);
}

TEST_CASE("sqlite_ledger: what is in the files -> theirs alone to read, and in the shell it explains itself")
{
    ::mode_t const before = ::umask(0);
    temp_directory dir;
    open_ledger l(dir.path());
    CHECK_FALSE(l.intent(document_named("a")));
    ::umask(before);
    std::size_t files = 0;
    for (auto const& entry : std::filesystem::directory_iterator(dir.path())) {
        CAPTURE(entry.path().filename().string());
        ++files;
        struct ::stat status {
        };
        REQUIRE(::stat(entry.path().c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0600);
    }
    CHECK(files == 4); // the database, its log, the log's index, the lock

    std::filesystem::path const db = dir.path() / "ledger.db";
    CHECK(sqlite_answer(db, "SELECT state, id, path FROM document_for_people") == "intent|a|in/a");
    CHECK(sqlite_answer(db, "SELECT sha256 FROM document_for_people") == hash_of("a"));
    CHECK(l->metadata("schema_version").value() == "3");
    CHECK(sqlite_answer(db, "SELECT sql FROM sqlite_schema WHERE name = 'document'").find("-- ") !=
          std::string::npos);
}

TEST_CASE("sqlite_ledger: a closed ledger -> one file and the lock, and reads fail")
{
    temp_directory dir;
    open_ledger l(dir.path());
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l->close());
    CHECK_FALSE(std::filesystem::exists(dir.path() / "ledger.db-wal"));
    CHECK_FALSE(std::filesystem::exists(dir.path() / "ledger.db-shm"));
    CHECK(l->find("a").error().is(errc::ledger_failed));
    CHECK(l->look_up("a", "in/a", 1, 1, "").error().is(errc::ledger_failed));
    CHECK(l->counts().error().is(errc::ledger_failed));
    open_ledger again(dir.path());
    CHECK(again.row("a").state == intent);
}
