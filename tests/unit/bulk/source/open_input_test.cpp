#include <ocrpipe/bulk/source/open_input.hpp>

#include "support/temp_directory.hpp"
#include "unit/bulk/source/collect.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using namespace ocrpipe;

namespace
{

collected open_and_collect(std::string const& argument, input_options const& options = {})
{
    return collect(*open_input(argument, options));
}

} // namespace

TEST_CASE("open_input: a file, a directory, a manifest -> what each stands for")
{
    temp_directory dir;
    std::string const root = dir.path().string();
    dir.write("in/a.pdf", "1");
    dir.write("in/b.pdf", "1");
    dir.write("list.CSV", "path,id\nin/a.pdf,first\n");
    dir.write("list.ndjson", "{\"path\":\"in/b.pdf\"}\n");
    CHECK(open_and_collect(root + "/./in/a.pdf").paths() == std::vector<std::string>{root + "/in/a.pdf"});
    CHECK(open_and_collect(root + "/in/").paths() ==
          std::vector<std::string>{root + "/in/a.pdf", root + "/in/b.pdf"});
    collected const csv = open_and_collect(root + "/list.CSV");
    REQUIRE(csv.items.size() == 1);
    CHECK(csv.items[0].id == "first");
    CHECK(open_and_collect(root + "/list.ndjson").paths() == std::vector<std::string>{root + "/in/b.pdf"});
}

TEST_CASE("open_input: the directory of the run below an input -> passed over")
{
    temp_directory dir;
    dir.write("a.pdf", "1");
    dir.write("out/results-00001.jsonl", "{}\n");
    input_options options;
    options.skip_directory = (dir.path() / "out").string();
    CHECK(open_and_collect(dir.path().string(), options).items.size() == 1);
}

TEST_CASE("open_input: missing, empty or special -> one problem, then the end")
{
    temp_directory dir;
    dir.write("empty.pdf", "");
    for (std::string const& argument :
         {std::string(), (dir.path() / "missing").string(), (dir.path() / "missing.csv").string(),
          (dir.path() / "empty.pdf").string(), std::string("/dev/null")}) {
        CAPTURE(argument);
        auto const source = open_input(argument);
        auto const first = source->next();
        REQUIRE(first);
        REQUIRE(std::holds_alternative<input_problem>(*first));
        CHECK(std::get<input_problem>(*first).path == argument);
        CHECK_FALSE(source->next());
    }
}

TEST_CASE("open_input: a dash -> names on standard input, which stays open")
{
    temp_directory dir;
    std::string const a = dir.write("a\nb.pdf", "1").string();
    std::string const names = dir.write("names", a + '\0').string();
    int const saved = ::dup(STDIN_FILENO);
    int const redirected = ::open(names.c_str(), O_RDONLY);
    REQUIRE(::dup2(redirected, STDIN_FILENO) == STDIN_FILENO);
    ::close(redirected);
    input_options options;
    options.nul_separated = true;
    collected const all = open_and_collect("-", options);
    CHECK(::fcntl(STDIN_FILENO, F_GETFD) != -1);
    if (saved >= 0) {
        ::dup2(saved, STDIN_FILENO);
        ::close(saved);
    }
    CHECK(all.paths() == std::vector<std::string>{a});
}

TEST_CASE("open_input: a directory or manifest in another Unicode form -> found, and known by the name given")
{
    temp_directory dir;
    std::string const root = dir.path().string();
    dir.write("ba\u0309ng/x.pdf", "1");
    dir.write("ba\u0309ng/empty", "");
    dir.write("ba\u0309ng.csv", "path\nba\u0309ng/x.pdf\nmissing\n");
    collected const folder = open_and_collect(root + "/b\u1EA3ng/");
    REQUIRE(folder.items.size() == 1);
    CHECK(folder.items[0].path == root + "/ba\u0309ng/x.pdf");
    CHECK(folder.items[0].id == root + "/b\u1EA3ng/x.pdf");
    CHECK(folder.problem(root + "/b\u1EA3ng/empty"));
    collected const list = open_and_collect(root + "/b\u1EA3ng.csv");
    CHECK(list.items.size() == 1);
    REQUIRE(list.problems.size() == 1);
    CHECK(list.problems[0].where == root + "/b\u1EA3ng.csv:3");
    collected const file = open_and_collect(root + "/b\u1EA3ng/x.pdf");
    REQUIRE(file.items.size() == 1);
    CHECK(file.items[0].id == root + "/b\u1EA3ng/x.pdf");
    CHECK(file.items[0].path == root + "/ba\u0309ng/x.pdf");
}

