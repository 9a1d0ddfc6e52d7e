#include <ocrpipe/bulk/ledger/ledger.hpp>

#include <doctest/doctest.h>

#include <set>

using namespace ocrpipe;
using enum document_state;

namespace
{

std::vector<document_state> const all{found,     intent, submitted, done, failed,
                                      ambiguous, stuck,  expired,   lost, skipped};

} // namespace

TEST_CASE("document_state: each state -> a name of its own that leads back to it")
{
    std::set<std::string_view> names;
    for (document_state const s : all) {
        names.insert(name(s));
        CHECK(document_state_named(name(s)) == s);
    }
    CHECK(names.size() == document_state_count);
    CHECK_FALSE(document_state_named("found"));
    CHECK_FALSE(document_state_named(""));
    CHECK_FALSE(document_state_named("DONE"));
}

TEST_CASE("document_state: the names in the database -> those that were promised")
{
    std::string names;
    for (document_state const s : all)
        (names += name(s)) += ' ';
    CHECK(names == "new intent submitted done failed ambiguous stuck expired lost skipped ");
}

TEST_CASE("may_become: every pair of states -> as the map of a document's life says")
{
    auto const allowed = [](document_state from, document_state to) -> std::string_view {
        if (may_become(from, to, false)) return "always";
        return may_become(from, to, true) ? "if changed" : "never";
    };
    struct row {
        document_state from;
        std::set<document_state> always;
        std::set<document_state> if_changed;
    };
    std::vector<row> const rows{
        {found, {intent, skipped}, {}},
        {intent, {found, submitted, failed, ambiguous}, {}},
        {submitted, {done, failed, stuck, expired, lost}, {}},
        {done, {}, {intent, skipped}},
        {failed, {intent, skipped}, {}},
        {ambiguous, {intent, submitted, skipped}, {}},
        {stuck, {done, failed, stuck, expired, lost}, {intent, skipped}},
        {expired, {intent, skipped}, {}},
        {lost, {intent, skipped}, {}},
        {skipped, {intent}, {skipped}},
    };
    REQUIRE(rows.size() == document_state_count);
    for (row const& r : rows)
        for (document_state const to : all) {
            CAPTURE(name(r.from));
            CAPTURE(name(to));
            CHECK(allowed(r.from, to) == (r.always.contains(to)       ? "always"
                                          : r.if_changed.contains(to) ? "if changed"
                                                                      : "never"));
        }
}

TEST_CASE("may_become: a document whose request_id is polled -> never sent again, whatever changed")
{
    CHECK_FALSE(may_become(submitted, intent, true));
    CHECK_FALSE(may_become(submitted, found, true));
    CHECK_FALSE(may_become(submitted, ambiguous, true));
}

TEST_CASE("document_states: a list -> contains those and no others")
{
    document_states const some{intent, lost};
    for (document_state const s : all)
        CHECK(some.contains(s) == (s == intent || s == lost));
    CHECK(document_states().empty());
    CHECK_FALSE(document_states::open().contains(done));
    CHECK(document_states::open().contains(submitted));
}

TEST_CASE("parameters_fingerprint: known parameters -> the word that is in ledgers already")
{
    // Another word would make every document of every ledger look changed, and be paid for again.
    CHECK(parameters_fingerprint("single", "invoice", file_type::detect) == "68a0dfe9fe333c85");
    std::vector<std::pair<std::string, std::string>> const fields{{"lang", "vi"}};
    CHECK(parameters_fingerprint("single", "invoice", file_type::pdf, fields) == "2a36e4269132c75e");
}

TEST_CASE("parameters_fingerprint: any one field differs, or moves to its neighbour -> another word")
{
    using fields = std::vector<std::pair<std::string, std::string>>;
    std::set<std::string> words;
    std::size_t count = 0;
    auto const add = [&](std::string_view flow, std::string_view doc_type, enum file_type type,
                         fields const& extra) {
        words.insert(parameters_fingerprint(flow, doc_type, type, extra));
        CHECK(words.size() == ++count);
    };
    add("single", "invoice", file_type::detect, {});
    add("singlei", "nvoice", file_type::detect, {});
    add("single", "invoic", file_type::detect, {});
    add("single", "invoice", file_type::pdf, {});
    add("single", "invoice", file_type::image, {});
    add("single", "invoice", file_type::detect, {{"", ""}});
    add("single", "invoice", file_type::detect, {{"a", ""}});
    add("single", "invoice", file_type::detect, {{"", "a"}});
    add("", "", file_type::detect, {});
}

TEST_CASE("ledger_handler: a callable that can only be moved -> called through the handler it was moved into")
{
    error_code seen;
    ledger_handler first = [&seen, owned = std::make_unique<int>(7)](error_code ec) {
        seen = *owned == 7 ? ec : error_code();
    };
    ledger_handler second = std::move(first);
    CHECK_FALSE(first);
    REQUIRE(second);
    second(errc::ledger_failed);
    CHECK(seen == errc::ledger_failed);
    CHECK_FALSE(ledger_handler());
}
