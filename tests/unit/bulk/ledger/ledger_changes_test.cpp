#include "support/open_ledger.hpp"

#include <atomic>

// What every ledger does with changes, as ocrpipe::ledger promises.

using namespace ocrpipe;
using enum document_state;

namespace
{

/// A document with a result at the beginning of the first file.
void finish_first(open_ledger& l, std::string const& id)
{
    CHECK_FALSE(l.intent(document_named(id)));
    CHECK_FALSE(l.submitted(id, request("first")));
    CHECK_FALSE(l.finished(id, done_at({1, 0, 10})));
}

} // namespace

TEST_CASE_TEMPLATE("ledger: a document from intent to done -> every fact comes back, after reopening too",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    ledger_document d = document_named("a/invoice.pdf");
    d.type = file_type::pdf;
    Ledger l;
    {
        l.now_ms = 1'001;
        CHECK_FALSE(l.intent(d));
        CHECK(l.row(d.id).state == intent);
        CHECK(l.row(d.id).request_id.empty());
        l.now_ms = 1'002;
        submit_record r = request("req-1");
        r.file_ids = {"f\"1", "18446744073709551617", "vi\u1ec7t"};
        r.attempts = 2;
        r.sent_at = 990;
        r.accepted_at = 1'000;
        CHECK_FALSE(l.submitted(d.id, r));
        CHECK(l.row(d.id).state == submitted);
        CHECK(l.row(d.id).request_id == "req-1");
        CHECK(l.row(d.id).sent_at == 990);
        l.now_ms = 1'003;
        finish_record end = done_at({2, 300, 40}, 5);
        end.last_pending_at = 1'001;
        end.ready_at = 1'002;
        CHECK_FALSE(l.finished(d.id, end));
    }
    l.reopen();
    ledger_row const row = l.row(d.id);
    CHECK(row.id == d.id);
    CHECK(row.path == d.path);
    CHECK(row.sha256 == d.sha256);
    CHECK(row.size == d.size);
    CHECK(row.mtime_ns == d.mtime_ns);
    CHECK(row.flow == d.flow);
    CHECK(row.doc_type == d.doc_type);
    CHECK(row.type == file_type::pdf);
    CHECK(row.parameters == d.parameters);
    CHECK(row.state == done);
    CHECK(row.request_id == "req-1");
    CHECK(row.file_ids == std::vector<std::string>{"f\"1", "18446744073709551617", "vi\u1ec7t"});
    CHECK(row.failure_class.empty());
    CHECK(row.message.empty());
    CHECK_FALSE(row.possible_duplicate);
    CHECK(row.attempts == 2);
    CHECK(row.polls == 5);
    CHECK(row.result == result_location{2, 300, 40});
    CHECK(row.first_seen_at == 1'001);
    CHECK(row.intent_at == 1'001);
    CHECK(row.sent_at == 990); // kept
    CHECK(row.submitted_at == 1'000);
    CHECK(row.last_pending_at == 1'001);
    CHECK(row.ready_at == 1'002);
    CHECK(row.finished_at == 1'003);
}

TEST_CASE_TEMPLATE(
    "ledger: a refused document -> its class and message are kept, and forgotten when it is sent again",
    Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    CHECK_FALSE(l.intent(document_named("a")));
    finish_record f = ended(failed, errc::rejected, "the service refuses the request: 400");
    f.attempts = 3;
    f.sent_at = 995;
    CHECK_FALSE(l.finished("a", f));
    CHECK(l.row("a").state == failed);
    CHECK(l.row("a").sent_at == 995);
    CHECK(l.row("a").failure_class == "rejected");
    CHECK(l.row("a").message == f.message);
    CHECK(l.row("a").attempts == 3);
    l.now_ms = 2'000;
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK(l.row("a").failure_class.empty());
    CHECK(l.row("a").message.empty());
    CHECK(l.row("a").attempts == 0);
    CHECK(l.row("a").first_seen_at == 1'000);
    CHECK(l.row("a").intent_at == 2'000);
    CHECK(l.row("a").sent_at == 0);
    CHECK(l.row("a").finished_at == 0);
}

TEST_CASE_TEMPLATE("ledger: an illegal change, one of an unknown document or without its facts -> an error "
                   "for it alone, nothing written",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    CHECK_FALSE(l.intent(document_named("sent")));
    CHECK_FALSE(l.submitted("sent", request("r")));

    CHECK(l.intent(document_named("sent")) == errc::invalid_argument);
    CHECK(l.intent(document_named("sent", "changed")) == errc::invalid_argument);
    CHECK(l.submitted("sent", request("other")) == errc::invalid_argument);
    CHECK(l.not_sent("sent") == errc::invalid_argument);
    CHECK(l.skip(document_named("sent"), "x") == errc::invalid_argument);
    CHECK(l.finished("sent", ended(ambiguous, errc::ambiguous_submit)) == errc::invalid_argument);
    CHECK(l.finished("sent", ended(skipped, errc::ok)) == errc::invalid_argument);
    CHECK(l.finished("sent", finish_record()) == errc::invalid_argument); // done, but no place of the result
    CHECK(l.row("sent").state == submitted);
    CHECK(l.row("sent").request_id == "r");

    CHECK(l.submitted("unknown", request("r")) == errc::invalid_argument);
    CHECK(l.finished("unknown", done_at({1, 0, 1})) == errc::invalid_argument);
    CHECK(l.not_sent("unknown") == errc::invalid_argument);
    ledger_document unhashed = document_named("unhashed");
    unhashed.sha256.pop_back();
    CHECK(l.intent(unhashed) == errc::invalid_argument);
    CHECK_FALSE(l->find("unhashed").value());
    CHECK_FALSE(l.intent(document_named("new")));
    CHECK(l.submitted("new", request("")) == errc::invalid_argument);
    CHECK(l.row("new").state == intent);
    CHECK_FALSE(l->broken());
}

TEST_CASE_TEMPLATE("ledger: an illegal change between legal ones of one commit -> the others are made",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    std::vector<error_code> outcomes;
    auto const note = [&](error_code ec) { outcomes.push_back(ec); };
    l->admit_intent(document_named("a"), std::nullopt, note);
    l->not_sent("nobody", note);
    l->submitted("a", request("r"), note);
    l.settle();
    CHECK(outcomes == std::vector<error_code>{error_code(), errc::invalid_argument, error_code()});
    CHECK(l.row("a").state == submitted);
}

TEST_CASE_TEMPLATE("ledger: admitted for a row that is another by now -> refused, and the row stands", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    auto const admit = [&](std::optional<row_version> seen) {
        return l.outcome([&](auto h) { l->admit_intent(document_named("a"), seen, std::move(h)); });
    };
    CHECK_FALSE(admit(std::nullopt));
    finish_record lost;
    lost.state = ambiguous;
    lost.failure = errc::ambiguous_submit;
    CHECK_FALSE(l.finished("a", lost));
    row_version const held = l.row("a").version();
    CHECK(admit(std::nullopt) == errc::invalid_argument);
    CHECK(admit(row_version{failed, held.intent_at}) == errc::invalid_argument);
    CHECK(admit(row_version{held.state, held.intent_at - 1}) == errc::invalid_argument);
    CHECK(l.row("a").version() == held);
    CHECK_FALSE(admit(held));
    CHECK(l.row("a").state == intent);
}

TEST_CASE_TEMPLATE("ledger: a document with a result is sent again in vain -> the place of the result is "
                   "remembered, the row has none",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    finish_first(l, "a");
    finish_record in_vain;
    in_vain.state = failed;
    in_vain.failure = errc::job_failed;
    CHECK_FALSE(l.intent(document_named("a", "changed")));
    CHECK(l->last_result_location().value() == result_location{1, 0, 10});
    CHECK_FALSE(l.finished("a", in_vain));
    CHECK_FALSE(l.row("a").result);
    CHECK(l->last_result_location().value() == result_location{1, 0, 10});
}

TEST_CASE_TEMPLATE("ledger: a finished document comes again -> refused when the same, sent when its content "
                   "or parameters changed",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    finish_first(l, "a");
    CHECK(l.intent(document_named("a")) == errc::invalid_argument);

    CHECK_FALSE(l.intent(document_named("a", "changed")));
    CHECK(l.row("a").sha256 == hash_of("changed"));
    CHECK_FALSE(l.row("a").result);
    CHECK_FALSE(l.submitted("a", request("second")));
    CHECK_FALSE(l.finished("a", done_at({1, 10, 10})));

    ledger_document other_type = document_named("a", "changed");
    other_type.doc_type = "receipt";
    other_type.parameters = parameters_fingerprint(other_type.flow, other_type.doc_type, other_type.type);
    CHECK_FALSE(l.intent(other_type));
    CHECK(l.row("a").doc_type == "receipt");
}

TEST_CASE_TEMPLATE("ledger: an ambiguous document is resubmitted -> marked as a possible duplicate until its "
                   "content changes",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.finished("a", ended(ambiguous, errc::ambiguous_submit)));
    CHECK_FALSE(l.row("a").possible_duplicate);
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK(l.row("a").possible_duplicate);
    CHECK_FALSE(l.submitted("a", request("r")));
    CHECK(l.row("a").possible_duplicate);
    CHECK_FALSE(l.finished("a", done_at({1, 0, 1})));
    CHECK(l.row("a").possible_duplicate);
    CHECK_FALSE(l.intent(document_named("a", "changed")));
    CHECK_FALSE(l.row("a").possible_duplicate);
}

TEST_CASE_TEMPLATE("ledger: the request_id of an ambiguous document turns up -> submitted, with nothing left "
                   "of the doubt but its mark",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.finished("a", ended(ambiguous, errc::ambiguous_submit)));
    CHECK_FALSE(l.submitted("a", request("r")));
    ledger_row const row = l.row("a");
    CHECK(row.state == submitted);
    CHECK(row.request_id == "r");
    CHECK(row.failure_class.empty());
    CHECK(row.message.empty());
    CHECK(row.finished_at == 0);
    CHECK(l.submitted("a", request("s")) == errc::invalid_argument);
}

TEST_CASE_TEMPLATE("ledger: a submit that repeated itself in doubt -> marked as a possible duplicate", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    CHECK_FALSE(l.intent(document_named("a")));
    submit_record r = request("r");
    r.possible_duplicate = true;
    CHECK_FALSE(l.submitted("a", r));
    CHECK(l.row("a").possible_duplicate);
}

TEST_CASE_TEMPLATE(
    "ledger: an intent that was not sent -> new again, but ambiguous when an earlier submit was", Ledger,
    sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.not_sent("a"));
    CHECK(l.row("a").state == found);
    CHECK(l.row("a").intent_at == 0);
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.finished("a", ended(ambiguous, errc::ambiguous_submit)));
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.not_sent("a"));
    CHECK(l.row("a").state == ambiguous);
}

TEST_CASE_TEMPLATE("ledger: changes that record results -> the results are synced first, and only then",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    std::atomic<int> syncs = 0;
    std::optional<document_state> while_syncing; // read after the handler, which comes later
    l->sync_results_with([&] {
        ++syncs;
        while_syncing = l.row("a").state;
        return error_code();
    });
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.submitted("a", request("r")));
    CHECK(syncs == 0);
    CHECK_FALSE(l.finished("a", done_at({1, 0, 10})));
    CHECK(syncs == 1);
    CHECK(while_syncing == submitted);
    CHECK_FALSE(l.skip(document_named("copy of a", "a"), "a"));
    CHECK(syncs == 2);
    CHECK_FALSE(l.intent(document_named("b")));
    CHECK_FALSE(l.finished("b", ended(failed, errc::rejected)));
    CHECK(syncs == 2);
}

TEST_CASE_TEMPLATE(
    "ledger: the results cannot be synced -> no row becomes done, and every later change is refused", Ledger,
    sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    l->sync_results_with([] { return make_error_code(boost::system::errc::no_space_on_device); });
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.submitted("a", request("r")));
    CHECK(l.finished("a", done_at({1, 0, 10})) == errc::ledger_failed);
    CHECK(l.row("a").state == submitted);
    REQUIRE(l->broken());
    CHECK(l->broken()->is(errc::ledger_failed));
    CHECK(l->broken()->cause == boost::system::errc::no_space_on_device);
    CHECK(l.intent(document_named("b")) == errc::ledger_failed);
    CHECK_FALSE(l->find("b").value());
    CHECK(l->interrupted_intents_to_ambiguous().has_error());
    CHECK(l->close() == errc::ledger_failed);
}

TEST_CASE_TEMPLATE(
    "ledger: interrupted intents of an earlier process -> none at first, and refused after the first change",
    Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    CHECK(l->interrupted_intents_to_ambiguous().value() == 0);
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK(l->interrupted_intents_to_ambiguous().error().is(errc::invalid_argument));
    CHECK(l.row("a").state == intent);
}

TEST_CASE_TEMPLATE("ledger: closed -> later changes are cancelled, and closing again is fine", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l->close());
    CHECK_FALSE(l->close());
    CHECK(l.intent(document_named("b")) == errc::cancelled);
    CHECK_FALSE(l->broken());
}

