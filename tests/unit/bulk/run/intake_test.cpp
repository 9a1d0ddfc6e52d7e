#include <ocrpipe/bulk/ledger/ledger_source.hpp>
#include <ocrpipe/bulk/run/detail/intake.hpp>
#include <ocrpipe/bulk/source/examine.hpp>

#include "support/open_ledger.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <set>
#include <string>

using namespace ocrpipe;
using detail::intake;
using detail::intake_options;
using detail::prepared;
using detail::prepared_document;
using enum document_state;

namespace
{

/// A folder with documents and a ledger.
struct bench {
    bench() : ledger(dir.path()) {}

    input_item item(std::string const& name, std::string const& content)
    {
        input found = detail::examine_path(dir.write(name, content).string(), {});
        input_item i = std::get<input_item>(std::move(found));
        i.id = name;
        return i;
    }

    intake make(intake_options o = {})
    {
        o.flow = "single";
        if (o.doc_type.empty()) o.doc_type = "invoice";
        return intake(std::move(o), ledger.share());
    }

    /// Brings a document's row into a state, as a run does.
    void bring(input_item const& i, std::string const& content, document_state to)
    {
        ledger_document d = document_named(i.id, content);
        d.path = i.path;
        d.size = i.size;
        d.mtime_ns = i.mtime_ns;
        REQUIRE_FALSE(ledger.intent(d));
        if (to == intent) return;
        if (to == found) return static_cast<void>(ledger.not_sent(i.id));
        if (to == ambiguous)
            return static_cast<void>(ledger.finished(i.id, ended(ambiguous, errc::ambiguous_submit)));
        REQUIRE_FALSE(ledger.submitted(i.id, request("r-" + i.id)));
        if (to == submitted) return;
        if (to == done) return static_cast<void>(ledger.finished(i.id, done_at({1, 0, 10})));
        REQUIRE_FALSE(ledger.finished(i.id, ended(to, errc::job_failed)));
    }

    temp_directory dir;
    open_ledger ledger;
};

bool is_sent(std::optional<prepared> const& p) { return p && std::holds_alternative<prepared_document>(*p); }

} // namespace

TEST_CASE("intake: a document that the ledger does not know -> hashed, with the run's parameters")
{
    bench b;
    intake in = b.make();
    auto const p = in.prepare(b.item("a.pdf", "content"));
    REQUIRE(is_sent(p));
    auto const& d = std::get<prepared_document>(*p);
    CHECK(d.record.sha256 == hash_of("content"));
    CHECK(d.record.doc_type == "invoice");
    CHECK(d.record.parameters == parameters_fingerprint("single", "invoice", file_type::detect));
    CHECK_FALSE(d.was);
}

TEST_CASE("intake: a document in memory -> hashed and kept; sent again only if its bytes have changed")
{
    bench b;
    auto const in_memory = [](std::string const& bytes) {
        input_item i;
        i.id = i.path = "a.pdf";
        i.doc = document::from_bytes(bytes, "a.pdf");
        return i;
    };
    intake in = b.make();
    auto const p = in.prepare(in_memory("content"));
    REQUIRE(is_sent(p));
    auto const& d = std::get<prepared_document>(*p);
    CHECK(d.record.sha256 == hash_of("content"));
    CHECK(d.record.size == 7);
    CHECK(d.record.mtime_ns == 0);
    CHECK(*d.doc.bytes() == "content");
    b.bring(in_memory("content"), "content", done);
    CHECK_FALSE(in.prepare(in_memory("content")).has_value());
    CHECK(is_sent(in.prepare(in_memory("CONTENT"))));

    input_item empty = in_memory("");
    auto const problem = in.prepare(empty);
    REQUIRE(problem.has_value());
    CHECK(std::get<input_problem>(*problem).code == errc::empty_document);
    empty.doc = document::from_file("a.pdf");
    CHECK(std::get<input_problem>(in.prepare(empty).value()).code == errc::invalid_argument);
}

TEST_CASE("intake: an unchanged document in each state -> only what was never sent is sent")
{
    for (document_state const s : {found, intent, submitted, done, failed, ambiguous, stuck, expired, lost}) {
        CAPTURE(name(s));
        bench b;
        input_item const i = b.item("a.pdf", "content");
        b.bring(i, "content", s);
        intake in = b.make();
        CHECK(is_sent(in.prepare(i)) == (s == found));
    }
}

