// Makes JSON with a text from the input; it must be a result with that text. See support/strange_answer.hpp.
#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/ocr_result.hpp>

#include "fuzz/fuzz_input.hpp"
#include "support/read_again.hpp"
#include "support/strange_answer.hpp"

#include <cstddef>
#include <string>

using namespace ocrpipe;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    // Each byte makes one choice; a missing byte chooses the first possibility.
    tests::strange_answer answer([&](std::size_t n) {
        if (size == 0) return std::size_t(0);
        --size;
        return static_cast<std::size_t>(*data++) % n;
    });
    std::string const body = answer.make();
    result_reading const r = tests::read_until_decided(body, std::chrono::seconds(10)).last;
    require(r.what == result_verdict::done || r.what == result_verdict::done_in_part,
            "a text is a result within the settle window");
    require(ocr_result("req", body, completeness::whole, 1).text().find(answer.text()) != std::string::npos,
            "the text of a result is shown");
    return 0;
}
