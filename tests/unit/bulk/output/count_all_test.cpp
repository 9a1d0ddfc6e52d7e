#include <ocrpipe/bulk/output/report.hpp>

#include "support/open_ledger.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;
using enum document_state;

TEST_CASE("count_all: every mix of states, with and without what the last run noted -> found is the sum of "
          "the others")
{
    for (bool const noted : {false, true}) {
        temp_directory dir;
        open_ledger l(dir.path());
        std::uint64_t without_row = 0;
        auto const check = [&](std::uint64_t rows) {
            run_report r;
            r.found = r.done = r.failed = r.unfinished = r.not_sent = r.repeated = 99; // of another run
            REQUIRE(count_all(*l.operator->(), r).has_value());
            CHECK(r.found == r.done + r.failed + r.unfinished + r.not_sent + r.repeated);
            CHECK(r.found == rows + without_row + r.repeated);
            return r;
        };
        check(0);
        if (noted) {
            without_row = 3;
            l->set_metadata(std::string(detail::documents_without_row), "3", {});
            l->set_metadata(std::string(detail::documents_repeated), "4", {});
            l.settle();
        }
        CHECK(check(0).repeated == (noted ? 4 : 0));
        std::uint64_t rows = 0;
        for (document_state const s :
             {intent, found, submitted, done, failed, ambiguous, stuck, expired, lost, skipped}) {
            std::string const id(name(s));
            CAPTURE(id);
            if (s == skipped) {
                REQUIRE_FALSE(l.skip(document_named(id, "done"), "done"));
            } else {
                REQUIRE_FALSE(l.intent(document_named(id)));
                if (s == found) REQUIRE_FALSE(l.not_sent(id));
                if (s == failed) REQUIRE_FALSE(l.finished(id, ended(failed, errc::rejected)));
                if (s == ambiguous) REQUIRE_FALSE(l.finished(id, ended(ambiguous, errc::ambiguous_submit)));
                if (s == submitted || s == done || s == stuck || s == expired || s == lost)
                    REQUIRE_FALSE(l.submitted(id, request("r-" + id)));
                if (s == done) REQUIRE_FALSE(l.finished(id, done_at({1, 0, 10})));
                if (s == stuck || s == expired || s == lost)
                    REQUIRE_FALSE(l.finished(id, ended(s, errc::job_lost)));
            }
            check(++rows);
        }
        run_report const all = check(10);
        CHECK(all.done == 2);
        CHECK(all.copies == 1);
        CHECK(all.failed == 5);
        CHECK(all.unfinished == 2);
        CHECK(all.not_sent == 1 + without_row);
        CHECK(l->counts().value().last_number == 10);
    }
}

TEST_CASE("count_all: parts that results lack -> counted by class, and no document is counted otherwise")
{
    temp_directory dir;
    open_ledger l(dir.path());
    REQUIRE_FALSE(l.intent(document_named("a")));
    REQUIRE_FALSE(l.submitted("a", request("r-1")));
    finish_record end = done_at({1, 0, 10});
    end.missing_parts = {lacking(0, "s-0", errc::throttled), lacking(1, "s-1"),
                         lacking(2, "s-2", errc::throttled), lacking(3, "s-3", errc::service_error)};
    REQUIRE_FALSE(l.finished("a", std::move(end)));
    run_report r;
    r.parts_failed = 99; // of another run
    REQUIRE(count_all(*l.operator->(), r).has_value());
    CHECK(r.parts_failed == 3);
    CHECK(r.parts_wanted == 1);
    CHECK(r.parts_failed_by_class ==
          std::map<std::string, std::uint64_t>{{"service_error", 1}, {"throttled", 2}});
    CHECK(r.done == 1);
    CHECK(r.failed == 0);
    run_report const again = parse_report(to_json(r)).value();
    CHECK(again.parts_failed_by_class == r.parts_failed_by_class);
    CHECK(again.parts_wanted == 1);
}
