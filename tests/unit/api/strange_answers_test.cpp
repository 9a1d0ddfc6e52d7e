// Any JSON with a text in it, answered again and again, is a result with that text.
#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/ocr_result.hpp>

#include "support/strange_answer.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace ocrpipe;
using std::chrono::seconds;

TEST_CASE(
    "read_result: any JSON with a text outside bookkeeping, answered repeatedly -> done within the settle "
    "window, with the text")
{
    for (std::uint32_t seed = 0; seed != 20'000; ++seed) {
        std::mt19937 random(seed);
        tests::strange_answer answer(
            [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); });
        std::string const body = answer.make();
        CAPTURE(seed);
        CAPTURE(body);
        result_history history;
        reading r;
        seconds at{0};
        for (; at <= default_profile().settle_time; at += seconds(2)) {
            http_response got;
            got.status = 200;
            got.content_type = "application/json";
            got.body = body;
            r = read_result(exchange_result(std::move(got)), history, default_profile(), "req", false,
                            clock::time_point(seconds(1000) + at));
            if (r.what != verdict::pending) break;
        }
        CAPTURE(std::string(r.row));
        bool const is_done = r.what == verdict::done || r.what == verdict::done_in_part;
        CHECK(is_done);
        bool const has_text =
            ocr_result("req", body, completeness::whole, 1).text().find(answer.text()) != std::string::npos;
        CHECK(has_text);
        if (!is_done || !has_text) break;
    }
}
