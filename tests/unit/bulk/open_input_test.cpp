#include <ocrpipe/bulk/open_input.hpp>

#include "support/temp_directory.hpp"
#include "unit/bulk/collect.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <filesystem>
#include <string>
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
