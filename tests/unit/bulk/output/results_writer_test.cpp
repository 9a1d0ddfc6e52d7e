#include <ocrpipe/bulk/output/results_writer.hpp>

#include "support/temp_directory.hpp"
#include "unit/bulk/output/file_size_limit.hpp"

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
    auto const midnight = sys_days(year(2026) / 1 / 2);
    r.times = {midnight, midnight + milliseconds(1), midnight + seconds(1), midnight + seconds(2),
               midnight + seconds(3)};
    r.attempts = 2;
    r.polls = 3;
    r.possible_duplicate = true;
    r.parts = parts;
    r.result_json = "{\"data\":{\"id\":12345678901234567890}}";
    std::string out;
    append_result_line(out, r);
    CHECK(out == "{\"id\":\"inv-1\",\"path\":\"docs/"
                 "a.pdf\",\"sha256\":\"00ff\",\"request_id\":\"r-9\",\"status\":\"done\","
                 "\"sent_at\":\"2026-01-02T00:00:00.000Z\",\"submitted_at\":\"2026-01-02T00:00:00.001Z\","
                 "\"last_pending_at\":\"2026-01-02T00:00:01.000Z\",\"ready_at\":\"2026-01-02T00:00:02.000Z\","
                 "\"finished_at\":\"2026-01-02T00:00:03.000Z\","
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
    for (char const* const time : {"sent_at", "submitted_at", "last_pending_at", "ready_at", "finished_at"})
        CHECK(v.at(time).is_null());
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

namespace
{

/// A folder with results of these ids, and where each stands.
std::vector<result_location> write_results(fs::path const& folder, std::vector<std::string> const& ids,
                                           std::uint64_t file_bytes)
{
    std::vector<result_location> places;
    result<results_writer> w = results_writer::open(folder.string(), file_bytes);
    REQUIRE(w.has_value());
    for (std::string const& id : ids)
        REQUIRE_FALSE(w->append(record_of(id), &places.emplace_back()));
    return places;
}

std::string id_of(std::string_view line)
{
    return std::string(boost::json::parse(std::string(line)).at("id").as_string());
}

} // namespace

TEST_CASE("results_writer: append -> tells the file, offset and length of each line")
{
    temp_directory dir;
    auto const places = write_results(dir.path(), {"a", "b", "c"}, 300);
    REQUIRE(places.size() == 3);
    CHECK(places[0] == result_location{1, 0, places[0].length});
    CHECK(places[1].file == 2);
    for (std::size_t i = 0; i != places.size(); ++i) {
        auto const [file, offset, length] = places[i];
        std::string const text =
            dir.read("results-0000" + std::to_string(file) + ".jsonl").substr(offset, length);
        CHECK(text.ends_with("}\n"));
        CHECK(id_of(text) == std::string(1, static_cast<char>('a' + i)));
    }
}

TEST_CASE("results_writer: recovered -> lines behind the recorded one are shown in order, in all files")
{
    temp_directory dir;
    auto const places = write_results(dir.path(), {"a", "b", "c", "d", "e"}, 500);
    REQUIRE(places.back().file > places[1].file);
    std::vector<std::string> shown;
    std::vector<result_location> where;
    auto const w = results_writer::recover(dir.path().string(), 500, places[0],
                                           [&](std::string_view line, result_location at) {
                                               shown.push_back(id_of(line));
                                               where.push_back(at);
                                               return true;
                                           });
    REQUIRE(w.has_value());
    CHECK(shown == std::vector<std::string>{"b", "c", "d", "e"});
    CHECK(where == std::vector<result_location>(places.begin() + 1, places.end()));
}

TEST_CASE("results_writer: recovered, a line is not wanted -> it and all behind it are gone, and writing "
          "goes on there")
{
    temp_directory dir;
    auto const places = write_results(dir.path(), {"a", "b", "c", "d", "e"}, 500);
    auto w =
        results_writer::recover(dir.path().string(), 500, places[0],
                                [](std::string_view line, result_location) { return id_of(line) == "b"; });
    REQUIRE(w.has_value());
    result_location next;
    REQUIRE_FALSE(w->append(record_of("new"), &next));
    CHECK(next.file == places[2].file);
    CHECK(next.offset == places[2].offset);
    std::string all;
    for (auto const& entry : fs::directory_iterator(dir.path()))
        all += dir.read(entry.path().filename().string());
    CHECK(lines_of(all).size() == 3);
}

TEST_CASE("results_writer: recovered, nothing is recorded and nothing wanted -> empty")
{
    temp_directory dir;
    write_results(dir.path(), {"a", "b"}, 300);
    auto const nothing = [](std::string_view, result_location) { return false; };
    REQUIRE(results_writer::recover(dir.path().string(), 300, std::nullopt, nothing).has_value());
    CHECK(dir.read("results-00001.jsonl").empty());
    CHECK_FALSE(fs::exists(dir.path() / "results-00002.jsonl"));
}

TEST_CASE("results_writer: recovered, the recorded line is not there -> ledger_failed, nothing is touched")
{
    temp_directory dir;
    auto const places = write_results(dir.path(), {"a", "b"}, 10'000);
    std::string const before = dir.read("results-00001.jsonl");
    for (result_location const wrong :
         {result_location{1, places[1].offset, places[1].length + 1},
          result_location{1, places[1].offset, places[1].length - 1}, result_location{1, 0, 0}}) {
        auto const w = results_writer::recover(dir.path().string(), 10'000, wrong,
                                               [](std::string_view, result_location) { return false; });
        REQUIRE(w.has_error());
        CHECK(w.error().is(errc::ledger_failed));
        CHECK(w.error().reason.find("results-0000") != std::string::npos);
        CHECK(dir.read("results-00001.jsonl") == before);
    }
}

TEST_CASE("results_writer: read -> the line at that place; its file moved away or cut -> the system's error")
{
    temp_directory dir;
    auto w = results_writer::open(dir.path().string());
    REQUIRE(w.has_value());
    result_location first, second;
    REQUIRE_FALSE(w->append(record_of("a"), &first));
    REQUIRE_FALSE(w->append(record_of("b"), &second));
    std::string line;
    REQUIRE_FALSE(w->read(second, line));
    CHECK(id_of(line) == "b");
    CHECK(line.ends_with("}\n"));
    CHECK(w->read({1, second.offset, second.length + 1}, line) == boost::system::errc::io_error);
    fs::rename(dir.path() / "results-00001.jsonl", dir.path() / "kept");
    CHECK(w->read(first, line) == boost::system::errc::no_such_file_or_directory);
}

TEST_CASE("results_writer: recovered, the file of the recorded line was moved away -> goes on with the next "
          "number, in every later run too")
{
    temp_directory dir;
    auto const places = write_results(dir.path(), {"a", "b", "c"}, 500);
    REQUIRE(places.back().file == 2);
    auto const nothing = [](std::string_view, result_location) { return false; };
    fs::rename(dir.path() / "results-00002.jsonl", dir.path() / "kept");
    for (int i = 0; i != 2; ++i) {
        auto const w = results_writer::recover(dir.path().string(), 500, places.back(), nothing);
        REQUIRE(w.has_value());
        CHECK(w->path() == dir.path().string() + "/results-00003.jsonl");
        CHECK_FALSE(fs::exists(dir.path() / "results-00002.jsonl"));
    }
    auto w = results_writer::recover(dir.path().string(), 500, places.back(), nothing);
    REQUIRE(w.has_value());
    REQUIRE_FALSE(w->append(record_of("d")));
    std::vector<std::string> shown;
    auto const keep = [&](std::string_view line, result_location) {
        shown.push_back(id_of(line));
        return true;
    };
    REQUIRE(results_writer::recover(dir.path().string(), 500, places.back(), keep).has_value());
    CHECK(shown == std::vector<std::string>{"d"});
}

TEST_CASE("results_writer: recovered, a link that leads nowhere instead of the file -> ledger_failed")
{
    temp_directory dir;
    fs::create_symlink("gone", dir.path() / "results-00001.jsonl");
    auto const w = results_writer::recover(dir.path().string(), 500, result_location{1, 0, 10},
                                           [](std::string_view, result_location) { return false; });
    REQUIRE(w.has_error());
    CHECK(w.error().is(errc::ledger_failed));
}

TEST_CASE("missing_results_files: gaps -> named, ranges as ranges, at most five")
{
    using numbers = std::vector<std::uint64_t>;
    CHECK(missing_results_files({}, 0).empty());
    CHECK(missing_results_files(numbers{1, 2, 3}, 3).empty());
    CHECK(missing_results_files(numbers{1, 2, 3}, 2).empty());
    CHECK(missing_results_files({}, 1) == "results-00001.jsonl");
    CHECK(missing_results_files(numbers{3}, 3) == "results-00001.jsonl, results-00002.jsonl");
    CHECK(missing_results_files(numbers{2, 7, 8}, 10) ==
          "results-00001.jsonl, results-00003.jsonl to results-00006.jsonl, results-00009.jsonl, "
          "results-00010.jsonl");
    numbers even;
    for (std::uint64_t n = 2; n <= 20; n += 2)
        even.push_back(n);
    CHECK(missing_results_files(even, 20) ==
          "results-00001.jsonl, results-00003.jsonl, results-00005.jsonl, results-00007.jsonl, "
          "results-00009.jsonl and 5 more");
}
