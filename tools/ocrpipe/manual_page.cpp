#include "manual_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

/// `text` as roff shows it: no character is a command, and hyphens can be copied into a shell.
std::string escaped(std::string_view text)
{
    std::string out;
    bool at_line_start = true;
    for (char const c : text) {
        if (at_line_start && (c == '.' || c == '\'')) out += "\\&";
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else if (c == '\'')
            out += "\\(aq";
        else if (c == '`')
            out += "\\(ga";
        else
            out += c;
        at_line_start = c == '\n';
    }
    return out;
}

std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", escaped(text)); }
std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", escaped(text)); }

std::string shown(argument_description const& a)
{
    std::string out;
    for (std::string const& flag : a.flags)
        out += (out.empty() ? "" : ", ") + bold(flag);
    if (a.takes_value()) out += (out.empty() ? "" : " ") + italic(a.value);
    return out;
}

/// The command, what it requires, and where options go.
std::string synopsis(command_description const& command)
{
    std::string out = bold(command.name.empty() ? "ocrpipe" : "ocrpipe " + command.name);
    if (command.name.empty()) return out + " " + italic("COMMAND") + " ...";
    for (argument_description const& a : command.arguments) {
        if (a.is_option() && !a.required) continue;
        std::string const one =
            a.is_option() ? bold(a.flags.back()) + " " + italic(a.value) : italic(a.value);
        std::string const several = a.repeated ? one + "..." : one;
        out += a.required ? " " + several : " [" + several + "]";
    }
    return out + " [" + italic("OPTION") + "...]";
}

std::string item(std::string const& head, std::string const& text)
{
    return fmt::format(".TP\n{}\n{}\n", head, escaped(text));
}

std::string options(command_description const& command)
{
    std::vector<std::string> groups;
    for (argument_description const& a : command.arguments)
        if (a.is_option() && (groups.empty() || groups.back() != a.group)) groups.push_back(a.group);
    std::string out;
    for (std::string const& group : groups) {
        out += fmt::format(".SS {}\n", escaped(group));
        for (argument_description const& a : command.arguments)
            if (a.is_option() && a.group == group) {
                out += item(shown(a), a.help);
                if (!a.environment.empty()) out += fmt::format(".br\nEnvironment: {}\n", a.environment);
            }
    }
    return out;
}

std::string references(command_description const& command, std::span<command_description const> commands)
{
    std::string out;
    for (command_description const& other : commands)
        if (other.name != command.name)
            out += fmt::format("{}{}(1)", out.empty() ? "" : ",\n", bold(page_name(other)));
    return out;
}

} // namespace

std::string page_name(command_description const& command)
{
    std::string out = command.name.empty() ? "ocrpipe" : "ocrpipe-" + command.name;
    std::replace(out.begin(), out.end(), ' ', '-');
    return out;
}

std::string manual_page(command_description const& command, std::span<command_description const> commands,
                        std::string_view version)
{
    std::string upper;
    for (char const c : page_name(command))
        upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    std::string out =
        fmt::format(".TH {} 1 \"\" \"ocrpipe {}\" \"User Commands\"\n.nh\n.ad l\n", escaped(upper), version);
    out += fmt::format(".SH NAME\n{} \\- {}\n", escaped(page_name(command)), escaped(command.help));
    out += fmt::format(".SH SYNOPSIS\n{}\n", synopsis(command));
    if (command.name.empty()) {
        out += ".SH COMMANDS\n";
        for (command_description const& other : commands)
            if (!other.name.empty()) out += item(bold(other.name), other.help);
    } else {
        out += ".SH ARGUMENTS\n";
        for (argument_description const& a : command.arguments)
            if (!a.is_option()) out += item(italic(a.value), a.help);
        if (out.ends_with(".SH ARGUMENTS\n"))
            out.resize(out.size() - std::string_view(".SH ARGUMENTS\n").size());
    }
    out += ".SH OPTIONS\n" + options(command);
    if (!command.footer.empty()) out += fmt::format(".SH NOTES\n.nf\n{}\n.fi\n", escaped(command.footer));
    return out + fmt::format(".SH SEE ALSO\n{}\n", references(command, commands));
}

} // namespace ocrpipe::cli
