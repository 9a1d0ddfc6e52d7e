#ifndef OCRPIPE_BULK_SOURCE_IMPL_NAME_FINDER_IPP
#define OCRPIPE_BULK_SOURCE_IMPL_NAME_FINDER_IPP

#include <ocrpipe/bulk/source/name_finder.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <memory>
#include <sys/stat.h>
#include <utf8proc.h>

namespace ocrpipe
{
namespace detail
{

inline std::optional<std::string> mapped(std::string_view text, int how)
{
    ::utf8proc_uint8_t* out = nullptr;
    ::utf8proc_ssize_t const n = ::utf8proc_map(reinterpret_cast<::utf8proc_uint8_t const*>(text.data()),
                                                static_cast<::utf8proc_ssize_t>(text.size()), &out,
                                                static_cast<::utf8proc_option_t>(how));
    std::unique_ptr<void, void (*)(void*)> const owner(out, &std::free);
    if (n < 0) return std::nullopt;
    return std::string(reinterpret_cast<char const*>(out), static_cast<std::size_t>(n));
}

inline bool is_ascii(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

inline bool exists(std::string const& path) noexcept
{
    struct ::stat status {
    };
    return ::lstat(path.c_str(), &status) == 0;
}

OCRPIPE_DECL std::optional<std::string> composed(std::string_view text)
{
    return mapped(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
}

OCRPIPE_DECL std::optional<std::string> decomposed(std::string_view text)
{
    return mapped(text, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
}

OCRPIPE_DECL name_finder::names const& name_finder::unnormalized_names(std::string const& folder)
{
    if (auto const known = folders_.find(folder); known != folders_.end()) return known->second;
    if (folders_.size() == max_folders) folders_.clear();
    names& kept = folders_[folder];
    std::unique_ptr<::DIR, int (*)(::DIR*)> const stream(::opendir(folder.empty() ? "." : folder.c_str()),
                                                         &::closedir);
    while (::dirent const* const entry = stream ? ::readdir(stream.get()) : nullptr) {
        std::string_view const name = entry->d_name;
        if (is_ascii(name)) continue;
        std::optional<std::string> form = composed(name);
        if (form && *form != name && decomposed(name) != name) kept.emplace_back(std::move(*form), name);
    }
    return kept;
}

/// Returns the names in `folder` that differ from `name` only in their normalization form.
OCRPIPE_DECL std::vector<std::string> name_finder::alternatives(std::string const& folder,
                                                                std::string_view name)
{
    std::vector<std::string> there;
    std::optional<std::string> const form = is_ascii(name) ? std::nullopt : composed(name);
    if (!form) return there;
    std::optional<std::string> const apart = decomposed(name);
    for (std::string const& candidate : {*form, apart.value_or(*form)})
        if (candidate != name && exists(folder + candidate) &&
            std::find(there.begin(), there.end(), candidate) == there.end())
            there.push_back(candidate);
    if (!there.empty()) return there;
    for (auto const& [key, other] : unnormalized_names(folder))
        if (key == *form && other != name) there.push_back(other);
    return there;
}

OCRPIPE_DECL name_finder::found name_finder::find(std::string_view path)
{
    std::string real;
    while (!path.empty()) {
        std::size_t const slash = path.find('/');
        std::string_view const name = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        std::string_view const after = slash == std::string_view::npos ? "" : "/";
        if (name.empty() || exists(real + std::string(name))) {
            (real += name) += after;
            continue;
        }
        std::vector<std::string> const there = alternatives(real, name);
        if (there.empty()) return {};
        if (there.size() > 1)
            return {{},
                    fmt::format("{} names in the directory differ from it only in Unicode normalization: "
                                "rename all but one, or give the exact bytes of the name",
                                there.size())};
        (real += there.front()) += after;
    }
    return {std::move(real), {}};
}

OCRPIPE_DECL std::string path_on_disk(std::string const& path)
{
    struct ::stat status {
    };
    if (::stat(path.c_str(), &status) == 0 || errno != ENOENT) return path;
    std::string real = name_finder().find(path).path;
    return real.empty() ? path : real;
}

} // namespace detail
} // namespace ocrpipe

#endif
