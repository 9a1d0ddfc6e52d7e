#ifndef OCRPIPE_BULK_SOURCE_IMPL_EXAMINE_IPP
#define OCRPIPE_BULK_SOURCE_IMPL_EXAMINE_IPP

#include <ocrpipe/api/document.hpp>
#include <ocrpipe/bulk/source/examine.hpp>
#include <ocrpipe/core/utf8.hpp>

#include <cerrno>
#include <sys/stat.h>
#include <utility>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL std::string clean_path(std::string_view path)
{
    std::string out;
    if (path.starts_with('/')) out = "/";
    while (!path.empty()) {
        std::size_t const slash = path.find('/');
        std::string_view const part = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        if (part.empty() || part == ".") continue;
        if (!out.empty() && out.back() != '/') out += '/';
        out += part;
    }
    return out.empty() ? "." : out;
}

OCRPIPE_DECL std::string join_path(std::string_view folder, std::string_view name)
{
    if (name.starts_with('/')) return clean_path(name);
    std::string joined(folder);
    joined += '/';
    joined += name;
    return clean_path(folder.empty() ? name : std::string_view(joined));
}

/// Suggests why a path may not exist; empty if nothing looks suspicious.
inline std::string_view suspicion_about(std::string_view path) noexcept
{
    if (!is_utf8(path))
        return "the name is not UTF-8, so it may come from a list in a Windows or Latin code page: save that "
               "list as UTF-8";
    if (path.find(":/") != std::string_view::npos || path.find('\\') != std::string_view::npos)
        return "this looks like a URL or a Windows path: give the path of a file on this machine";
    return {};
}

OCRPIPE_DECL input_problem unreadable(std::string path, std::string where, int error_number)
{
    error_code const cause(error_number, boost::system::system_category());
    std::string message = cause.message();
    if (error_number == ENOENT)
        if (std::string_view const why = suspicion_about(path); !why.empty()) (message += ": ") += why;
    return {std::move(path), std::move(where), errc::unreadable_file, std::move(message)};
}

OCRPIPE_DECL input examine_path(std::string path, std::string where)
{
    name_finder finder;
    return examine_path(std::move(path), std::move(where), finder);
}

OCRPIPE_DECL input examine_path(std::string path, std::string where, name_finder& finder)
{
    struct ::stat status {
    };
    if (::stat(path.c_str(), &status) == 0) return examine_status(std::move(path), std::move(where), status);
    int const error_number = errno;
    name_finder::found other;
    if (error_number == ENOENT) other = finder.find(path);
    if (other.path.empty() || ::stat(other.path.c_str(), &status) != 0) {
        input_problem problem = unreadable(std::move(path), std::move(where), error_number);
        if (!other.ambiguous.empty()) (problem.message += ": ") += other.ambiguous;
        return problem;
    }
    input found = examine_status(std::move(path), std::move(where), status);
    if (auto* const item = std::get_if<input_item>(&found)) item->path = std::move(other.path);
    return found;
}

OCRPIPE_DECL input examine_status(std::string path, std::string where, struct ::stat const& status)
{
    if (!S_ISREG(status.st_mode)) {
        char const* const what = S_ISDIR(status.st_mode)    ? "is a directory"
                                 : S_ISFIFO(status.st_mode) ? "is a FIFO"
                                 : S_ISSOCK(status.st_mode) ? "is a socket"
                                                            : "is a device";
        return input_problem{std::move(path), std::move(where), errc::unreadable_file, what};
    }
    if (status.st_size == 0)
        return input_problem{std::move(path), std::move(where), errc::empty_document, "has no bytes"};
    input_item item;
    item.id = path;
    item.path = std::move(path);
    item.where = std::move(where);
    file_version const version = version_of(status);
    item.size = version.size;
    item.mtime_ns = version.mtime_ns;
    return item;
}

} // namespace detail
} // namespace ocrpipe

#endif
