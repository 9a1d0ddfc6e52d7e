#include <ocrpipe/bulk/run/detail/part_batch.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocrpipe;
using detail::part_batch;

namespace
{

missing_part table(std::uint64_t place, errc failure = errc::ok)
{
    missing_part p;
    p.place = place;
    p.sub_id = "d-" + std::to_string(place);
    p.failure = failure;
    return p;
}

void came(part_entry& e, std::string file)
{
    e.file = std::move(file);
    e.error.clear();
}

struct bench {
    ledger_document document;
    std::string request_id = "r-1";
    part_batch batch{document, request_id, {table(0), table(1, errc::throttled), table(4)}};
};

} // namespace

TEST_CASE_FIXTURE(bench,
                  "part_batch: before anything came -> entries say why there is no file, and all are missing")
{
    CHECK(batch.open == 3);
    CHECK(batch.entries[0].error == "not_fetched");
    CHECK(batch.entries[1].error == "throttled");
    CHECK(batch.entries[2].sub_id == "d-4");
    CHECK(batch.missing().size() == 3);
}

TEST_CASE_FIXTURE(bench, "part_batch: a file and an absent part -> only the third is missing")
{
    came(batch.entries[0], "parts/a/table-1.json");
    batch.entries[1].error = "part_absent";
    REQUIRE(batch.missing().size() == 1);
    CHECK(batch.missing()[0].place == 4);
}

TEST_CASE_FIXTURE(bench, "part_batch: put into the line -> each at its place, and the rest of the line stays")
{
    result_line line;
    line.parts.resize(6);
    line.parts[1].error = "throttled";
    line.parts[2].file = "parts/a/table-3.json";
    came(batch.entries[0], "parts/a/table-1.json");
    batch.entries[2].error = "part_absent";
    std::vector<std::uint64_t> listed;
    CHECK(batch.put_into(line, listed));
    CHECK(listed == std::vector<std::uint64_t>{0, 4});
    CHECK(line.parts.size() == 6);
    CHECK(line.parts[0].file == "parts/a/table-1.json");
    CHECK(line.parts[1].error == "throttled");
    CHECK(line.parts[2].file == "parts/a/table-3.json");
    CHECK(line.parts[4].error == "part_absent");
    listed.clear();
    CHECK_FALSE(batch.put_into(line, listed));
}

TEST_CASE_FIXTURE(bench, "part_batch: a line that has fewer parts than it should -> the places are made")
{
    result_line line;
    std::vector<std::uint64_t> listed;
    CHECK(batch.put_into(line, listed));
    CHECK(line.parts.size() == 5);
    CHECK(listed.empty());
}
