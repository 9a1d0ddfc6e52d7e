#include "completion.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace ocrpipe::cli;

namespace
{

std::vector<std::string> ids(std::optional<std::string> const& directory, std::string_view prefix)
{
    return {directory.value_or("here") + ":" + std::string(prefix)};
}

/// What is offered for the last word, in one line.
std::string offered(std::vector<std::string> const& words)
{
    static std::vector<command_description> const commands = describe_commands();
    std::string out;
    for (candidate const& c : complete(commands, words, ids))
        out += (out.empty() ? "" : " ") + c.word;
    return out;
}

} // namespace

TEST_CASE("complete: the first word is a command, or an option of the program")
{
    CHECK(offered({"re"}) == "retry report recognize result");
    CHECK(offered({"--v"}) == "--version");
    CHECK(offered({"nothing"}) == "");
}

TEST_CASE("complete: a command of two words -> its second word, then its own options")
{
    CHECK(offered({"loa"}) == "load");
    CHECK(offered({"load", ""}) == "compare merge");
    CHECK(offered({"load", "me"}) == "merge");
    CHECK(offered({"load", "scans", "me"}) == "");
    CHECK(offered({"load", "--fin"}) == "--find-capacity");
    CHECK(offered({"load", "compare", "--fin"}) == "");
    CHECK(offered({"load", "compare", "--log-l"}) == "--log-level");
    CHECK(offered({"load", "compare", "a"}) == "");
}

TEST_CASE("complete: a dash offers the options of the command")
{
    CHECK(offered({"run", "in", "--max-d"}) == "--max-documents --max-duration");
    CHECK(offered({"status", "--max-d"}) == "");
    CHECK(offered({"emulator", "--list"}) == "--list-faults");
}

TEST_CASE("complete: the value of an option is left to the shell")
{
    CHECK(offered({"run", "--out", ""}) == "");
    CHECK(offered({"run", "--out", "=", "re"}) == "");
}

TEST_CASE("complete: a request id is one of the run in DIR, or of the runs here")
{
    CHECK(offered({"support", "results", "r1"}) == "results:r1");
    CHECK(offered({"support", "--log-level", "debug", "results", ""}) == "results:");
    CHECK(offered({"result", "--wait", "r"}) == "here:r");
    CHECK(offered({"result", "r1", ""}) == "");
}

TEST_CASE("complete: a directory or a file is left to the shell")
{
    CHECK(offered({"support", ""}) == "");
    CHECK(offered({"recognize", "a"}) == "");
}

TEST_CASE("completion_script: there is one for bash and zsh")
{
    CHECK(completion_script("bash"));
    CHECK(completion_script("zsh"));
    CHECK_FALSE(completion_script("fish"));
}
