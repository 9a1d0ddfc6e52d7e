#include "self_description.hpp"

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/write_all.hpp>

#include "completion.hpp"
#include "manual_page.hpp"
#include "run_ledger.hpp"
#include "standard_output.hpp"

#include <boost/asio/io_context.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>
#include <unistd.h>

namespace ocrpipe::cli
{
namespace
{

namespace fs = std::filesystem;

/// A shell waits for the answer, so only so many documents of a run are looked at.
constexpr std::size_t rows_looked_at = 100000;
constexpr std::size_t most_ids = 1000;

void add_ids(std::string const& directory, std::string_view prefix, std::vector<std::string>& out)
{
    boost::asio::io_context ioc(1);
    auto const opened = open_run_ledger(ioc, directory, ledger_use::look);
    if (!opened) return;
    std::uint64_t cursor = 0;
    for (std::size_t seen = 0; seen < rows_looked_at && out.size() < most_ids;) {
        auto const rows = (*opened)->rows(document_states::all(), cursor, 1000);
        if (!rows || rows->empty()) return;
        seen += rows->size();
        for (ledger_row const& row : *rows)
            if (!row.request_id.empty() && row.request_id.starts_with(prefix) && out.size() < most_ids)
                out.push_back(row.request_id);
    }
}

std::vector<std::string> ids_on_disk(std::optional<std::string> const& directory, std::string_view prefix)
{
    std::vector<std::string> out;
    if (directory) {
        add_ids(*directory, prefix, out);
        return out;
    }
    add_ids(".", prefix, out);
    std::error_code ec;
    for (fs::directory_iterator it(".", ec), end; !ec && it != end; it.increment(ec))
        if (it->is_directory(ec)) add_ids(it->path().string(), prefix, out);
    return out;
}

exit_code print(std::string_view text)
{
    return write_standard_output(text) ? exit_code::disk_error : exit_code::all_done;
}

exit_code refuse(std::string_view why)
{
    detail::write_all(STDERR_FILENO, fmt::format("error: {}\n", why));
    return exit_code::usage;
}

exit_code print_candidates(std::span<std::string const> words)
{
    std::string text;
    for (candidate const& c : complete(describe_commands(), words, ids_on_disk))
        text += c.help.empty() ? c.word + "\n" : fmt::format("{}\t{}\n", c.word, c.help);
    return print(text);
}

exit_code write_manual(fs::path const& directory)
{
    std::vector<command_description> const commands = describe_commands();
    std::error_code ec;
    fs::create_directories(directory, ec);
    for (command_description const& command : commands) {
        fs::path const path = directory / (page_name(command) + ".1");
        std::ofstream file(path, std::ios::binary);
        file << manual_page(command, commands, OCRPIPE_VERSION_STRING);
        if (!file.flush()) {
            detail::write_all(STDERR_FILENO, fmt::format("error: {} cannot be written\n", path.string()));
            return exit_code::disk_error;
        }
    }
    return exit_code::all_done;
}

} // namespace

std::optional<exit_code> describe_itself(std::vector<std::string> const& arguments)
{
    if (arguments.empty()) return std::nullopt;
    std::string const& command = arguments.front();
    std::span<std::string const> const rest = std::span(arguments).subspan(1);
    if (command == "complete") return print_candidates(rest);
    if (command == "manual")
        return rest.size() == 1 ? write_manual(rest.front()) : refuse("manual needs a directory");
    if (command != "completion") return std::nullopt;
    constexpr char usage[] = "usage: ocrpipe completion bash|zsh\n\n"
                             "Prints a script that completes commands, options and request ids:\n"
                             "  source <(ocrpipe completion bash)\n"
                             "  source <(ocrpipe completion zsh)\n";
    if (rest.size() == 1 && (rest.front() == "-h" || rest.front() == "--help")) return print(usage);
    auto const script = rest.size() == 1 ? completion_script(rest.front()) : std::nullopt;
    return script ? print(*script) : refuse("completion needs the name of a shell, bash or zsh");
}

} // namespace ocrpipe::cli
