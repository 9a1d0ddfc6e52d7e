#include <ocrpipe/api/result_part.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocrpipe;

namespace
{

/// "kind number id" a line.
std::string listed(std::string raw, std::vector<std::string> const& files,
                   std::vector<operation> const& kinds)
{
    ocr_result const answer("r-1", std::move(raw), completeness::whole, 1);
    std::string out;
    for (result_part const& p : parts_of(answer, files, kinds).parts)
        out += std::string(name(p.kind)) + ' ' + std::to_string(p.number) + ' ' + p.sub_id + '\n';
    return out;
}

std::string const three =
    R"({"data":{"documents":[{"document_id":"d1","data":[]},{"data":[]},{"document_id":"d3","data":[]}]}})";

} // namespace

TEST_CASE(
    "parts_of: several kinds -> in their order, for each document with an id, and an image for each file")
{
    CHECK(listed(three, {"f1", "f2"}, {operation::stamp, operation::image, operation::table}) ==
          "stamp 1 d1\nstamp 3 d3\nimage 1 f1\nimage 2 f2\ntable 1 d1\ntable 3 d3\n");
}

TEST_CASE("parts_of: documents and files without an id -> counted")
{
    auto const without_id = [](char const* raw, std::vector<std::string> const& files, operation kind) {
        std::vector<operation> const kinds{kind};
        return parts_of(ocr_result("r-1", raw, completeness::whole, 1), files, kinds).without_id;
    };
    CHECK(without_id(three.c_str(), {}, operation::table) == 1);
    CHECK(without_id(three.c_str(), {}, operation::image) == 1); // the answer to its submit had none
    CHECK(without_id(three.c_str(), {"f1", ""}, operation::image) == 1);
    CHECK(without_id("no JSON", {"f1"}, operation::table) == 0);
}

TEST_CASE("parts_of: no kinds, no ids, or an answer that is not JSON -> nothing")
{
    CHECK(listed(three, {"f1"}, {}) == "");
    CHECK(listed(three, {"", ""}, {operation::image}) == "");
    CHECK(listed(R"({"data":{"documents":[{"data":[]}]}})", {"f1"}, {operation::table}) == "");
    CHECK(listed("no JSON", {"f1"}, {operation::signature}) == "");
}
