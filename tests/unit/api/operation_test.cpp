#include <ocrpipe/api/operation.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;

TEST_CASE("percent_encode_segment: unreserved characters -> as they are")
{
    std::string const unreserved = "ABCXYZabcxyz0189-._~";
    CHECK(percent_encode_segment(unreserved) == unreserved);
    CHECK(percent_encode_segment("").empty());
    CHECK(percent_encode_segment("...") == "...");
    CHECK(percent_encode_segment("a..b") == "a..b");
}

TEST_CASE("percent_encode_segment: dots alone -> encoded, so that no library takes a segment away")
{
    CHECK(percent_encode_segment(".") == "%2E");
    CHECK(percent_encode_segment("..") == "%2E%2E");
}

TEST_CASE(
    "percent_encode_segment: what would begin another segment, a query, a fragment or a line -> encoded")
{
    CHECK(percent_encode_segment("a/b") == "a%2Fb");
    CHECK(percent_encode_segment("../..") == "..%2F..");
    CHECK(percent_encode_segment("a\\b") == "a%5Cb");
    CHECK(percent_encode_segment("a?b#c") == "a%3Fb%23c");
    CHECK(percent_encode_segment("a b\r\nHost: x") == "a%20b%0D%0AHost%3A%20x");
    CHECK(percent_encode_segment(std::string("\0\x7F", 2)) == "%00%7F");
    CHECK(percent_encode_segment("%2F") == "%252F");
}

TEST_CASE("percent_encode_segment: Vietnamese and bytes that are not UTF-8 -> byte by byte")
{
    CHECK(percent_encode_segment("hóa") == "h%C3%B3a");
    CHECK(percent_encode_segment("đơn") == "%C4%91%C6%A1n");
    CHECK(percent_encode_segment("\xFF\x80") == "%FF%80");
}

TEST_CASE("service_path: a user id -> a slash at both ends, and the id cannot leave its segment")
{
    CHECK(service_path("12345") == "/maas/user-12345/greennode/idp/v1/ocr/");
    CHECK(service_path("a/../b?c") == "/maas/user-a%2F..%2Fb%3Fc/greennode/idp/v1/ocr/");
}

TEST_CASE("target: each of the six operations -> the path of the usage guide")
{
    CHECK(target(operation::submit) == "ingest");
    CHECK(target(operation::result, "r-1") == "ingest/r-1");
    CHECK(target(operation::table, "r-1", "d-1") == "ingest/table/r-1/d-1");
    CHECK(target(operation::signature, "r-1", "d-1") == "ingest/signature/r-1/d-1");
    CHECK(target(operation::stamp, "r-1", "d-1") == "ingest/stamp/r-1/d-1");
    CHECK(target(operation::image, "r-1", "f-1") == "ingest/file/r-1/f-1");
}

TEST_CASE("target: ids that an operation does not have -> ignored")
{
    CHECK(target(operation::submit, "r-1", "d-1") == "ingest");
    CHECK(target(operation::result, "r-1", "d-1") == "ingest/r-1");
}

TEST_CASE("target: ids from the service -> encoded, whatever they hold")
{
    CHECK(target(operation::result, "..") == "ingest/%2E%2E");
    CHECK(target(operation::table, "r/1", "../x") == "ingest/table/r%2F1/..%2Fx");
    CHECK(target(operation::image, "12345678901234567890", "ảnh?") ==
          "ingest/file/12345678901234567890/%E1%BA%A3nh%3F");
}

TEST_CASE("name: an operation -> its enumerator's own name")
{
    CHECK(name(operation::submit) == "submit");
    CHECK(name(operation::result) == "result");
    CHECK(name(operation::table) == "table");
    CHECK(name(operation::signature) == "signature");
    CHECK(name(operation::stamp) == "stamp");
    CHECK(name(operation::image) == "image");
}
