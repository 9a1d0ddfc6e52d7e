#ifndef OCRPIPE_BULK_NAMES_SOURCE_HPP
#define OCRPIPE_BULK_NAMES_SOURCE_HPP

#include <ocrpipe/bulk/detail/input_window.hpp>
#include <ocrpipe/bulk/source.hpp>

#include <optional>
#include <string>

namespace ocrpipe
{

/// File names from a descriptor, usually standard input: one a line, or each ended by NUL as `find -print0`
/// writes them.
///
/// In lines, CR before LF and a byte order mark at the beginning are dropped. Empty names are passed over.
/// Only files are taken: a name of a directory is a problem. A name longer than 1 MiB is a problem.
class names_source final : public source
{
public:
    enum class separator { line, nul };

    /// `label` stands for the descriptor in messages: "-" gives "-:17".
    names_source(detail::unique_fd fd, separator s, std::string label)
        : names_(std::move(fd), s == separator::nul ? '\0' : '\n'), label_(std::move(label)), separator_(s)
    {
    }

    std::optional<input> next() override;

private:
    detail::record_reader names_;
    std::string label_;
    separator separator_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/names_source.ipp>
#endif

#endif
