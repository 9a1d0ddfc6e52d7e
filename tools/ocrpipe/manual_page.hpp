#ifndef OCRPIPE_TOOLS_MANUAL_PAGE_HPP
#define OCRPIPE_TOOLS_MANUAL_PAGE_HPP

#include "command_description.hpp"

#include <span>
#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// "ocrpipe-run"; "ocrpipe" for the program itself.
std::string page_name(command_description const& command);

/// The manual page of one command in the language of man(7). `commands` are those that it refers to.
std::string manual_page(command_description const& command, std::span<command_description const> commands,
                        std::string_view version);

} // namespace ocrpipe::cli

#endif