TEST_CASE("intake: told to take up what failed -> failed, ambiguous, expired and lost ones only")
{
    std::set<document_state> const wanted{found, failed, ambiguous, expired, lost};
    for (document_state const s : {found, intent, submitted, done, failed, ambiguous, stuck, expired, lost}) {
        CAPTURE(name(s));
        bench b;
        input_item const i = b.item("a.pdf", "content");
        b.bring(i, "content", s);
        intake_options o;
        o.resend = [](ledger_row const&) { return true; };
        intake in = b.make(std::move(o));
        auto const p = in.prepare(i);
        CHECK(is_sent(p) == wanted.contains(s));
        if (p) CHECK(std::get<prepared_document>(*p).was.value().state == s);
    }
}

TEST_CASE("intake: content or parameters changed -> sent again, unless a job is under way")
{
    std::set<document_state> const wanted{found, done, failed, ambiguous, expired, lost};
    for (document_state const s : {found, intent, submitted, done, failed, ambiguous, stuck, expired, lost}) {
        CAPTURE(name(s));
        bench b;
        b.bring(b.item("a.pdf", "content"), "content", s);
        CHECK(is_sent(b.make().prepare(b.item("a.pdf", "others"))) == wanted.contains(s));
        intake_options receipts;
        receipts.doc_type = "receipt";
        receipts.accept_changes = true;
        CHECK(is_sent(b.make(std::move(receipts)).prepare(b.item("a.pdf", "content"))) == wanted.contains(s));
    }
}

TEST_CASE("intake: what has a result is to be read otherwise, and that was not accepted -> a problem")
{
    for (document_state const s : {done, failed}) {
        CAPTURE(name(s));
        bench b;
        b.bring(b.item("a.pdf", "content"), "content", s);
        intake_options receipts;
        receipts.doc_type = "receipt";
        auto const p = b.make(std::move(receipts)).prepare(b.item("a.pdf", "content"));
        REQUIRE(p);
        CHECK(std::holds_alternative<input_problem>(*p) == (s == done));
    }
}

TEST_CASE("intake: held in doubt -> so is the document, and not what replaced it")
{
    bench b;
    b.bring(b.item("a.pdf", "content"), "content", ambiguous);
    intake_options o;
    o.resend = [](ledger_row const&) { return true; };
    intake in = b.make(std::move(o));
    auto const same = in.prepare(b.item("a.pdf", "content"));
    REQUIRE(is_sent(same));
    CHECK(std::get<prepared_document>(*same).was_ambiguous);
    auto const other = in.prepare(b.item("a.pdf", "others"));
    REQUIRE(is_sent(other));
    CHECK_FALSE(std::get<prepared_document>(*other).was_ambiguous);
}

TEST_CASE(
    "intake: a row whose file was edited since -> no result of the earlier content, and no doubt about it")
{
    std::string const sha256 = document_named("a.pdf", "content").sha256;
    auto const prepare = [&](std::string const& content, std::string request_id, std::string sent) {
        bench b;
        intake in = b.make();
        input_item i = b.item("a.pdf", content);
        i.in_doubt = request_id.empty();
        i.request_id = std::move(request_id);
        i.sha256 = std::move(sent);
        i.where = "failures.jsonl:1";
        return in.prepare(std::move(i));
    };
    for (std::string const& sent : {sha256, std::string()}) {
        auto const same = prepare("content", "r-1", sent);
        REQUIRE(is_sent(same));
        CHECK(std::get<prepared_document>(*same).request_id == "r-1");
        auto const held = prepare("content", "", sent);
        REQUIRE(is_sent(held));
        CHECK(std::get<prepared_document>(*held).in_doubt);
    }
    auto const edited = prepare("edited!", "r-1", sha256);
    REQUIRE(edited);
    REQUIRE(std::holds_alternative<input_problem>(*edited));
    auto const& problem = std::get<input_problem>(*edited);
    CHECK(problem.code == errc::invalid_argument);
    CHECK(problem.where == "failures.jsonl:1");
    CHECK(problem.message.find("was changed since it was sent as request r-1") != std::string::npos);
    auto const other = prepare("edited!", "", sha256);
    REQUIRE(is_sent(other));
    CHECK_FALSE(std::get<prepared_document>(*other).in_doubt);
}

TEST_CASE("intake: a document that is known, its row's file edited -> a problem, whatever state it is in")
{
    for (document_state const state : {submitted, stuck, lost, expired, failed}) {
        bench b;
        b.bring(b.item("a.pdf", "content"), "content", state);
        intake_options o;
        o.resend = [](ledger_row const&) { return true; };
        intake in = b.make(std::move(o));
        input_item i = b.item("a.pdf", "edited!");
        i.request_id = "r-a.pdf";
        i.sha256 = document_named("a.pdf", "content").sha256;
        auto const got = in.prepare(std::move(i));
        CHECK_MESSAGE((!got || std::holds_alternative<input_problem>(*got)), name(state));
    }
}

