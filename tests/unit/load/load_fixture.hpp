#ifndef TESTS_UNIT_LOAD_LOAD_FIXTURE_HPP
#define TESTS_UNIT_LOAD_LOAD_FIXTURE_HPP

#include <ocrpipe/load/load_run.hpp>

#include "unit/client/client_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace load_tests
{

using namespace client_tests;

/// The service as the tests see it: a document's number decides what becomes of it. The job of document N has
/// the request_id "r-N".
struct service {
    std::function<exchange_result(std::uint64_t number)> submit = [](std::uint64_t n) { return accepts(n); };
    std::function<exchange_result(std::uint64_t number)> read = [](std::uint64_t) {
        return t::json(200, finished);
    };
    std::function<exchange_result(std::uint64_t number, std::string_view kind)> part =
        [](std::uint64_t, std::string_view) { return t::json(200, R"({"table":[1]})"); };

    static exchange_result accepts(std::uint64_t n)
    {
        std::string const number = std::to_string(n);
        return t::json(201, R"({"data":{"request_id":"r-)" + number + R"(","file_ids":["f-1","f-2"]}})");
    }

    exchange_result operator()(seen_request const& r) const
    {
        if (r.method == http_method::post) return submit(number_after(r.body, "name=\"file\"; filename=\""));
        std::uint64_t const n = number_after(r.target, "r-");
        if (r.target.find("ingest/r-") != std::string::npos) return read(n);
        std::size_t const from = r.target.find("ingest/") + 7;
        return part(n, std::string_view(r.target).substr(from, r.target.find('/', from) - from));
    }

    static std::uint64_t number_after(std::string const& text, std::string_view before)
    {
        std::size_t const at = text.find(before);
        REQUIRE_MESSAGE(at != std::string::npos, text);
        return std::stoull(text.substr(at + before.size()));
    }
};

inline std::string const failed_job =
    R"({"data":{"status":"FAILED","progress":{"total_doc":1,"ignored":0,"finished":1},"documents":[]}})";

/// Jobs that stay pending must not be all that the thread does.
class soon final : public poll_schedule
{
public:
    std::chrono::milliseconds next_delay(poll_context const&, double) const override
    {
        return std::chrono::milliseconds(1);
    }
};

inline client_options patient()
{
    client_options o = quick();
    o.schedule = std::make_shared<soon>();
    return o;
}

/// Runs a load test, and keeps what it reports.
struct test_run : fixture {
    explicit test_run(service s, load_options how, client_options o = patient())
        : client_(make(std::move(s), std::move(o))), run(ioc, client_, with_callbacks(std::move(how)))
    {
        run.start();
    }

    load_options with_callbacks(load_options how)
    {
        how.document = [](std::uint64_t n) {
            std::string const bytes = "%PDF-1.4 " + std::to_string(n);
            return load_document{
                submit_request(document::from_bytes(bytes, std::to_string(n) + ".pdf"), "INVOICE"),
                bytes.size()};
        };
        how.on_job = [this](job_record const& r, std::string_view name, std::string_view id) {
            CHECK(id == (is_known(r.accepted) ? "r-" + std::string(name.substr(0, name.find('.'))) : ""));
            CHECK(seen.emplace(std::string(name), r).second); // once
            if (after_job) after_job();
        };
        how.on_failure = [this](std::string_view, failure const&) { ++failures; };
        how.on_part_failure = [this](std::string_view, result_part const& p, failure const&) {
            failed_parts += std::string(name(p.kind)) + ' ';
        };
        how.on_end = [this] { ++ends; };
        return how;
    }

    /// Until the test ends.
    void finish()
    {
        auto const bound = clock::now() + std::chrono::seconds(60);
        while (ends == 0 && clock::now() < bound)
            ioc.run_one_for(std::chrono::seconds(1));
    }

    std::uint64_t ended_as(job_outcome o) const
    {
        std::uint64_t n = 0;
        for (auto const& [name, r] : seen)
            n += r.outcome == o;
        return n;
    }

    /// Each document that was due is in one place of each account.
    void check_accounts(std::uint64_t due, std::uint64_t done, std::uint64_t failed)
    {
        CHECK(ends == 1);
        load_statistics const s = run.statistics();
        CHECK(s.ended);
        CHECK(s.due == due);
        CHECK(s.done == done);
        CHECK(s.failed == failed);
        CHECK(s.given_up == due - done - failed);
        CHECK(s.fetching_parts == 0);
        CHECK(s.in_flight() == 0);
        CHECK(seen.size() == due);
        CHECK(ended_as(job_outcome::done) == done);
        CHECK(ended_as(job_outcome::failed) == failed);
        CHECK(ended_as(job_outcome::unfinished) == due - done - failed);
        CHECK(failures == failed);
        REQUIRE(run.jobs().size() == due);
        std::map<job_outcome, std::uint64_t> recorded;
        for (job_record const& r : run.jobs()) {
            ++recorded[r.outcome];
            CHECK(is_known(r.ended) == (r.outcome != job_outcome::unfinished));
            CHECK((r.error != errc::ok) == (r.outcome == job_outcome::failed));
        }
        CHECK(recorded[job_outcome::done] == done);
        CHECK(recorded[job_outcome::failed] == failed);
        CHECK(run.measurements().finished() == done);
        CHECK(run.measurements().failed() == failed);
        CHECK(run.measurements().in_flight() == 0);
        CHECK(run.measurements().latency(measured_phase::end_to_end).count() == done);
    }

    job_record const& job(std::uint64_t n) { return seen.at(std::to_string(n) + ".pdf"); }

    std::map<std::string, job_record> seen;
    std::function<void()> after_job;
    std::uint64_t failures = 0;
    std::string failed_parts;
    int ends = 0;
    client client_;
    load_run run;
};

inline load_options closed_loop(std::size_t concurrency, std::uint64_t documents)
{
    load_options o;
    o.arrivals.concurrency = concurrency;
    o.arrivals.max_documents = documents;
    return o;
}

inline load_options open_load(std::uint64_t documents)
{
    load_options o;
    o.arrivals.stages = {{10'000, 10'000, 60}};
    o.arrivals.max_documents = documents;
    return o;
}

/// Every fourth submit is refused, and every fourth job fails.
inline service mixed()
{
    service s;
    s.submit = [](std::uint64_t n) {
        return n % 4 == 1 ? t::json(415, R"({"message":"unsupported"})") : service::accepts(n);
    };
    s.read = [](std::uint64_t n) { return t::json(200, n % 4 == 2 ? failed_job : finished); };
    return s;
}

} // namespace load_tests

#endif
