#ifndef OCRPIPE_BULK_IMPL_PART_FILES_IPP
#define OCRPIPE_BULK_IMPL_PART_FILES_IPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/detail/atomic_file.hpp>
#include <ocrpipe/bulk/detail/output_failure.hpp>
#include <ocrpipe/bulk/detail/unique_fd.hpp>
#include <ocrpipe/bulk/part_files.hpp>
#include <ocrpipe/bulk/sha256.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>

namespace ocrpipe
{
namespace detail
{

inline std::string label_of(std::string_view id)
{
    constexpr std::size_t shown = 64;
    std::string_view const last = id.substr(id.find_last_of('/') + 1); // npos + 1 is 0
    std::string label(last.substr(last.size() - std::min(last.size(), shown)));
    std::replace_if(
        label.begin(), label.end(),
        [](char c) {
            bool const alphanumeric =
                (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
            return !alphanumeric && c != '.' && c != '-' && c != '_';
        },
        '_');
    sha256_stream hash;
    hash.update(id);
    return fmt::format("{}-{}", label, hash.hex().substr(0, 12));
}

} // namespace detail

OCRPIPE_DECL result<std::string> part_files::put(std::string const& folder, std::string const& name,
                                                 std::string_view bytes) const
{
    // One folder a document, and one for all of them: made when missing.
    for (std::size_t end = 0; end != std::string::npos;) {
        end = folder.find('/', end + 1);
        std::string path = folder_ + "/" + folder.substr(0, end);
        if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
            return detail::output_failure(detail::errno_code(), std::move(path));
    }
    std::string file = folder + "/" + name;
    if (error_code const ec =
            detail::write_file_atomically(folder_ + "/" + folder, name, bytes, detail::durability::process))
        return detail::output_failure(ec, std::move(file));
    return file;
}

OCRPIPE_DECL result<std::string> part_files::write(std::string_view id, operation kind, std::size_t index,
                                                   std::string_view bytes) const
{
    std::string_view const ending =
        kind == operation::image ? extension(detect_format(bytes)) : std::string_view(".json");
    return put(below_ + "/" + detail::label_of(id), fmt::format("{}-{}{}", name(kind), index, ending), bytes);
}

OCRPIPE_DECL result<std::string> part_files::write_text(std::string_view id, std::string_view text) const
{
    return put(below_, detail::label_of(id) + ".txt", text);
}

} // namespace ocrpipe

#endif
