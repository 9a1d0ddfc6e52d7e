#ifndef OCRPIPE_BULK_SOURCE_NAMES_SOURCE_HPP
#define OCRPIPE_BULK_SOURCE_NAMES_SOURCE_HPP

#include <ocrpipe/bulk/source/input_window.hpp>
#include <ocrpipe/bulk/source/name_finder.hpp>
#include <ocrpipe/bulk/source/source.hpp>

#include <optional>
#include <string>

namespace ocrpipe
{

/// Reads file names from a descriptor, usually standard input: one per line, or terminated by NUL as written
/// by `find -print0`.
///
/// Lines are UTF-8, or UTF-16 with a byte order mark, and end with LF, CRLF or CR; names that contain one of
/// these require NUL. Empty names are skipped. A directory, or a name longer than 1 MiB, is a problem. A name
/// that differs from the one on disk only in its Unicode normalization is found.
class names_source final : public source
{
public:
    enum class separator { line, nul };

    /// `label` names the descriptor in messages: "-" gives "-:17".
    names_source(unique_fd fd, separator s, std::string label)
        : names_(s == separator::nul ? detail::record_reader(std::move(fd), '\0')
                                     : detail::record_reader(std::move(fd)))
        , label_(std::move(label))
    {
    }

    std::optional<input> next() override;

private:
    detail::record_reader names_;
    std::string label_;
    detail::name_finder finder_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/names_source.ipp>
#endif

#endif