TEST_CASE_TEMPLATE("ledger: closed while changes wait -> they are made, and their handlers run afterwards",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    std::vector<error_code> outcomes;
    for (int i = 0; i != 300; ++i)
        l->admit_intent(document_named(std::to_string(i)), std::nullopt,
                        [&](error_code ec) { outcomes.push_back(ec); });
    CHECK_FALSE(l->close());
    CHECK(outcomes.empty());
    l.ioc.run();
    CHECK(outcomes == std::vector<error_code>(300));
    l.reopen();
    CHECK(l->counts().value()[intent] == 300);
}

namespace
{

finish_record ended_as(completeness how_complete, result_location where, std::string replaces = {},
                       result_location replaced = {})
{
    finish_record f = done_at(where);
    f.how_complete = how_complete;
    f.replaces = std::move(replaces);
    f.replaced = replaced;
    return f;
}

std::vector<std::string> incomplete(open_ledger const& l, bool settled_too)
{
    std::vector<std::string> ids;
    std::uint64_t cursor = 0;
    for (;;) {
        auto const rows = l->incomplete_rows(settled_too, cursor, 2);
        REQUIRE(rows.has_value());
        if (rows->empty()) return ids;
        for (ledger_row const& row : *rows)
            ids.push_back(row.id);
    }
}

} // namespace

