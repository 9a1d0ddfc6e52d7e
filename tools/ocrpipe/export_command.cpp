// export: text files, parts and tables from the results of a run.

#include "export_command.hpp"

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/bulk/output/part_files.hpp>
#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include "commands.hpp"
#include "output_file.hpp"
#include "remedy.hpp"
#include "standard_output.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ocrpipe::cli
{

std::string exported_line(result_line const& line)
{
    std::string out;
    detail::append_json_name(out += '{', "id", line.id);
    detail::append_json_name(out += ',', "path", line.path);
    detail::append_json_string(out += ",\"request_id\":", line.request_id);
    return out;
}

exit_code output_failed(std::string_view path, error_code cause, logger& log)
{
    log.write(message(
        level::error, "output_failed",
        fmt::format(
            "{} could not be written: {}: repair the disk or make room, then run the same command again",
            path == "-" ? "standard output" : path, cause.message())));
    return exit_code::disk_error;
}

exit_code export_text(exported_results& results, client_options const& options, logger& log)
{
    std::string const list = results.directory() + "/exported-text.jsonl";
    part_files const texts(results.directory(), "text");
    output_file out;
    if (error_code const ec = out.open(list)) return output_failed(list, ec, log);
    std::optional<exit_code> failed;
    std::uint64_t without_text = 0;
    result<void> const read = results.for_each([&](result_line const& line) {
        ocr_result const answer(line.request_id, std::string(line.result_json), completeness::whole, 0);
        std::string const text = answer.text(options.profile);
        if (text.empty()) ++without_text;
        result<std::string> const written = texts.write_text(line.id, text);
        if (!written) {
            failed = output_failed(written.error().reason, written.error().cause, log);
            return false;
        }
        std::string entry = exported_line(line);
        detail::append_json_name(entry += ',', "text", *written);
        if (error_code const ec = out.append(entry += "}\n")) failed = output_failed(list, ec, log);
        return !failed;
    });
    if (!read) return refuse(read.error(), "the export ended early", log);
    if (failed) return *failed;
    // Sync the files and their names before the list that refers to them.
    unique_fd const folder(::open(results.directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::syncfs(folder.get()) != 0) return output_failed(results.directory(), errno_code(), log);
    if (error_code const ec = out.finish()) return output_failed(list, ec, log);
    std::string said = fmt::format("{} text files in {}/text", results.count(), results.directory());
    if (without_text > 0)
        said += fmt::format(", {} of them empty: their results contain no text", without_text);
    log.write(message(level::info, "exported", std::move(said),
                      {{"files", results.count()}, {"empty", without_text}}));
    return worst(results.code(), deliver(list + "\n", "-", "the list's path", log));
}

namespace
{

/// Whether a name in the run's directory is reserved for the run's own files, which a table must not replace;
/// this includes future results files.
bool is_file_of_run(std::string const& directory, std::string const& output)
{
    namespace fs = std::filesystem;
    if (output == "-") return false;
    std::error_code ec;
    fs::path const parent = fs::path(output).parent_path();
    if (!fs::equivalent(parent.empty() ? fs::path(".") : parent, directory, ec)) return false;
    std::string const name = fs::path(output).filename().string();
    return (name.starts_with("results-") && name.ends_with(".jsonl")) || name.starts_with("ledger.") ||
           name.starts_with("exported-") || name == "failures.jsonl" || name == "report.json";
}

} // namespace

exit_code carry_out(export_plan const& p, client_options const& options, logger& log)
{
    if (is_file_of_run(p.directory, p.output)) {
        log.write(message(
            level::error, "usage",
            fmt::format("--out {}: is a file of the run: give the table another name", p.output)));
        return exit_code::usage;
    }
    result<std::unique_ptr<exported_results>> results = exported_results::open(p.directory, log);
    if (!results) return refuse(results.error(), "nothing was exported", log);
    if ((**results).count() == 0) {
        log.write(message(level::warn, "no_results",
                          fmt::format("{} contains no result: nothing was exported", p.directory)));
        return worst(exit_code::inputs_unreadable, (**results).code());
    }
    switch (p.form) {
    case export_form::text:
        return export_text(**results, options, log);
    case export_form::csv:
        return export_csv(**results, p, options, log);
    default:
        return export_parts(**results, p, options, log);
    }
}

} // namespace ocrpipe::cli
