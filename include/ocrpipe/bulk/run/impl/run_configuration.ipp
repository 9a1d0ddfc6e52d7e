#ifndef OCRPIPE_BULK_RUN_IMPL_RUN_CONFIGURATION_IPP
#define OCRPIPE_BULK_RUN_IMPL_RUN_CONFIGURATION_IPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/run/run_configuration.hpp>
#include <ocrpipe/bulk/source/examine.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>
#include <ocrpipe/bulk/source/name_finder.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace ocrpipe
{
namespace detail
{

inline constexpr std::string_view working_directory_key = "working_directory";

inline std::string working_directory()
{
    std::error_code ec;
    return std::filesystem::current_path(ec).string();
}

inline result<std::optional<std::string>> configured(ledger& l, std::string_view key)
{
    return l.metadata(fmt::format("configuration.{}", key));
}

inline failure folder_renamed(errc e, std::string_view folder, std::string_view before, std::string_view now)
{
    return failure(e, phase::prepare,
                   fmt::format("the folder {} has two names, {} and {}, and its documents would be sent and "
                               "paid for under both: use one name",
                               folder, before, now));
}

/// What stays the same when a folder is renamed: its inode and its time of birth, because inodes are reused.
/// Empty if the file system does not tell the latter.
inline std::string identity_of(std::string const& folder)
{
    struct ::statx status {
    };
    if (::statx(AT_FDCWD, folder.c_str(), 0, STATX_INO | STATX_BTIME, &status) != 0) return {};
    if ((status.stx_mask & STATX_BTIME) == 0) return {};
    return fmt::format("{}-{}.{:09}", status.stx_ino, status.stx_btime.tv_sec, status.stx_btime.tv_nsec);
}

/// "table,stamp"
inline std::string list_of(std::vector<operation> const& parts)
{
    std::vector<std::string_view> names;
    for (operation const part : parts)
        names.push_back(name(part));
    return fmt::format("{}", fmt::join(names, ","));
}

} // namespace detail

OCRPIPE_DECL run_configuration::run_configuration(pipeline_options const& options,
                                                  response_profile const& profile)
    : settings_(options.configuration)
    , directory_(options.directory)
    , accept_changes_(options.accept_changes)
    , text_(options.text)
{
    settings_["flow"] = options.flow;
    settings_["doc_type"] = options.doc_type;
    settings_["file_type"] = wire_word(options.type);
    settings_["text"] = options.text ? "yes" : "no";
    settings_["parts"] = detail::list_of(options.parts);
    settings_["dedupe"] = options.share_results ? "content" : "";
    std::vector<std::string> fields;
    for (auto const& [name, value] : profile.extra_fields)
        fields.push_back(name + '=' + value);
    settings_["extra_fields"] = fmt::format("{}", fmt::join(fields, ","));

    namespace fs = std::filesystem;
    for (std::string const& given : options.inputs) {
        std::string const input = detail::path_on_disk(given);
        if (input == "-" || fs::path(input).is_relative())
            settings_[std::string(detail::working_directory_key)] = detail::working_directory();
        if (input == "-" || manifest_format_of(input)) continue;
        std::error_code ec;
        bool const is_folder = fs::is_directory(input, ec);
        fs::path const folder = is_folder ? fs::path(input) : fs::path(input).parent_path();
        fs::path const real = fs::canonical(folder.empty() ? "." : folder, ec);
        if (ec) continue; // reported when it is read
        // Ids begin with the input as given, in whatever Unicode form it is stored on disk.
        std::string const name =
            detail::clean_path(is_folder ? given : fs::path(given).parent_path().string());
        auto const noted = folders_.emplace(real.string(), name).first;
        if (noted->second != name) named_twice_ = {real.string(), noted->second, name};
    }
}

OCRPIPE_DECL result<void> run_configuration::compare_folders(ledger& l) const
{
    namespace fs = std::filesystem;
    if (!named_twice_.empty())
        return detail::folder_renamed(errc::invalid_argument, named_twice_[0], named_twice_[1],
                                      named_twice_[2]);
    if (accept_changes_) return {};
    for (auto const& [real, name] : folders_) {
        auto const path_before = detail::configured(l, "folder_identity " + detail::identity_of(real));
        if (!path_before) return path_before.error();
        if (*path_before && **path_before != real) {
            auto const name_before = detail::configured(l, "folder " + **path_before);
            if (!name_before) return name_before.error();
            if (*name_before && **name_before != name)
                return detail::folder_renamed(errc::configuration_changed, real, **name_before, name);
        }
        // A folder inside one of an earlier run has a name that begins with that one's.
        for (fs::path above = real; above.has_relative_path();) {
            above = above.parent_path();
            auto const before = detail::configured(l, "folder " + above.string());
            if (!before) return before.error();
            if (!*before) continue;
            std::error_code ec;
            std::string const expected =
                detail::join_path(**before, fs::relative(real, above, ec).string());
            if (expected != name)
                return detail::folder_renamed(errc::configuration_changed, real, expected, name);
        }
    }
    return {};
}

OCRPIPE_DECL result<std::string> run_configuration::compare(ledger& l) const
{
    if (result<void> same = compare_folders(l); !same) return same.error();
    std::vector<std::string> changes;
    std::string exports;
    bool sends_again = false;
    std::map<std::string, std::string> all = settings_;
    for (auto const& [real, name] : folders_)
        all["folder " + real] = name;
    for (auto const& [key, value] : all) {
        auto const before = detail::configured(l, key);
        if (!before) return before.error();
        bool const shares_from_now_on = key == "dedupe" && *before && (**before).empty();
        if (!*before || **before == value || shares_from_now_on) continue;
        changes.push_back(fmt::format("{} was \"{}\" and is \"{}\"", key, printable_excerpt(**before, 200),
                                      printable_excerpt(value, 200)));
        sends_again |= key != "text" && key != "parts" && key != "dedupe";
        if (key == "text" && text_) exports += " --text";
        if (key == "parts" && !value.empty()) exports += " --parts " + value;
    }
    if (changes.empty()) return std::string();
    // As long as nothing was sent, changing the options is free.
    result<document_counts> const counts = l.counts();
    if (!counts) return counts.error();
    if ((*counts)[document_state::found] == counts->total()) return std::string();
    std::string what = fmt::format("{}", fmt::join(changes, "; "));
    if (!exports.empty() && !sends_again)
        what += fmt::format(", and documents that already have a result are not read again; ocrpipe export "
                            "{}{} makes their files without sending anything",
                            directory_, exports);
    if (!accept_changes_) return failure(errc::configuration_changed, phase::prepare, std::move(what));
    if (sends_again)
        what += ": documents that were read with other settings are sent and paid for again";
    else if (exports.empty())
        what += ": documents that already have a result are not read again";
    return what;
}

OCRPIPE_DECL void run_configuration::record(ledger& l, std::function<ledger_handler()> const& durable) const
{
    for (auto const& [key, value] : settings_)
        l.set_metadata("configuration." + key, value, durable());
    for (auto const& [real, name] : folders_) {
        l.set_metadata("configuration.folder " + real, name, durable());
        if (std::string const identity = detail::identity_of(real); !identity.empty())
            l.set_metadata("configuration.folder_identity " + identity, real, durable());
    }
}

OCRPIPE_DECL result<void> run_configuration::restore(ledger& l, pipeline_options& into)
{
    std::map<std::string_view, std::optional<std::string>> before;
    for (std::string_view const key :
         {std::string_view("flow"), std::string_view("doc_type"), std::string_view("file_type"),
          std::string_view("parts"), std::string_view("text"), std::string_view("dedupe"),
          detail::working_directory_key}) {
        auto const value = detail::configured(l, key);
        if (!value) return value.error();
        before[key] = *value;
    }
    if (before["flow"]) into.flow = *before["flow"];
    if (before["doc_type"]) into.doc_type = *before["doc_type"];
    for (auto const type : {file_type::pdf, file_type::image})
        if (before["file_type"] == wire_word(type)) into.type = type;
    into.text = before["text"] == "yes";
    into.share_results = into.share_results || before["dedupe"] == "content";
    into.parts.clear();
    for (auto const part : {operation::table, operation::signature, operation::stamp, operation::image})
        if (before["parts"] && before["parts"]->find(name(part)) != std::string::npos)
            into.parts.push_back(part);
    if (before[detail::working_directory_key])
        into.configuration[std::string(detail::working_directory_key)] = detail::working_directory();
    return {};
}

} // namespace ocrpipe

#endif