TEST_CASE_TEMPLATE(
    "ledger: results that are empty or in part -> told from whole ones, and listed for the next "
    "run",
    Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    int n = 0;
    for (auto const how : {completeness::empty, completeness::whole, completeness::in_part,
                           completeness::empty, completeness::empty}) {
        std::string const id = std::to_string(n++);
        CHECK_FALSE(l.intent(document_named(id)));
        CHECK_FALSE(l.submitted(id, request("r" + id)));
        finish_record end = ended_as(how, {1, static_cast<std::uint64_t>(10 * n), 10});
        end.ask_again = n != 4;
        CHECK_FALSE(l.finished(id, end));
    }
    l.reopen();
    CHECK(l.row("0").how_complete == completeness::empty);
    CHECK(l.row("0").ask_again);
    CHECK(l.row("1").how_complete == completeness::whole);
    CHECK_FALSE(l.row("1").ask_again);
    CHECK(l.row("2").how_complete == completeness::in_part);
    CHECK(l.row("3").how_complete == completeness::empty);
    CHECK_FALSE(l.row("3").ask_again);
    CHECK(incomplete(l, false) == std::vector<std::string>{"0", "2", "4"});
    CHECK(incomplete(l, true) == std::vector<std::string>{"0", "2", "3", "4"});
    document_counts const counts = l->counts().value();
    CHECK(counts[done] == 5);
    CHECK(counts.empty == 3);
    CHECK(counts.in_part == 1);
    CHECK(counts.to_ask_again == 3);
}

