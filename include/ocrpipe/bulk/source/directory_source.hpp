#ifndef OCRPIPE_BULK_SOURCE_DIRECTORY_SOURCE_HPP
#define OCRPIPE_BULK_SOURCE_DIRECTORY_SOURCE_HPP

#include <ocrpipe/bulk/source/source.hpp>
#include <ocrpipe/bulk/source/source_notes.hpp>
#include <ocrpipe/core/config.hpp>

#include <memory>
#include <optional>
#include <string>

namespace ocrpipe
{

struct directory_options {
    /// A directory that is passed over wherever it is met, such as the one a run writes to; may be empty.
    std::string skip;
    bool follow_links = false; ///< also read what symbolic links to directories, and out of the tree, lead to
    /// Shared by the sources of one run, so that each directory is read once in all of them; may be null.
    std::shared_ptr<source_notes> notes;
};

/// All files below a directory, while it is being read. The names of each directory are taken up 65,536 at a
/// time, each time in their order: memory is bounded, and the ledger's rows are made, and met again, where
/// their neighbours are.
///
/// Each directory is read once, by device and inode. Names that begin with a dot are passed over. Files of
/// any type are documents; whether the service reads them is found out when they are sent. Problems are:
/// directories that cannot be read, empty files, FIFOs, sockets, devices, links that lead nowhere, and what
/// lies more than 64 directories deep. A name that is gone by its turn is passed over.
///
/// A symbolic link to what is found under its own name anyway, below one of the roots that share the notes,
/// is skipped, so that no document is paid for twice. Other links to directories, and links to files outside
/// of these roots, are followed only with follow_links, and each file once. Links that are skipped are
/// counted in the notes. The root itself may be a link. Two hard links are two documents.
///
/// Thread safety: one thread at a time.
/// Cost: one open descriptor a level, one system call a file beside the reading of the directory, and
/// source_notes's memory.
class directory_source final : public source
{
public:
    /// Reads nothing yet, but looks where `root` really lies.
    explicit directory_source(std::string root, directory_options options = {});
    ~directory_source() override;

    std::optional<input> next() override;

private:
    class walk;
    std::unique_ptr<walk> walk_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/directory_source.ipp>
#endif

#endif
