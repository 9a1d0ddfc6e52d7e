#include "support/fault_vfs.hpp"
#include "support/open_ledger.hpp"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <sys/stat.h>

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

TEST_CASE("sqlite_ledger: a document from intent to done -> every fact comes back, after reopening too")
{
    temp_directory dir;
    ledger_document d = document_named("a/invoice.pdf");
    d.type = file_type::pdf;
    {
        open_ledger l(dir.path());
        l.now_ms = 1'001;
        CHECK_FALSE(l.intent(d));
        CHECK(l.row(d.id).state == intent);
        CHECK(l.row(d.id).request_id.empty());
        l.now_ms = 1'002;
        submit_record r = request("req-1");
        r.file_ids = {"f\"1", "18446744073709551617", "vi\u1ec7t"};
        r.attempts = 2;
        CHECK_FALSE(l.submitted(d.id, r));
        CHECK(l.row(d.id).state == submitted);
        CHECK(l.row(d.id).request_id == "req-1");
        l.now_ms = 1'003;
        CHECK_FALSE(l.finished(d.id, done_at({2, 300, 40}, 5)));
    }
    open_ledger l(dir.path());
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
    CHECK(row.sha256 == d.sha256);
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
    CHECK(row.submitted_at == 1'002);
    CHECK(row.finished_at == 1'003);
}

TEST_CASE("sqlite_ledger: a refused document -> its class and message are kept, and forgotten when it is "
          "sent again")
{
    temp_directory dir;
    open_ledger l(dir.path());
    CHECK_FALSE(l.intent(document_named("a")));
    finish_record f = ended(failed, errc::rejected, "the service refuses the request: 400");
    f.attempts = 3;
    CHECK_FALSE(l.finished("a", f));
    CHECK(l.row("a").state == failed);
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
    CHECK(l.row("a").finished_at == 0);
}

TEST_CASE("sqlite_ledger: an illegal change, one of an unknown document or without its facts -> an error for "
          "it alone, nothing written")
{
    temp_directory dir;
    open_ledger l(dir.path());
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

TEST_CASE("sqlite_ledger: an illegal change between legal ones of one commit -> the others are made")
{
    temp_directory dir;
    open_ledger l(dir.path());
    std::vector<error_code> outcomes;
    auto const note = [&](error_code ec) { outcomes.push_back(ec); };
    l->admit_intent(document_named("a"), std::nullopt, note);
    l->not_sent("nobody", note);
    l->submitted("a", request("r"), note);
    l.settle();
    CHECK(outcomes == std::vector<error_code>{error_code(), errc::invalid_argument, error_code()});
    CHECK(l.row("a").state == submitted);
}

TEST_CASE("sqlite_ledger: admitted for a row that is another by now -> refused, and the row stands")
{
    temp_directory dir;
    open_ledger l(dir.path());
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

TEST_CASE("sqlite_ledger: a document with a result is sent again in vain -> the place of the result is "
          "remembered, the row has none")
{
    temp_directory dir;
    open_ledger l(dir.path());
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

TEST_CASE("sqlite_ledger: a finished document comes again -> refused when the same, sent when its content or "
          "parameters changed")
{
    temp_directory dir;
    open_ledger l(dir.path());
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

TEST_CASE(
    "sqlite_ledger: a document that was paid for is sent again -> its earlier request_id is still found")
{
    temp_directory dir;
    open_ledger l(dir.path());
    l.now_ms = 5;
    CHECK_FALSE(l.intent(document_named("a")));
    submit_record r = request("first");
    r.file_ids = {"file-1"};
    CHECK_FALSE(l.submitted("a", r));
    CHECK_FALSE(l.finished("a", ended(lost, errc::job_lost)));
    l.now_ms = 9;
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l.submitted("a", request("second")));

    std::optional<ledger_row> const now = l->find_request("second").value();
    REQUIRE(now);
    CHECK(now->id == "a");
    CHECK(now->state == submitted);
    CHECK(now->submitted_at == 9);
    std::optional<ledger_row> const then = l->find_request("first").value();
    REQUIRE(then);
    CHECK(then->id == "a");
    CHECK(then->request_id == "first");
    CHECK(then->file_ids == std::vector<std::string>{"file-1"});
    CHECK(then->path == now->path);
    CHECK(then->state == lost);
    CHECK(then->submitted_at == 5);
    CHECK(then->finished_at == 5);
    CHECK(then->sha256.empty()); // the document may have changed since
    CHECK(then->doc_type.empty());
    CHECK(then->size == 0);
    CHECK(then->intent_at == 0);
    CHECK(then->attempts == 0);
    CHECK_FALSE(l->find_request("third").value());
}

TEST_CASE("sqlite_ledger: an ambiguous document is resubmitted -> marked as a possible duplicate until its "
          "content changes")
{
    temp_directory dir;
    open_ledger l(dir.path());
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

TEST_CASE(
    "sqlite_ledger: a document of which all that is known is as it was -> untouched; another -> touched; a "
    "new one -> nothing")
{
    temp_directory dir;
    open_ledger l(dir.path());
    ledger_document const d = document_named("a");
    CHECK_FALSE(l.intent(d));
    auto const look_up = [&](ledger_document const& x) {
        return l->look_up(x.id, x.path, x.size, x.mtime_ns, x.parameters).value();
    };
    auto const is_untouched = [&](ledger_document const& x) {
        std::optional<known_document> const known = look_up(x);
        return known && known->state == intent && known->untouched;
    };
    CHECK(is_untouched(d));
    CHECK_FALSE(look_up(document_named("b")));
    for (auto const& [name, change] : std::map<std::string, std::function<void(ledger_document&)>>{
             {"path", [](ledger_document& x) { x.path = "in/b"; }},
             {"size", [](ledger_document& x) { ++x.size; }},
             {"time", [](ledger_document& x) { ++x.mtime_ns; }},
             {"parameters", [](ledger_document& x) { x.parameters = "others"; }}}) {
        CAPTURE(name);
        ledger_document other = d;
        change(other);
        std::optional<known_document> const known = look_up(other);
        REQUIRE(known);
        CHECK(known->state == intent);
        CHECK_FALSE(known->untouched);
    }
    ledger_document by_path = document_named("in/c.pdf");
    by_path.path = by_path.id;
    CHECK_FALSE(l.intent(by_path));
    CHECK(is_untouched(by_path));
    CHECK_FALSE(l->close());
    CHECK(l->look_up("a", "in/a", 1, 1, "").has_error());
}

TEST_CASE(
    "sqlite_ledger: the request_id of an ambiguous document turns up -> submitted, with nothing left of "
    "the doubt but its mark")
{
    temp_directory dir;
    open_ledger l(dir.path());
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

TEST_CASE(
    "sqlite_ledger: a scan in the order of admission, with gaps, strangers and changes -> what each row "
    "says, whatever came before")
{
    constexpr int documents = 60;
    temp_directory dir;
    open_ledger l(dir.path());
    auto const named = [](int i) { return document_named(fmt::format("in/{:02}", i)); };
    for (int i = 0; i != documents; ++i)
        CHECK_FALSE(l.intent(named(i)));
    auto const state_of = [&](ledger_document const& d) -> std::optional<document_state> {
        std::optional<known_document> const known =
            l->look_up(d.id, d.path, d.size, d.mtime_ns, d.parameters).value();
        return known && known->untouched ? std::optional(known->state) : std::nullopt;
    };
    for (int round = 0; round != 3; ++round)
        for (int i = 0; i != documents; ++i) {
            if (round == 1 && i % 7 == 3) continue;
            if (round == 1 && i % 11 == 5) CHECK_FALSE(state_of(document_named("in/stranger")));
            if (round == 1 && i % 13 == 6) {
                ledger_document changed = named(i);
                ++changed.mtime_ns;
                CHECK_FALSE(state_of(changed));
            }
            document_state const expected = round == 2 && i < 30 ? submitted : intent;
            if (expected == submitted) CHECK_FALSE(l.submitted(named(i).id, request("r")));
            CHECK(state_of(named(i)) == expected);
        }
    for (int i = documents; i-- != 0;)
        CHECK(state_of(named(i)) == (i < 30 ? submitted : intent));
}

TEST_CASE("sqlite_ledger: a submit that repeated itself in doubt -> marked as a possible duplicate")
{
    temp_directory dir;
    open_ledger l(dir.path());
    CHECK_FALSE(l.intent(document_named("a")));
    submit_record r = request("r");
    r.possible_duplicate = true;
    CHECK_FALSE(l.submitted("a", r));
    CHECK(l.row("a").possible_duplicate);
}

TEST_CASE("sqlite_ledger: an intent that was not sent -> new again, but ambiguous when an earlier submit was")
{
    temp_directory dir;
    open_ledger l(dir.path());
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

TEST_CASE("sqlite_ledger: ids and paths of any bytes -> each its own row, found by exactly its bytes")
{
    temp_directory dir;
    std::vector<std::string> const ids{"",
                                       "plain",
                                       std::string("a\0b", 3),
                                       "a",
                                       std::string("a\0", 2),
                                       "\xff\xfe",
                                       "\xc3\x28",
                                       "\xed\xa0\x80",
                                       "h\u00f3a \u0111\u01a1n.pdf",
                                       "line\nbreak\r\n",
                                       "'; DROP TABLE document; --",
                                       "../../etc/passwd",
                                       "1",
                                       "1.0",
                                       "PLAIN",
                                       "plain ",
                                       std::string(255, 'x'),
                                       std::string(100'000, '\x80')};
    {
        open_ledger l(dir.path());
        for (std::size_t i = 0; i != ids.size(); ++i) {
            ledger_document d = document_named(ids[i], std::to_string(i));
            d.size = i;
            d.path = ids[ids.size() - 1 - i];
            CHECK_FALSE(l.intent(d));
            CHECK_FALSE(l.submitted(ids[i], request(ids[i] + "-request")));
        }
    }
    open_ledger l(dir.path());
    for (std::size_t i = 0; i != ids.size(); ++i) {
        ledger_row const row = l.row(ids[i]);
        CHECK(row.id == ids[i]);
        CHECK(row.path == ids[ids.size() - 1 - i]);
        CHECK(row.size == i);
        CHECK(row.request_id == ids[i] + "-request");
        CHECK(l->find_request(ids[i] + "-request").value()->id == ids[i]);
    }
    CHECK(l->counts().value().total() == ids.size());
    CHECK_FALSE(l->find("Plain").value());
    CHECK_FALSE(l->find(std::string_view("plain\0", 6)).value());
}

TEST_CASE("sqlite_ledger: rows of some states, in small pieces -> each once, in the order of admission")
{
    temp_directory dir;
    open_ledger l(dir.path());
    for (int i = 0; i != 20; ++i) {
        std::string const id = std::to_string(99 - i);
        CHECK_FALSE(l.intent(document_named(id)));
        if (i % 2 == 0) CHECK_FALSE(l.submitted(id, request("r" + id)));
        if (i % 4 == 0) CHECK_FALSE(l.finished(id, done_at({1, static_cast<std::uint64_t>(i), 1})));
    }
    std::vector<std::string> seen;
    std::uint64_t cursor = 0;
    for (;;) {
        std::vector<ledger_row> const rows = l->rows({submitted, intent}, cursor, 4).value();
        if (rows.empty()) break;
        CHECK(rows.size() <= 4);
        for (ledger_row const& r : rows)
            seen.push_back(r.id);
    }
    std::vector<std::string> expected;
    for (int i = 0; i != 20; ++i)
        if (i % 4 != 0) expected.push_back(std::to_string(99 - i));
    CHECK(seen == expected);

    document_counts const counts = l->counts().value();
    CHECK(counts[intent] == 10);
    CHECK(counts[submitted] == 5);
    CHECK(counts[done] == 5);
    CHECK(counts[found] == 0);
    CHECK(counts.total() == 20);
    cursor = 0;
    CHECK(l->rows({}, cursor, 4).value().empty());
}

TEST_CASE("sqlite_ledger: a place in the order -> stays good while rows before it change")
{
    temp_directory dir;
    open_ledger l(dir.path());
    for (char const* id : {"a", "b", "c"}) {
        CHECK_FALSE(l.intent(document_named(id)));
        CHECK_FALSE(l.submitted(id, request(id)));
    }
    std::uint64_t cursor = 0;
    CHECK(l->rows({submitted}, cursor, 2).value().size() == 2);
    CHECK_FALSE(l.finished("a", done_at({1, 0, 1})));
    std::vector<ledger_row> const rest = l->rows({submitted}, cursor, 2).value();
    REQUIRE(rest.size() == 1);
    CHECK(rest[0].id == "c");
}

TEST_CASE("sqlite_ledger: content whose result there is -> found only with the same parameters, and only "
          "while done")
{
    temp_directory dir;
    open_ledger l(dir.path());
    ledger_document const d = document_named("a", "content");
    CHECK_FALSE(l->find_done_by_content(d.sha256, d.parameters).value());
    CHECK_FALSE(l.intent(d));
    CHECK_FALSE(l.submitted("a", request("r")));
    CHECK_FALSE(l->find_done_by_content(d.sha256, d.parameters).value());
    CHECK_FALSE(l.finished("a", done_at({1, 5, 6})));
    std::optional<ledger_row> const row = l->find_done_by_content(d.sha256, d.parameters).value();
    REQUIRE(row);
    CHECK(row->id == "a");
    CHECK(row->result == result_location{1, 5, 6});
    CHECK_FALSE(l->find_done_by_content(d.sha256, "others").value());
    CHECK_FALSE(l->find_done_by_content(hash_of("other content"), d.parameters).value());
    CHECK_FALSE(l->find_done_by_content("no hash", d.parameters).value());

    CHECK_FALSE(l.skip(document_named("copy", "content"), "a"));
    CHECK(l.row("copy").state == skipped);
    CHECK(l.row("copy").duplicate_of == "a");
    CHECK(l->find_done_by_content(d.sha256, d.parameters).value()->id == "a");
    CHECK_FALSE(l.intent(document_named("copy", "content")));
    CHECK(l.row("copy").duplicate_of.empty());
}

TEST_CASE(
    "sqlite_ledger: an index of contents, asked for late and twice -> finds what was done before and after")
{
    temp_directory dir;
    open_ledger l(dir.path());
    auto const done = [&](std::string const& id) {
        CHECK_FALSE(l.intent(document_named(id)));
        CHECK_FALSE(l.submitted(id, request("r" + id)));
        CHECK_FALSE(l.finished(id, done_at({1, 5, 6})));
    };
    auto const finds = [&](std::string const& id) {
        ledger_document const d = document_named(id);
        std::optional<ledger_row> const row = l->find_done_by_content(d.sha256, d.parameters).value();
        return row && row->id == id;
    };
    done("before");
    auto const plan = [&] {
        return sqlite_answer(dir.path() / "ledger.db",
                             "EXPLAIN QUERY PLAN SELECT id FROM document d WHERE substr(d.sha256, 1, 8) = "
                             "substr(x'00', 1, 8) AND d.state = 'done'");
    };
    std::string const index = "document_done_content";
    CHECK(plan().find(index) == std::string::npos);
    for (int i = 0; i != 2; ++i)
        CHECK_FALSE(l.outcome([&](auto h) { l->index_content(std::move(h)); }));
    CHECK(plan().find(index) != std::string::npos);
    done("after");
    CHECK(finds("before"));
    CHECK(finds("after"));
    CHECK_FALSE(finds("never"));
}

TEST_CASE("sqlite_ledger: two contents whose hashes begin alike -> told apart")
{
    temp_directory dir;
    open_ledger l(dir.path());
    ledger_document d = document_named("a");
    CHECK_FALSE(l.intent(d));
    CHECK_FALSE(l.submitted("a", request("r")));
    CHECK_FALSE(l.finished("a", done_at({1, 0, 1})));
    std::string other = d.sha256;
    other.back() = other.back() == '0' ? '1' : '0';
    CHECK_FALSE(l->find_done_by_content(other, d.parameters).value());
    CHECK(l->find_done_by_content(d.sha256, d.parameters).value());
}

TEST_CASE("sqlite_ledger: results in several files -> the last one is the last line of the last file")
{
    temp_directory dir;
    open_ledger l(dir.path());
    CHECK_FALSE(l->last_result_location().value());
    std::vector<result_location> const places{{1, 900, 5}, {2, 0, 7}, {2, 70, 9}, {1, 950, 5}};
    for (std::size_t i = 0; i != places.size(); ++i) {
        std::string const id = std::to_string(i);
        CHECK_FALSE(l.intent(document_named(id)));
        CHECK_FALSE(l.submitted(id, request(id)));
        CHECK_FALSE(l.finished(id, done_at(places[i])));
    }
    CHECK(l->last_result_location().value() == result_location{2, 70, 9});
}

TEST_CASE("sqlite_ledger: facts of the run -> kept, replaced, and there after reopening")
{
    temp_directory dir;
    {
        open_ledger l(dir.path());
        CHECK_FALSE(l->metadata("base_url").value());
        CHECK_FALSE(l.outcome([&](auto h) { l->set_metadata("base_url", "http://one", std::move(h)); }));
        CHECK_FALSE(l.outcome([&](auto h) { l->set_metadata("base_url", "http://two", std::move(h)); }));
        CHECK_FALSE(l.outcome([&](auto h) { l->set_metadata("empty", "", std::move(h)); }));
    }
    open_ledger l(dir.path());
    CHECK(l->metadata("base_url").value() == "http://two");
    CHECK(l->metadata("empty").value() == "");
    CHECK(l->metadata("created_at").value() == "1000");
    CHECK(l->metadata("schema_version").value() == "1");
    CHECK(l->metadata("ocrpipe_version").value() == OCRPIPE_VERSION_STRING);
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
    CHECK(sqlite_answer(db, "SELECT * FROM document_counts") == "intent||1");
    CHECK(sqlite_answer(db, "SELECT sql FROM sqlite_schema WHERE name = 'document'").find("-- ") !=
          std::string::npos);
}

TEST_CASE("sqlite_ledger: a closed ledger -> one file and the lock, later changes are cancelled, reads fail")
{
    temp_directory dir;
    open_ledger l(dir.path());
    CHECK_FALSE(l.intent(document_named("a")));
    CHECK_FALSE(l->close());
    CHECK_FALSE(l->close());
    CHECK_FALSE(std::filesystem::exists(dir.path() / "ledger.db-wal"));
    CHECK_FALSE(std::filesystem::exists(dir.path() / "ledger.db-shm"));
    CHECK(l.intent(document_named("b")) == errc::cancelled);
    CHECK(l->find("a").error().is(errc::ledger_failed));
    CHECK(l->counts().error().is(errc::ledger_failed));
    open_ledger again(dir.path());
    CHECK(again.row("a").state == intent);
    CHECK_FALSE(again->find("b").value());
}

TEST_CASE("sqlite_ledger: closed while changes wait -> they are made, and their handlers run afterwards")
{
    temp_directory dir;
    open_ledger l(dir.path());
    std::vector<error_code> outcomes;
    for (int i = 0; i != 300; ++i)
        l->admit_intent(document_named(std::to_string(i)), std::nullopt,
                        [&](error_code ec) { outcomes.push_back(ec); });
    CHECK_FALSE(l->close());
    CHECK(outcomes.empty());
    l.ioc.run();
    CHECK(outcomes == std::vector<error_code>(300));
    open_ledger again(dir.path());
    CHECK(again->counts().value()[intent] == 300);
}