TEST_CASE_TEMPLATE("ledger: an empty result is replaced -> the new place; refused for another request_id, a "
                   "whole result, or a document that was sent again",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    finish_first(l, "whole");
    CHECK(l.finished("whole", ended_as(completeness::whole, {1, 50, 10}, "first", {1, 10, 10})) ==
          errc::invalid_argument);
    ledger_document const d = document_named("a");
    CHECK_FALSE(l.intent(d));
    CHECK_FALSE(l.submitted("a", request("r-1")));
    CHECK_FALSE(l.finished("a", ended_as(completeness::empty, {1, 10, 10})));
    CHECK(l.finished("a", ended_as(completeness::whole, {1, 60, 10})) == errc::invalid_argument);
    CHECK(l.finished("a", ended_as(completeness::whole, {1, 60, 10}, "r-2", {1, 10, 10})) ==
          errc::invalid_argument);
    CHECK(l.finished("a", ended_as(completeness::in_part, {1, 60, 10}, "r-1", {1, 20, 10})) ==
          errc::invalid_argument);
    CHECK_FALSE(l.finished("a", ended_as(completeness::in_part, {1, 60, 10}, "r-1", {1, 10, 10})));
    CHECK(l.row("a").how_complete == completeness::in_part);
    CHECK_FALSE(l.finished("a", ended_as(completeness::whole, {1, 70, 10}, "r-1", {1, 60, 10})));
    l.reopen();
    CHECK(l.row("a").result == result_location{1, 70, 10});
    CHECK(l.row("a").how_complete == completeness::whole);
    CHECK(l.row("a").polls == 3);
    CHECK(l.finished("a", ended_as(completeness::whole, {1, 80, 10}, "r-1", {1, 70, 10})) ==
          errc::invalid_argument);
    CHECK(incomplete(l, true).empty());

    // Its file changes while the service is asked.
    CHECK_FALSE(l.intent(document_named("b")));
    CHECK_FALSE(l.submitted("b", request("r-3")));
    CHECK_FALSE(l.finished("b", ended_as(completeness::empty, {1, 80, 10})));
    CHECK_FALSE(l.outcome([&](ledger_handler h) {
        l->admit_intent(document_named("b", "other content"), l.row("b").version(), std::move(h));
    }));
    CHECK(l.row("b").how_complete == completeness::whole);
    CHECK(l.finished("b", ended_as(completeness::whole, {1, 90, 10}, "r-3", {1, 80, 10})) ==
          errc::invalid_argument);
    CHECK_FALSE(l.submitted("b", request("r-4")));
    CHECK(l.finished("b", ended_as(completeness::whole, {1, 90, 10}, "r-3", {1, 80, 10})) ==
          errc::invalid_argument);
    CHECK(l.row("b").state == submitted);
}

