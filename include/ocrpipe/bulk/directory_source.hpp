#ifndef OCRPIPE_BULK_DIRECTORY_SOURCE_HPP
#define OCRPIPE_BULK_DIRECTORY_SOURCE_HPP

#include <ocrpipe/bulk/source.hpp>
#include <ocrpipe/config.hpp>

#include <memory>
#include <optional>
#include <string>

namespace ocrpipe
{

/// All files below a directory, while it is being read. The names of each directory are taken up 65,536 at a
/// time, each time in their order: memory is bounded, and the ledger's rows are made, and met again, where
/// their neighbours are.
///
/// Symbolic links are followed, to directories too; one that leads back to a directory it stands in is passed
/// over. Names that begin with a dot are passed over. Files of any type are documents; whether the service
/// reads them is found out when they are sent. Problems are: directories that cannot be read, empty files,
/// FIFOs, sockets, devices, links that lead nowhere, and what lies more than 64 directories deep. A name that
/// is gone by its turn is passed over.
///
/// Thread safety: one thread at a time.
/// Cost: one open descriptor a level, one system call a file beside the reading of the directory.
class directory_source final : public source
{
public:
    /// Reads nothing yet. `skip` names a directory that is passed over wherever it is met, such as the one a
    /// run writes to; may be empty.
    explicit directory_source(std::string root, std::string skip = {});
    ~directory_source() override;

    std::optional<input> next() override;

private:
    class walk;
    std::unique_ptr<walk> walk_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/directory_source.ipp>
#endif

#endif
