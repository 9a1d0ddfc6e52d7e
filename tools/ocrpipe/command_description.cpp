#include "command_description.hpp"

#include "option_table.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace ocrpipe::cli
{
namespace
{

argument_description describe(CLI::Option const& o)
{
    argument_description out;
    for (std::string const& name : o.get_snames())
        out.flags.push_back("-" + name);
    for (std::string const& name : o.get_lnames())
        out.flags.push_back("--" + name);
    // A switch expects no value.
    if (!out.is_option())
        out.value = o.get_name(true);
    else if (o.get_expected_max() != 0)
        out.value = o.get_type_name().empty() ? "VALUE" : o.get_type_name();
    out.help = o.get_description();
    if (std::string const standard = o.get_default_str(); !standard.empty())
        out.help += fmt::format(" [{}]", standard);
    out.group = o.get_group();
    out.required = o.get_required();
    out.repeated = !out.is_option() && o.get_expected_max() > 1;
    for (option_spec const& shared : shared_options())
        if (o.check_lname(std::string(shared.name))) out.environment = environment_name(shared.name);
    return out;
}

} // namespace

command_description describe(CLI::App const& app)
{
    command_description out;
    out.name = app.get_parent() == nullptr ? std::string() : app.get_name();
    out.help = app.get_description();
    out.footer = app.get_footer();
    for (CLI::Option const* const o : app.get_options())
        if (!o->get_group().empty()) out.arguments.push_back(describe(*o));
    return out;
}

} // namespace ocrpipe::cli