TEST_CASE_TEMPLATE("ledger: a copy of an empty result -> as empty as that, and replaced like that", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    ledger_document const copy = document_named("copy", "a");
    auto const skip = [&](result_location from, result_location to) { return l.skip(copy, {"a", from, to}); };
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.submitted("a", request("r-1")));
    CHECK_FALSE(l.finished("a", ended_as(completeness::empty, {1, 10, 10})));
    CHECK_FALSE(skip({1, 10, 10}, {1, 20, 10}));
    CHECK(l.row("copy").how_complete == completeness::empty);
    CHECK(l.row("copy").ask_again);
    CHECK(incomplete(l, false) == std::vector<std::string>{"a", "copy"});
    CHECK(l->counts().value().empty == 2);

    CHECK_FALSE(l.finished("a", ended_as(completeness::whole, {1, 30, 10}, "r-1", {1, 10, 10})));
    CHECK(skip({1, 10, 10}, {1, 40, 10}) == errc::invalid_argument); // it was replaced meanwhile
    CHECK(l.row("copy").how_complete == completeness::empty);
    CHECK_FALSE(skip({1, 30, 10}, {1, 40, 10}));
    l.reopen();
    CHECK(l.row("copy").state == skipped);
    CHECK(l.row("copy").result == result_location{1, 40, 10});
    CHECK(l.row("copy").how_complete == completeness::whole);
    CHECK(skip({1, 30, 10}, {1, 50, 10}) == errc::invalid_argument);
    CHECK(l->counts().value().total() == 2);
}

TEST_CASE_TEMPLATE("ledger: a document has no result, or is sent again -> it has no copies", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    auto const skip = [&](std::string const& original) {
        return l.skip(document_named("copy", "a"), {original, {1, 10, 10}, {1, 20, 10}});
    };
    CHECK(skip("a") == errc::invalid_argument);
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.submitted("a", request("r-1")));
    CHECK(skip("a") == errc::invalid_argument);
    CHECK_FALSE(l.finished("a", ended_as(completeness::whole, {1, 10, 10})));
    CHECK_FALSE(l.intent(document_named("a", "other content")));
    CHECK(skip("a") == errc::invalid_argument);
    CHECK(l->counts().value().total() == 1);
}

TEST_CASE_TEMPLATE("ledger: the doc_types of documents with a request_id -> known as accepted", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    for (std::string const type : {"invoice", "receipt", "unknown"}) {
        for (std::string const id : {"1", "2"}) {
            ledger_document d = document_named(type + id);
            d.doc_type = type;
            CHECK_FALSE(l.intent(d));
            if (type == "unknown")
                CHECK_FALSE(l.finished(d.id, ended(ambiguous, errc::ambiguous_submit)));
            else
                CHECK_FALSE(l.submitted(d.id, request("r" + d.id)));
        }
    }
    l.reopen();
    CHECK(l->counts().value().accepted_doc_types == std::set<std::string, std::less<>>{"invoice", "receipt"});
}
