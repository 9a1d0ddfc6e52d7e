#include <ocrpipe/bulk/results_writer.hpp>

#include "support/temp_directory.hpp"
#include "unit/bulk/file_size_limit.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <vector>

using namespace ocrpipe;
using namespace std::chrono;
namespace fs = std::filesystem;

namespace
{

result_record record_of(std::string_view id, std::string_view json = "{}")
{
    result_record r;
    r.id = id;
    r.path = id;
    r.status = "done";
    r.result_json = json;
    return r;
}

std::vector<std::string> lines_of(std::string const& text)
{
    std::vector<std::string> lines;
    for (std::size_t at = 0; at != text.size();) {
        std::size_t const end = text.find('\n', at);
        REQUIRE(end != std::string::npos);
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

} // namespace

TEST_CASE("append_result_line: a whole record -> one line with all of it")
{
    std::vector<part_entry> const parts{{operation::table, "d1", "parts/000001-x/table-1.json", ""},
                                        {operation::image, "f1", "", "part_absent"}};
    result_record r;
    r.id = "inv-1";
    r.path = "docs/a.pdf";
    r.sha256 = "00ff";
    r.request_id = "r-9";
    r.status = "done";
    r.submitted_at = sys_days(year(2026) / 1 / 2) + milliseconds(1);
    r.finished_at = sys_days(year(2026) / 1 / 2) + seconds(3);
    r.attempts = 2;
    r.polls = 3;
    r.possible_duplicate = true;
    r.parts = parts;
    r.result_json = "{\"data\":{\"id\":12345678901234567890}}";
    std::string out;
    append_result_line(out, r);
    CHECK(out == "{\"id\":\"inv-1\",\"path\":\"docs/"
                 "a.pdf\",\"sha256\":\"00ff\",\"request_id\":\"r-9\",\"status\":\"done\","
                 "\"submitted_at\":\"2026-01-02T00:00:00.001Z\",\"finished_at\":\"2026-01-02T00:00:03.000Z\","
                 "\"attempts\":2,\"polls\":3,"
                 "\"possible_duplicate\":true,\"parts\":[{\"kind\":\"table\",\"document_id\":\"d1\",\"file\":"
                 "\"parts/000001-x/table-1.json\"},"
                 "{\"kind\":\"image\",\"file_id\":\"f1\",\"error\":\"part_absent\"}],"
                 "\"result\":{\"data\":{\"id\":12345678901234567890}}}\n");
}

TEST_CASE(
    "append_result_line: the service's JSON over several lines -> one line, strings and numbers untouched")
{
    std::string out;
    append_result_line(out, record_of("x", "{\r\n  \"a\": \"1\\n2\",\n  \"n\": 1.10e5\n}\n"));
    CHECK(lines_of(out).size() == 1);
    CHECK(out.find("\"result\":{    \"a\": \"1\\n2\",   \"n\": 1.10e5 } }") != std::string::npos);
}

TEST_CASE("append_result_line: no answer, ids that are not UTF-8 -> still valid JSON")
{
    std::string out;
    append_result_line(out, record_of("caf\xE9\n\"", ""));
    CHECK(lines_of(out).size() == 1);
    boost::json::value const v = boost::json::parse(out);
    CHECK(v.at("result").is_null());
    CHECK(v.at("submitted_at").is_null());
    CHECK(v.at("id_bytes").as_string() == "caf%E9%0A%22");
    CHECK(v.at("path_bytes").as_string() == "caf%E9%0A%22");
}

TEST_CASE("results_writer: a new folder -> results-00001.jsonl, for its owner alone")
{
    temp_directory dir;
    auto writer = results_writer::open(dir.path().string());
    REQUIRE(writer.has_value());
    REQUIRE_FALSE(writer->append(record_of("a")));
    REQUIRE_FALSE(writer->append(record_of("b")));
    REQUIRE_FALSE(writer->sync());
    CHECK(writer->path() == dir.path().string() + "/results-00001.jsonl");
    CHECK(lines_of(dir.read("results-00001.jsonl")).size() == 2);
    struct ::stat status {
    };
    REQUIRE(::stat(writer->path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE(
    "results_writer: a limit on the size of a file -> the next file, lines never split, large ones alone")
{
    temp_directory dir;
    auto writer = results_writer::open(dir.path().string(), 1'000);
    REQUIRE(writer.has_value());
    std::string const large = "\"" + std::string(3'000, 'x') + "\"";
    for (int i = 0; i != 20; ++i)
        REQUIRE_FALSE(writer->append(record_of("small")));
    REQUIRE_FALSE(writer->append(record_of("large", large)));
    REQUIRE_FALSE(writer->append(record_of("small")));
    std::size_t lines = 0;
    std::size_t files = 0;
    for (auto const& entry : fs::directory_iterator(dir.path())) {
        ++files;
        std::string const text = dir.read(entry.path().filename().string());
        auto const in_file = lines_of(text);
        lines += in_file.size();
        CHECK((text.size() <= 1'000 || in_file.size() == 1));
    }
    CHECK(lines == 22);
    CHECK(files > 3);
}

TEST_CASE("results_writer: opened again -> goes on in the last file, whatever else lies there")
{
    temp_directory dir;
    dir.write("results-00001.jsonl", "{}\n");
    dir.write("results-00007.jsonl", "{}\n");
    dir.write("results-.jsonl", "");
    dir.write("results-00009.jsonl.bak", "");
    dir.write("results-8x.jsonl", "");
    auto writer = results_writer::open(dir.path().string());
    REQUIRE(writer.has_value());
    REQUIRE_FALSE(writer->append(record_of("a")));
    CHECK(lines_of(dir.read("results-00007.jsonl")).size() == 2);
}

TEST_CASE("results_writer: a line that a crash cut off -> cut away, however long")
{
    for (std::size_t const length : {std::size_t(1), std::size_t(16'384), std::size_t(100'000)}) {
        CAPTURE(length);
        temp_directory dir;
        dir.write("results-00001.jsonl", "{\"id\":\"kept\"}\n" + std::string(length, 'x'));
        auto writer = results_writer::open(dir.path().string());
        REQUIRE(writer.has_value());
        REQUIRE_FALSE(writer->append(record_of("next")));
        auto const lines = lines_of(dir.read("results-00001.jsonl"));
        REQUIRE(lines.size() == 2);
        CHECK(lines[0] == "{\"id\":\"kept\"}");
    }
    temp_directory dir;
    dir.write("results-00001.jsonl", std::string(40'000, 'x'));
    REQUIRE(results_writer::open(dir.path().string()).has_value());
    CHECK(dir.read("results-00001.jsonl").empty());
}

TEST_CASE("results_writer: the disk is full in the middle of a line -> an error, no half line, and it goes "
          "on when there is room")
{
    temp_directory dir;
    auto writer = results_writer::open(dir.path().string());
    REQUIRE(writer.has_value());
    REQUIRE_FALSE(writer->append(record_of("before")));
    auto const size = dir.read("results-00001.jsonl").size();
    std::string const large = "\"" + std::string(5'000, 'x') + "\"";
    error_code refused;
    {
        file_size_limit const full(size + 1'000);
        refused = writer->append(record_of("lost", large));
    }
    CHECK(refused == boost::system::errc::file_too_large);
    CHECK(dir.read("results-00001.jsonl").size() == size);
    REQUIRE_FALSE(writer->append(record_of("lost", large)));
    auto const lines = lines_of(dir.read("results-00001.jsonl"));
    REQUIRE(lines.size() == 2);
    CHECK(boost::json::parse(lines[1]).at("id").as_string() == "lost");
}

TEST_CASE("results_writer: a device without room -> no_space_on_device")
{
    if (!fs::exists("/dev/full")) return;
    temp_directory dir;
    fs::create_symlink("/dev/full", dir.path() / "results-00001.jsonl");
    auto writer = results_writer::open(dir.path().string());
    REQUIRE(writer.has_value());
    CHECK(writer->append(record_of("a")) == boost::system::errc::no_space_on_device);
}

TEST_CASE("results_writer: a folder that is missing -> unwritable_output with the cause")
{
    temp_directory dir;
    auto const writer = results_writer::open(dir.path().string() + "/missing");
    REQUIRE(writer.has_error());
    CHECK(writer.error().is(errc::unwritable_output));
    CHECK(writer.error().cause == boost::system::errc::no_such_file_or_directory);
}

TEST_CASE("results_writer: the next file cannot be made -> an error, and once it can the line is in it")
{
    temp_directory dir;
    auto writer = results_writer::open(dir.path().string(), 1);
    REQUIRE(writer.has_value());
    REQUIRE_FALSE(writer->append(record_of("1")));
    fs::create_directory(dir.path() / "results-00002.jsonl");
    for (int i = 0; i != 2; ++i) {
        CHECK(writer->append(record_of("2")) == boost::system::errc::is_a_directory);
        CHECK(writer->path() == dir.path().string() + "/results-00001.jsonl");
    }
    fs::remove(dir.path() / "results-00002.jsonl");
    REQUIRE_FALSE(writer->append(record_of("2")));
    CHECK(lines_of(dir.read("results-00001.jsonl")).size() == 1);
    CHECK(lines_of(dir.read("results-00002.jsonl")).size() == 1);
}

TEST_CASE("append_result_line: what the service said in request_id -> cannot break the line")
{
    result_record r = record_of("a");
    r.request_id = "\"},\n{\x01\xFF";
    std::string out;
    append_result_line(out, r);
    CHECK(lines_of(out).size() == 1);
    CHECK(boost::json::parse(out).at("request_id").as_string() == "\"},\n{\x01\xEF\xBF\xBD");
}