TEST_CASE("open_input: documents younger than min_age -> skipped and counted, whatever names them")
{
    temp_directory dir;
    std::string const root = dir.path().string();
    dir.write("in/old.pdf", "1");
    dir.write("in/young.pdf", "1");
    dir.write("in/future.pdf", "1");
    dir.write("l.csv", "path\nin/old.pdf\nin/young.pdf\n");
    using namespace std::chrono;
    auto const set = [&](char const* name, seconds since_epoch) {
        ::timespec const times[2] = {{since_epoch.count(), 0}, {since_epoch.count(), 0}};
        REQUIRE(::utimensat(AT_FDCWD, (root + "/in/" + name).c_str(), times, 0) == 0);
    };
    set("old.pdf", 990s);
    set("young.pdf", 991s);
    set("future.pdf", 5000s);
    input_options options;
    options.min_age = 10s;
    options.now = [] { return system_clock::time_point(1000s); };
    for (char const* const argument : {"/in", "/l.csv"}) {
        options.notes = std::make_shared<source_notes>();
        CHECK(open_and_collect(root + argument, options).paths() ==
              std::vector<std::string>{root + "/in/old.pdf"});
        CHECK(options.notes->too_young == (std::string(argument) == "/in" ? 2 : 1));
        CHECK(options.notes->empty_inputs == 0);
    }
    options.notes = std::make_shared<source_notes>();
    CHECK(open_and_collect(root + "/in/young.pdf", options).items.empty());
    CHECK(options.notes->too_young == 1);
    options.now = [] { return system_clock::time_point(1001s); };
    CHECK(open_and_collect(root + "/in/young.pdf", options).items.size() == 1);
}

TEST_CASE("open_input: nothing at all in it -> said, with the reason")
{
    temp_directory dir;
    std::filesystem::create_directories(dir.path() / "empty/deeper");
    dir.write("hidden/.a", "1");
    dir.write("outside.pdf", "1");
    std::filesystem::create_directories(dir.path() / "links");
    std::filesystem::create_symlink("../outside.pdf", dir.path() / "links/a.pdf");
    dir.write("header.csv", "path,doc_type\r\n");
    dir.write("blank.jsonl", "\n\n");
    struct {
        char const* name;
        char const* why;
    } const cases[] = {{"empty", "it contains no files"},
                       {"hidden", "names that begin with a dot: 1"},
                       {"links", "links that are not followed: 1"},
                       {"header.csv", "the manifest has a header and no rows"},
                       {"blank.jsonl", "the manifest has no rows"}};
    for (auto const& c : cases) {
        CAPTURE(c.name);
        input_options options;
        options.notes = std::make_shared<source_notes>();
        std::string const path = (dir.path() / c.name).string();
        collected const all = open_and_collect(path, options);
        CHECK(all.items.empty());
        CHECK(all.problems.empty());
        CHECK(options.notes->empty_inputs == 1);
        auto const said = options.notes->take();
        REQUIRE(said.size() == 1);
        CHECK(said[0].event == "nothing_found");
        CHECK(said[0].text == "no documents found in " + path + ": " + c.why);
    }
}

TEST_CASE("open_input: a link to a file that is an input itself -> read once")
{
    temp_directory dir;
    dir.write("a.pdf", "1");
    std::filesystem::create_directories(dir.path() / "links");
    std::filesystem::create_symlink("../a.pdf", dir.path() / "links/b.pdf");
    input_options options;
    options.follow_links = true;
    options.notes = std::make_shared<source_notes>();
    auto const file = open_input((dir.path() / "a.pdf").string(), options);
    auto const folder = open_input((dir.path() / "links").string(), options);
    CHECK(collect(*file).items.size() == 1);
    CHECK(collect(*folder).items.empty());
    CHECK(options.notes->links_repeated == 1);
    CHECK(options.notes->empty_inputs == 0);
}

TEST_CASE("open_input: the same directory twice -> the second time it is not empty, but read before")
{
    temp_directory dir;
    dir.write("a.pdf", "1");
    input_options options;
    options.notes = std::make_shared<source_notes>();
    CHECK(open_and_collect(dir.path().string(), options).items.size() == 1);
    CHECK(open_and_collect(dir.path().string(), options).items.empty());
    CHECK(options.notes->empty_inputs == 0);
    auto const said = options.notes->take();
    REQUIRE(said.size() == 1);
    CHECK(said[0].event == "directory_repeated");
}
