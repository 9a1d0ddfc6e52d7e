#ifndef TESTS_UNIT_JOB_SUBMIT_FIXTURE_HPP
#define TESTS_UNIT_JOB_SUBMIT_FIXTURE_HPP

#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/job/submit_fsm.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace submit_tests
{

using namespace ocrpipe;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline clock::time_point const t0 = clock::time_point() + std::chrono::hours(1000);
inline constexpr double nearly_one = 0.999999;

inline exchange_result answered(int status, std::string body = {}, std::string retry_after = {},
                                std::string date = {})
{
    http_response r;
    r.status = status;
    r.content_type = "application/json";
    r.body = std::move(body);
    r.retry_after = std::move(retry_after);
    r.date = std::move(date);
    return r;
}

inline exchange_result broken(errc code, bytes_sent sent)
{
    transport_failure f;
    f.code = code;
    f.cause = make_error_code(boost::system::errc::io_error);
    f.where = sent == bytes_sent::none ? phase::connect : phase::first_byte;
    f.sent = sent;
    f.detail = "ocr.example:443";
    return f;
}

inline exchange_result const accepted =
    answered(201, R"({"data":{"request_id":"r-1","file_ids":["f-1","f-2"]}})");
inline exchange_result const unreachable = broken(errc::connect_failed, bytes_sent::none);
inline exchange_result const cut_off = broken(errc::connection_closed, bytes_sent::some);
inline exchange_result const lost_answer = broken(errc::connection_closed, bytes_sent::all);
inline exchange_result const too_many = answered(429);

inline retry_policy resubmitting()
{
    retry_policy p;
    p.resubmit_ambiguous = true;
    return p;
}

/// One submit under test, with what most cases leave alone.
struct submit {
    explicit submit(retry_policy policy = {}, milliseconds deadline = seconds(3600))
        : retry(policy), fsm(t0 + deadline)
    {
    }

    action start() { return fsm.start({default_profile(), retry, t0, 0}); }
    action resume(exchange_result answer, clock::time_point now = t0, double random = 0)
    {
        fsm_context c{default_profile(),    retry,   now,    random, others_accepted, recoveries,
                      others_accepted != 0, patient, silent, answers};
        c.all_good_answers = others_accepted;
        c.all_throttled = throttled;
        c.is_last = is_last;
        c.in_trouble = in_trouble;
        c.others_may_probe = others_may_probe;
        return fsm.resume(answer, c);
    }
    failure failed()
    {
        auto r = std::move(fsm).outcome();
        REQUIRE(r.has_error());
        return r.error();
    }
    submitted_job succeeded()
    {
        auto r = std::move(fsm).outcome();
        REQUIRE(r.has_value());
        return *r;
    }

    retry_policy retry;
    std::uint32_t others_accepted = 0;
    std::uint32_t recoveries = 0;
    bool patient = false;
    bool silent = false;
    std::uint32_t answers = 0;
    std::uint32_t throttled = 0; ///< answers to all requests
    bool is_last = false;
    bool in_trouble = false;
    bool others_may_probe = false;
    submit_fsm fsm;
};

} // namespace submit_tests

#endif
