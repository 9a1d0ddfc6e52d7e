#ifndef OCRPIPE_BULK_OUTPUT_PART_FILES_HPP
#define OCRPIPE_BULK_OUTPUT_PART_FILES_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace ocrpipe
{

/// Writes the files that belong to documents: tables, signatures, stamps, images, text.
///
/// File names are chosen by this library, never by the service: the part of the document's id after the last
/// slash, then twelve digits of the id's SHA-256, which make the name unique and are the same in every run.
/// Letters of all scripts are kept. '_' replaces each byte that is not UTF-8, control, format and other
/// invisible characters, \ : * ? " < > |, and a leading dot or hyphen. A long id is truncated to its last
/// bytes, so that no name is longer than 255 bytes. A file with the same name is replaced. Files are written
/// atomically: if the process dies, a file is complete or absent. The caller must sync them to survive a
/// power failure.
///
/// Thread safety: distinct documents may be written from distinct threads.
class part_files
{
public:
    /// Files go to `folder`/`below`, which is created when the first file is written; `folder`, the run's
    /// folder, must exist by then.
    part_files(std::string folder, std::string below) : folder_(std::move(folder)), below_(std::move(below))
    {
    }

    /// Writes a part; returns its path relative to the run's folder, such as
    /// "parts/invoice.pdf-5e1f0c9a3b7d/table-1.json". The extension is json; for an image it is determined
    /// from the first bytes.
    ///
    /// `index` counts the documents or files of the job from 1.
    /// Errors: errc::unwritable_output.
    result<std::string> write(std::string_view id, operation kind, std::size_t index,
                              std::string_view bytes) const;

    /// Writes a document's text; returns its path relative to the run's folder, such as
    /// "text/invoice.pdf-5e1f0c9a3b7d.txt".
    ///
    /// Errors: errc::unwritable_output.
    result<std::string> write_text(std::string_view id, std::string_view text) const;

    /// Writes an answer byte for byte; returns its path relative to the run's folder, such as
    /// "answers/invoice.pdf-5e1f0c9a3b7d.answer".
    ///
    /// Errors: errc::unwritable_output.
    result<std::string> write_answer(std::string_view id, std::string_view bytes) const;

private:
    result<std::string> put(std::string const& folder, std::string const& name, std::string_view bytes) const;

    std::string folder_;
    std::string below_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/part_files.ipp>
#endif

#endif
