#include <ocrpipe/load/generated_documents.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

using namespace ocrpipe;

TEST_CASE("document_generator: sizes without deviation -> each document has exactly the wanted size")
{
    for (std::uint64_t const wanted : {1'000u, 1'023u, 9'999u, 20'000u, 100'001u}) {
        document_generator const g({wanted, 0}, 7);
        for (std::uint64_t number : {0u, 9u, 10u, 99'999u}) {
            CAPTURE(number);
            CHECK(g.size(number) == wanted);
            CHECK(g.make(number).size() == wanted);
        }
    }
}

TEST_CASE("document_generator: a size below that of an empty page -> the page without padding")
{
    std::string const least = document_generator({1, 0}, 7).make(0);
    CHECK(least.size() < 1'000);
    CHECK(least.ends_with("%%EOF\n"));
}

TEST_CASE("document_generator: lognormal sizes -> median and deviation as asked, and the documents have them")
{
    document_generator const g({20'000, 0.5}, 7);
    constexpr int n = 4'000;
    double sum = 0;
    double squares = 0;
    int above = 0;
    for (std::uint64_t i = 0; i != n; ++i) {
        double const log = std::log(static_cast<double>(g.size(i)) / 20'000);
        sum += log;
        squares += log * log;
        above += log > 0;
    }
    // Four standard errors.
    CHECK(std::abs(sum / n) < 4 * 0.5 / std::sqrt(n));
    CHECK(std::sqrt(squares / n) == doctest::Approx(0.5).epsilon(4 / std::sqrt(2.0 * n)));
    CHECK(std::abs(above - n / 2) < 4 * std::sqrt(n) / 2);
    for (std::uint64_t i = 0; i != 20; ++i)
        CHECK(g.make(i).size() == g.size(i));
    CHECK(document_generator({60'000'000, 3}, 1).size(0) <= 67'000'000);
}

TEST_CASE("document_generator: the same seed -> the same bytes; another seed or number -> others")
{
    document_generator const g({3'000, 0.5}, 7);
    document_generator const again({3'000, 0.5}, 7);
    std::set<std::string> seen;
    for (std::uint64_t i = 0; i != 500; ++i) {
        std::string const bytes = g.make(i);
        CHECK(bytes == again.make(i));
        seen.insert(bytes);
        seen.insert(document_generator({3'000, 0.5}, 8).make(i));
    }
    CHECK(seen.size() == 1'000);
}

TEST_CASE("document_generator: the file -> a PDF whose table of objects points at them")
{
    std::string const pdf = document_generator({5'000, 0}, 7).make(42);
    CHECK(pdf.starts_with("%PDF-1.4\n"));
    CHECK(pdf.ends_with("%%EOF\n"));
    CHECK(pdf.find(" document 42)") != std::string::npos);
    std::size_t const table = std::strtoul(pdf.c_str() + pdf.rfind("startxref\n") + 10, nullptr, 10);
    REQUIRE(pdf.compare(table, 9, "xref\n0 6\n") == 0);
    for (std::size_t i = 1; i != 6; ++i) {
        std::size_t const at = std::strtoul(pdf.c_str() + table + 9 + 20 * i, nullptr, 10);
        CHECK(pdf.compare(at, 6, std::to_string(i) + " 0 ob") == 0);
    }
    std::size_t const length = std::strtoul(pdf.c_str() + pdf.find("/Length ") + 8, nullptr, 10);
    std::size_t const stream = pdf.find("stream\n") + 7;
    CHECK(pdf.compare(stream + length, 9, "endstream") == 0);
}
