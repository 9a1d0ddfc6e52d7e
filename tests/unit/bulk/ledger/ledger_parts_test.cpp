#include "support/open_ledger.hpp"

using namespace ocrpipe;
using enum document_state;

namespace
{

/// A document with a result that lacks some parts.
void finish(open_ledger& l, std::string const& id, result_location where, std::vector<missing_part> parts)
{
    CHECK_FALSE(l.intent(document_named(id)));
    CHECK_FALSE(l.submitted(id, request("r-" + id)));
    finish_record end = done_at(where);
    end.missing_parts = std::move(parts);
    CHECK_FALSE(l.finished(id, std::move(end)));
}

using ids = std::vector<std::string>;

} // namespace

TEST_CASE_TEMPLATE(
    "ledger: parts that a result lacks -> kept with what is known of them, after reopening too", Ledger,
    sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    finish(l, "whole", {1, 0, 10}, {});
    finish(l, "b", {1, 10, 10}, {lacking(0, "s-0"), lacking(4, "s\xff", errc::service_error, "500; why")});
    finish(l, "a", {1, 20, 10}, {lacking(1, "s-1", errc::body_too_large)});
    l.reopen();
    CHECK(l.missing_parts("b") == "0 stamp 1 s-0 ok \n4 stamp 5 s\xff service_error 500; why\n");
    CHECK(l.missing_parts("b", 1) == "4 stamp 5 s\xff service_error 500; why\n");
    CHECK(l.missing_parts("b", 0, 1) == "0 stamp 1 s-0 ok \n");
    CHECK(l.missing_parts("whole") == "");
    CHECK(l.missing_parts("unknown") == "");
    CHECK(l->documents_lacking_parts().value() == ids{"b", "a"});
    document_counts const counts = l->counts().value();
    CHECK(counts.parts_wanted == 1);
    CHECK(counts.parts_failed ==
          std::map<std::string, std::uint64_t>{{"body_too_large", 1}, {"service_error", 1}});
    CHECK(counts[done] == 3);
    CHECK(counts.by_class.empty());
}

TEST_CASE_TEMPLATE("ledger: parts were fetched -> the result is the new line, and lacks the rest", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    finish(l, "a", {1, 0, 10},
           {lacking(0, "s-0"), lacking(1, "s-1"), lacking(2, "s-2", errc::throttled, "slow")});
    parts_record some;
    some.from = {1, 0, 10};
    some.to = {1, 10, 20};
    some.listed = {0};
    some.failed = {lacking(1, "s-1", errc::service_error, "down"), lacking(2, "s-2", errc::read_timeout)};
    CHECK_FALSE(l.parts_fetched("a", some));
    l.reopen();
    CHECK(l.row("a").result == result_location{1, 10, 20});
    CHECK(l.row("a").state == done);
    CHECK(l.missing_parts("a") == "1 stamp 2 s-1 service_error down\n2 stamp 3 s-2 read_timeout \n");

    parts_record rest;
    rest.from = {1, 10, 20};
    rest.to = {2, 0, 20};
    rest.listed = {1, 2};
    CHECK_FALSE(l.parts_fetched("a", rest));
    l.reopen();
    CHECK(l->documents_lacking_parts().value().empty());
    CHECK(l->counts().value().parts_failed.empty());
    CHECK(l->last_result_location().value() == result_location{2, 0, 20});
}

TEST_CASE_TEMPLATE("ledger: parts of a result that is not the last one, or of no result -> refused", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    finish(l, "a", {1, 0, 10}, {lacking(0, "s-0")});
    parts_record r;
    r.from = {1, 5, 10};
    r.to = {1, 10, 20};
    r.listed = {0};
    CHECK(l.parts_fetched("a", r) == errc::invalid_argument);
    CHECK(l.parts_fetched("unknown", r) == errc::invalid_argument);
    CHECK_FALSE(l.intent(document_named("b")));
    CHECK(l.parts_fetched("b", r) == errc::invalid_argument);
    CHECK(l.missing_parts("a") == "0 stamp 1 s-0 ok \n");
    CHECK(l.row("a").result == result_location{1, 0, 10});
}

TEST_CASE_TEMPLATE("ledger: a document whose result lacks parts is sent again -> nothing is missing any more",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    finish(l, "a", {1, 0, 10}, {lacking(0, "s-0")});
    CHECK_FALSE(l.intent(document_named("a", "other content")));
    CHECK(l->documents_lacking_parts().value().empty());
    parts_record r;
    r.from = r.to = {1, 0, 10};
    CHECK(l.parts_fetched("a", r) == errc::invalid_argument);
}

TEST_CASE_TEMPLATE("ledger: a copy -> lacks what its original lacks, each on its own", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    finish(l, "a", {1, 0, 10}, {lacking(0, "s-0", errc::throttled, "slow"), lacking(3, "s-3")});
    CHECK_FALSE(l.skip(document_named("copy", "a"), "a"));
    CHECK(l.missing_parts("copy") == l.missing_parts("a"));
    parts_record r;
    r.from = l.row("copy").result.value();
    r.to = {1, 2000, 10};
    r.listed = {0, 3};
    CHECK_FALSE(l.parts_fetched("copy", r));
    CHECK(l->documents_lacking_parts().value() == ids{"a"});
    CHECK(l.row("copy").result == result_location{1, 2000, 10});
    CHECK(l.row("copy").state == skipped);
}

TEST_CASE_TEMPLATE("ledger: a new line of a result -> synced before its commit; without a new line there is "
                   "nothing to sync",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    int syncs = 0;
    l->sync_results_with([&syncs] {
        ++syncs;
        return error_code();
    });
    finish(l, "a", {1, 0, 10}, {lacking(0, "s-0")});
    CHECK(syncs == 1);
    parts_record r;
    r.from = r.to = {1, 0, 10};
    r.failed = {lacking(0, "s-0", errc::throttled)};
    CHECK_FALSE(l.parts_fetched("a", r));
    CHECK(syncs == 1);
    r.to = {1, 10, 10};
    CHECK_FALSE(l.parts_fetched("a", r));
    CHECK(syncs == 2);
}
