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
    /// A directory to skip wherever it is found, such as the run's output directory; may be empty.
    std::string skip;
    bool follow_links = false; ///< also follow symbolic links to directories and to files outside the tree
    /// Shared by the sources of one run, so that each directory is read only once across them; may be null.
    std::shared_ptr<source_notes> notes;
};

/// Yields all files below a directory while walking it. Names are read from each directory in batches of
/// 65,536, and each batch is sorted: memory is bounded, and neighbouring documents get neighbouring rows in
/// the ledger, which makes later look-ups fast.
///
/// Each directory is read once, by device and inode. Names that begin with a dot are skipped. Files of any
/// type are documents; whether the service accepts them is known only when they are sent. The following are
/// problems: directories that cannot be read, empty files, FIFOs, sockets, devices, dangling links, and
/// entries more than 64 directories deep. A name that was deleted after it was listed is skipped.
///
/// A symbolic link is skipped if its target is found anyway under its own name, below one of the roots that
/// share the notes, so that no document is paid for twice. Other links to directories, and links to files
/// outside these roots, are followed only with follow_links, and each file is read once. Skipped links are
/// counted in the notes. The root itself may be a link. Two hard links are two documents.
///
/// Thread safety: one thread at a time.
/// Cost: one open descriptor per level, one system call per file in addition to reading the directory, and
/// the memory of source_notes.
class directory_source final : public source
{
public:
    /// Resolves the real path of `root`, but reads nothing yet.
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
