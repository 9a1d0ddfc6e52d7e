#include "support/open_ledger.hpp"

using namespace ocrpipe;
using enum document_state;

TEST_CASE("memory_ledger: whether a later process can continue from it -> no, but from one in SQLite")
{
    CHECK_FALSE(ledger_in_memory()->survives_process());
    CHECK(sqlite_ledger_in_folder()->survives_process());
}

TEST_CASE("memory_ledger: closed -> its rows can still be read")
{
    ledger_in_memory l;
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l->close());
    CHECK(l.row("a").state == intent);
    CHECK(l->counts().value()[intent] == 1);
}

TEST_CASE("memory_ledger: the row of an earlier request_id -> as it was before the document was sent again")
{
    ledger_in_memory l;
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.submitted("a", request("first")));
    CHECK_FALSE(l.finished("a", ended(lost, errc::job_lost)));
    CHECK_FALSE(l.intent(document_named("a", "changed")));
    std::optional<ledger_row> const then = l->find_request("first").value();
    REQUIRE(then);
    CHECK(then->state == lost);
    CHECK(then->sha256 == hash_of("a"));
}