TEST_CASE("intake: a file that was only touched or moved -> passed over by its content")
{
    bench b;
    input_item i = b.item("a.pdf", "content");
    b.bring(i, "content", done);
    i.mtime_ns += 1;
    CHECK_FALSE(b.make().prepare(i));
    input_item moved = b.item("elsewhere/a.pdf", "content");
    moved.id = "a.pdf";
    CHECK_FALSE(b.make().prepare(moved));
}

TEST_CASE("intake: another document under an id that is taken -> a problem that names both")
{
    bench b;
    b.bring(b.item("a.pdf", "content"), "content", done);
    input_item other = b.item("b.pdf", "others");
    other.id = "a.pdf";
    auto const p = b.make().prepare(other);
    REQUIRE(p);
    auto const& problem = std::get<input_problem>(*p);
    CHECK(problem.code == errc::invalid_argument);
    CHECK(problem.path == other.path);
    CHECK(problem.message.find("a.pdf") != std::string::npos);
}

TEST_CASE("intake: a ledger that cannot be read -> a failure, never a document taken for new")
{
    bench b;
    input_item const i = b.item("a.pdf", "content");
    b.bring(i, "content", done);
    REQUIRE_FALSE(b.ledger->close());
    auto const p = b.make().prepare(i);
    REQUIRE(p);
    REQUIRE(std::holds_alternative<failure>(*p));
    CHECK(std::get<failure>(*p).is(errc::ledger_failed));
}

TEST_CASE("ledger_source: rows that are wanted -> their documents as they were read before; missing files "
          "are problems")
{
    bench b;
    for (std::string const name : {"a.pdf", "b.pdf", "gone.pdf", "fine.pdf"})
        b.bring(b.item(name, name), name, name == "fine.pdf" ? done : failed);
    std::filesystem::remove(b.dir.path() / "gone.pdf");
    ledger_source s(b.ledger.share(), {failed}, [](ledger_row const& r) { return r.id != "b.pdf"; });
    std::optional<input> first = s.next();
    REQUIRE(first);
    auto const& item = std::get<input_item>(*first);
    CHECK(item.id == "a.pdf");
    CHECK(item.doc_type == "invoice");
    CHECK(item.size == 5);
    std::optional<input> const second = s.next();
    REQUIRE(second);
    CHECK(std::get<input_problem>(*second).path == (b.dir.path() / "gone.pdf").string());
    CHECK_FALSE(s.next());
    CHECK_FALSE(s.next());
}

TEST_CASE("ledger_source: a ledger that cannot be read -> one problem and the end")
{
    bench b;
    REQUIRE_FALSE(b.ledger->close());
    ledger_source s(b.ledger.share(), {failed}, [](ledger_row const&) { return true; });
    std::optional<input> const p = s.next();
    REQUIRE(p);
    CHECK(std::get<input_problem>(*p).code == errc::ledger_failed);
    CHECK_FALSE(s.next());
}

TEST_CASE("intake: rows of earlier runs -> repeated from the second time on; rows of this run -> every time")
{
    bench b;
    input_item const before = b.item("before.pdf", "content");
    b.bring(before, "content", done);
    intake_options o;
    o.rows_before = b.ledger->counts().value().last_number;
    CHECK(o.rows_before == 1);
    intake in = b.make(std::move(o));
    CHECK_FALSE(in.prepare(before));
    CHECK(in.repeated() == 0);
    CHECK_FALSE(in.prepare(before));
    CHECK(in.repeated() == 1);
    input_item const now = b.item("now.pdf", "other content");
    CHECK(is_sent(in.prepare(now)));
    b.bring(now, "other content", done);
    CHECK_FALSE(in.prepare(now));
    CHECK(in.repeated() == 2);
}

TEST_CASE("intake: a document that is sent again -> when it is listed again, it is repeated")
{
    bench b;
    input_item const old = b.item("a.pdf", "content");
    b.bring(old, "content", done);
    intake_options o;
    o.rows_before = 1;
    intake in = b.make(std::move(o));
    input_item const changed = b.item("a.pdf", "changed content");
    CHECK(is_sent(in.prepare(changed)));
    b.bring(changed, "changed content", submitted);
    CHECK_FALSE(in.prepare(changed));
    CHECK(in.repeated() == 1);
}

TEST_CASE(
    "intake: a document -> the size and time of its file when its bytes were read, whatever the source saw")
{
    bench b;
    input_item i = b.item("a.pdf", "content");
    std::int64_t const time = i.mtime_ns;
    i.mtime_ns = 1;
    intake in = b.make();
    std::optional<prepared> const p = in.prepare(i);
    REQUIRE(is_sent(p));
    auto const& d = std::get<prepared_document>(*p);
    CHECK(d.record.size == 7);
    CHECK(d.record.mtime_ns == time);
}
