#include "raw_arguments.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>

using namespace ocrpipe::cli;

namespace
{

raw_arguments parsed(std::vector<std::string> const& arguments)
{
    auto const outcome = parse_arguments(arguments);
    REQUIRE(std::holds_alternative<raw_arguments>(outcome));
    return std::get<raw_arguments>(outcome);
}

early_exit ended(std::vector<std::string> const& arguments)
{
    auto const outcome = parse_arguments(arguments);
    REQUIRE(std::holds_alternative<early_exit>(outcome));
    return std::get<early_exit>(outcome);
}

} // namespace

TEST_CASE("parse_arguments: run with inputs, standard input and switches -> as typed, unchecked")
{
    auto const raw = parsed({"run", "a", "-", "b c", "--out", "dir", "-0", "--text", "--on-ambiguous", "hold",
                             "--flow", "nonsense"});
    CHECK(raw.command == command::run);
    CHECK(raw.inputs == std::vector<std::string>{"a", "-", "b c"});
    CHECK(raw.output == "dir");
    CHECK(raw.null_separated);
    CHECK(raw.text);
    CHECK(raw.options == typed_options{{"flow", "nonsense"}, {"on-ambiguous", "hold"}});
}

TEST_CASE("parse_arguments: an option that is not given -> not among the typed ones, so that the environment "
          "decides")
{
    CHECK(parsed({"doctor"}).options.empty());
}

TEST_CASE("parse_arguments: an option given twice -> the last one")
{
    CHECK(parsed({"doctor", "--base-url", "http://a", "--base-url=http://b"}).options.at("base-url") ==
          "http://b");
}

TEST_CASE("parse_arguments: an empty value -> given")
{
    CHECK(parsed({"doctor", "--proxy", ""}).options.at("proxy").empty());
}

TEST_CASE("parse_arguments: an id that looks like an option -> taken after --")
{
    CHECK(parsed({"result", "--", "-x"}).request_id == "-x");
}

TEST_CASE("parse_arguments: image -o - -> standard output")
{
    auto const raw = parsed({"image", "r", "f", "-o", "-"});
    CHECK(raw.command == command::image);
    CHECK(raw.request_id == "r");
    CHECK(raw.sub_id == "f");
    CHECK(raw.output == "-");
}

TEST_CASE("parse_arguments: emulator -> not ours, only its place in the list of commands is")
{
    CHECK(ended({"emulator"}).code == 2);
}

TEST_CASE("parse_arguments: nothing -> short help on standard error, 2")
{
    auto const e = ended({});
    CHECK(e.code == 2);
    CHECK(e.to_stderr);
    CHECK(e.text.find("ocrpipe --help") != std::string::npos);
}

TEST_CASE("parse_arguments: --help and --version -> standard output, 0")
{
    for (auto const& arguments :
         {std::vector<std::string>{"--help"}, {"run", "--help"}, {"image", "-h"}, {"--version"}}) {
        auto const e = ended(arguments);
        CHECK(e.code == 0);
        CHECK(!e.to_stderr);
        CHECK(!e.text.empty());
    }
    CHECK(ended({"run", "--help"}).text.find("ocrpipe run scans/ --out results") != std::string::npos);
}

TEST_CASE("parse_arguments: what --help says of the environment -> true of every option of every command")
{
    std::string const help = ended({"--help"}).text;
    auto const said = help.find("in the environment");
    REQUIRE(said != std::string::npos);
    auto const excepted = help.find("except", said);
    REQUIRE(excepted != std::string::npos);
    std::string exceptions = help.substr(excepted, help.find('.', excepted) - excepted);
    std::replace(exceptions.begin(), exceptions.end(), '\n', ' ');
    for (char const* const name :
         {"run", "retry", "status", "report", "support", "export", "submit", "result", "recognize", "table",
          "signature", "stamp", "image", "explain", "profile", "doctor"}) {
        std::istringstream lines(ended({name, "--help"}).text);
        for (std::string line; std::getline(lines, line);) {
            auto const dashes = line.find("--");
            if (!line.starts_with("  -") || dashes > 6) continue;
            auto const option = line.substr(dashes + 2, line.find_first_of(" ,", dashes) - dashes - 2);
            auto const shared = shared_options();
            bool const has_variable = std::any_of(shared.begin(), shared.end(),
                                                  [&](option_spec const& s) { return s.name == option; });
            bool const is_excepted = exceptions.find(" --" + option) != std::string::npos;
            CHECK_MESSAGE((option == "help" || has_variable != is_excepted), option);
        }
    }
}

TEST_CASE("parse_arguments: the key as an argument -> refused with advice, and never repeated")
{
    for (auto const& arguments : {std::vector<std::string>{"run", "a", "--out", "d", "--api-key", "SeCrEt"},
                                  {"doctor", "--api-key=SeCrEt"},
                                  {"--api_key", "SeCrEt", "doctor"},
                                  {"doctor", "--apikey=SeCrEt"}}) {
        auto const e = ended(arguments);
        CHECK(e.code == 2);
        CHECK(e.to_stderr);
        CHECK(e.text.find("OCRPIPE_API_KEY") != std::string::npos);
        CHECK(e.text.find("SeCrEt") == std::string::npos);
    }
}

TEST_CASE("parse_arguments: nonsense -> 2, the option is named, values are not")
{
    for (auto const& arguments : {std::vector<std::string>{"doctor", "--key", "SeCrEt"},
                                  {"doctor", "--key=SeCrEt"},
                                  {"doctor", "SeCrEt"},
                                  {"SeCrEt"},
                                  {"run", "--out", "d"},
                                  {"run", "a"},
                                  {"result", "a", "--wait=SeCrEt"},
                                  {"image", "a", "b"},
                                  {"result", "a", "--deadline"}}) {
        auto const e = ended(arguments);
        CHECK(e.code == 2);
        CHECK(e.to_stderr);
        CHECK(e.text.starts_with("error: "));
        CHECK_MESSAGE(e.text.find("SeCrEt") == std::string::npos, e.text);
    }
    CHECK(ended({"doctor", "--key=SeCrEt"}).text.find("--key") != std::string::npos);
}
