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

/// Files that belong to documents: tables, signatures, stamps, images, text.
///
/// All names come from us, none from the service: what follows the last slash of the document's id, and
/// twelve digits of the id's SHA-256, which tell documents apart and are the same in every run. The letters
/// of every script stay as they are. '_' stands for each byte that is not UTF-8, for control, format and
/// other invisible characters, for \ : * ? " < > |, and for a dot or a hyphen at the beginning. Of a long id
/// the last bytes are taken, so that no name is longer than 255 bytes. A file of the same name is replaced.
/// Whenever the process dies, a file is there entirely or not at all; its owner sees to it that it outlives a
/// power cut.
///
/// Thread safety: distinct documents may be written from distinct threads.
class part_files
{
public:
    /// Files go to `folder`/`below`, which is made when the first one is written; `folder`, the run's, must
    /// exist by then.
    part_files(std::string folder, std::string below) : folder_(std::move(folder)), below_(std::move(below))
    {
    }

    /// Writes a part; returns its name below the run's folder, such as
    /// "parts/invoice.pdf-5e1f0c9a3b7d/table-1.json". The ending is json, for an image what its first bytes
    /// say.
    ///
    /// `index` counts the documents or files of the job from 1.
    /// Errors: errc::unwritable_output.
    result<std::string> write(std::string_view id, operation kind, std::size_t index,
                              std::string_view bytes) const;

    /// Writes a document's text; returns its name below the run's folder, such as
    /// "text/invoice.pdf-5e1f0c9a3b7d.txt".
    ///
    /// Errors: errc::unwritable_output.
    result<std::string> write_text(std::string_view id, std::string_view text) const;

    /// Writes an answer byte for byte; returns its name below the run's folder, such as
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
