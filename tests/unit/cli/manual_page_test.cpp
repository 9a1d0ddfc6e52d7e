#include "manual_page.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace ocrpipe::cli;

namespace
{

command_description command(char const* name)
{
    command_description out;
    out.name = name;
    out.help = "reads documents";
    return out;
}

argument_description option(std::vector<std::string> flags, char const* value, char const* help)
{
    argument_description out;
    out.flags = std::move(flags);
    out.value = value;
    out.help = help;
    out.group = "Limits";
    return out;
}

bool contains(std::string const& text, std::string const& part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("manual_page: an option is shown with its flags, its value, its help and its variable")
{
    command_description run = command("run");
    run.arguments.push_back(option({"-o", "--max-rate"}, "RATE", "the most"));
    run.arguments.back().environment = "OCRPIPE_MAX_RATE";
    std::string const page = manual_page(run, {}, "1.2.3");
    CHECK(contains(page, ".TH OCRPIPE\\-RUN 1 \"\" \"ocrpipe 1.2.3\" \"User Commands\"\n"));
    CHECK(contains(page, ".SS Limits\n.TP\n\\fB\\-o\\fR, \\fB\\-\\-max\\-rate\\fR \\fIRATE\\fR\nthe most\n"
                         ".br\nEnvironment: OCRPIPE_MAX_RATE\n"));
}

TEST_CASE("manual_page: a command of two words -> with hyphens in the name of its page only")
{
    command_description const compare = command("load compare");
    CHECK(page_name(compare) == "ocrpipe-load-compare");
    std::string const page = manual_page(compare, std::vector{compare, command("load")}, "1");
    CHECK(contains(page, ".TH OCRPIPE\\-LOAD\\-COMPARE 1 "));
    CHECK(contains(page, ".SH NAME\nocrpipe\\-load\\-compare \\- reads documents\n"));
    CHECK(contains(page, "\\fBocrpipe load compare\\fR ["));
    CHECK(contains(page, "\\fBocrpipe\\-load\\fR(1)"));
}

TEST_CASE("manual_page: the synopsis has what is required")
{
    command_description run = command("run");
    argument_description input;
    input.value = "INPUT";
    input.required = input.repeated = true;
    run.arguments = {input, option({"--out"}, "DIR", ""), option({"--text"}, "", "")};
    run.arguments[1].required = true;
    CHECK(
        contains(manual_page(run, {}, "1"),
                 "\\fBocrpipe run\\fR \\fIINPUT\\fR... \\fB\\-\\-out\\fR \\fIDIR\\fR [\\fIOPTION\\fR...]\n"));
}

TEST_CASE("manual_page: text that roff would take for a command is shown as it is")
{
    command_description run = command("run");
    run.footer = ".SH no heading\n'quoted' and \\back";
    CHECK(contains(manual_page(run, {}, "1"), "\\&.SH no heading\n\\&\\(aqquoted\\(aq and \\eback"));
}

TEST_CASE("manual_page: a page refers to the pages of the other commands")
{
    std::vector<command_description> const all{command(""), command("run"), command("status")};
    CHECK(contains(manual_page(all[1], all, "1"),
                   ".SH SEE ALSO\n\\fBocrpipe\\fR(1),\n\\fBocrpipe\\-status\\fR(1)\n"));
    CHECK(page_name(all[0]) == "ocrpipe");
}

TEST_CASE(
    "describe_commands: every command of --help has a page with a help line, and every option a help text")
{
    std::vector<command_description> const all = describe_commands();
    CHECK(all.front().name.empty());
    for (char const* const name : {"run", "retry", "status", "result", "doctor", "emulator", "completion"})
        CHECK_MESSAGE(std::any_of(all.begin(), all.end(), [&](auto const& c) { return c.name == name; }),
                      name);
    for (command_description const& c : all) {
        CHECK_MESSAGE(!c.help.empty(), c.name);
        for (argument_description const& a : c.arguments)
            CHECK_MESSAGE(!a.help.empty(), c.name << ' ' << a.value);
    }
}
