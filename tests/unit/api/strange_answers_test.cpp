// Any JSON with a text, if it is the answer to every read, must become a result with that text.
#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/ocr_result.hpp>

#include "support/read_again.hpp"
#include "support/strange_answer.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace ocrpipe;

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
        result_reading const r = tests::read_until_decided(body, std::chrono::seconds(10)).last;
        CAPTURE(std::string(r.row));
        bool const is_done = r.what == result_verdict::done || r.what == result_verdict::done_in_part;
        CHECK(is_done);
        bool const has_text =
            ocr_result("req", body, completeness::whole, 1).text().find(answer.text()) != std::string::npos;
        CHECK(has_text);
        if (!is_done || !has_text) break;
    }
}
