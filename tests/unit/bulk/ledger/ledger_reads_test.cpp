#include "support/open_ledger.hpp"

#include <fmt/format.h>

#include <functional>
#include <map>

// What every ledger answers, as ocrpipe::ledger promises.

using namespace ocrpipe;
using enum document_state;

TEST_CASE_TEMPLATE(
    "ledger: a document that was paid for is sent again -> its earlier request_id is still found", Ledger,
    sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
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
    CHECK_FALSE(l->find_request("third").value());
    CHECK_FALSE(l->find_request("").value());
}

TEST_CASE_TEMPLATE("ledger: a document of which all that is known is as it was -> untouched; another -> "
                   "touched; a new one -> nothing",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
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
}

TEST_CASE_TEMPLATE("ledger: a scan in the order of admission, with gaps, strangers and changes -> what each "
                   "row says, whatever came before",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    constexpr int documents = 60;
    Ledger l;
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

TEST_CASE_TEMPLATE("ledger: ids and paths of any bytes -> each its own row, found by exactly its bytes",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
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
    Ledger l;
    for (std::size_t i = 0; i != ids.size(); ++i) {
        ledger_document d = document_named(ids[i], std::to_string(i));
        d.size = i;
        d.path = ids[ids.size() - 1 - i];
        CHECK_FALSE(l.intent(d));
        CHECK_FALSE(l.submitted(ids[i], request(ids[i] + "-request")));
    }
    l.reopen();
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

TEST_CASE_TEMPLATE("ledger: rows of some states, in small pieces -> each once, in the order of admission",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
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

TEST_CASE_TEMPLATE("ledger: a place in the order -> stays good while rows before it change", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
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

TEST_CASE_TEMPLATE(
    "ledger: documents that did not end well -> counted by their class, and possible duplicates apart",
    Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    CHECK(l->counts().value().last_number == 0);
    for (char const* id : {"a", "b", "c"})
        CHECK_FALSE(l.intent(document_named(id)));
    CHECK_FALSE(l.finished("a", ended(failed, errc::rejected)));
    CHECK_FALSE(l.finished("b", ended(ambiguous, errc::ambiguous_submit)));
    CHECK_FALSE(l.finished("c", ended(failed, errc::rejected)));
    using classes = std::map<std::string, std::uint64_t>;
    CHECK(l->counts().value().by_class == classes{{"rejected", 2}, {"ambiguous_submit", 1}});
    CHECK(l->counts().value().possible_duplicates == 0);
    CHECK_FALSE(l.intent(document_named("b")));
    CHECK(l->counts().value().by_class == classes{{"rejected", 2}});
    CHECK(l->counts().value().possible_duplicates == 1);
    CHECK(l->counts().value().last_number == 3);
    auto const number_of = [&](std::string_view id) { return l->look_up(id, "", 0, 0, "").value()->number; };
    CHECK(number_of("a") == 1);
    CHECK(number_of("c") == 3);
}

TEST_CASE_TEMPLATE(
    "ledger: an index of contents, asked for late and twice -> finds what was done before and after", Ledger,
    sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
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
    for (int i = 0; i != 2; ++i)
        CHECK_FALSE(l.outcome([&](auto h) { l->index_content(std::move(h)); }));
    done("after");
    CHECK(finds("before"));
    CHECK(finds("after"));
    CHECK_FALSE(finds("never"));
}

TEST_CASE_TEMPLATE(
    "ledger: content whose result there is -> found only with the same parameters, and only while done",
    Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
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

TEST_CASE_TEMPLATE("ledger: two contents whose hashes begin alike -> told apart", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    ledger_document d = document_named("a");
    CHECK_FALSE(l.intent(d));
    CHECK_FALSE(l.submitted("a", request("r")));
    CHECK_FALSE(l.finished("a", done_at({1, 0, 1})));
    std::string other = d.sha256;
    other.back() = other.back() == '0' ? '1' : '0';
    CHECK_FALSE(l->find_done_by_content(other, d.parameters).value());
    CHECK(l->find_done_by_content(d.sha256, d.parameters).value());
}

TEST_CASE_TEMPLATE("ledger: results in several files -> the last one is the last line of the last file",
                   Ledger, sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
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

TEST_CASE_TEMPLATE("ledger: facts of the run -> kept, replaced, and there after reopening", Ledger,
                   sqlite_ledger_in_folder, ledger_in_memory)
{
    Ledger l;
    CHECK_FALSE(l->metadata("base_url").value());
    CHECK_FALSE(l.outcome([&](auto h) { l->set_metadata("base_url", "http://one", std::move(h)); }));
    CHECK_FALSE(l.outcome([&](auto h) { l->set_metadata("base_url", "http://two", std::move(h)); }));
    CHECK_FALSE(l.outcome([&](auto h) { l->set_metadata("empty", "", std::move(h)); }));
    l.reopen();
    CHECK(l->metadata("base_url").value() == "http://two");
    CHECK(l->metadata("empty").value() == "");
    CHECK(l->metadata("created_at").value() == "1000");
    CHECK(l->metadata("ocrpipe_version").value() == OCRPIPE_VERSION_STRING);
}
