#ifndef OCRPIPE_BULK_SOURCE_OPEN_INPUT_HPP
#define OCRPIPE_BULK_SOURCE_OPEN_INPUT_HPP

#include <ocrpipe/bulk/source/source.hpp>
#include <ocrpipe/bulk/source/source_notes.hpp>
#include <ocrpipe/core/config.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace ocrpipe
{

struct input_options {
    bool nul_separated = false; ///< names on standard input end with NUL, not with a line break
    /// Skipped when found in a directory: the run's output directory; may be empty.
    std::string skip_directory;
    bool follow_links = false; ///< see directory_options
    /// Documents modified less than this long ago, or in the future, may still be being written: they are
    /// skipped and counted, even if an earlier run has read them. 0 reads all.
    std::chrono::milliseconds min_age{0};
    /// The clock for min_age.
    std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
    /// Shared by all inputs of a run, so that each directory is read only once across them; may be null.
    std::shared_ptr<source_notes> notes;
};

/// Opens the source for a command-line INPUT: "-" reads names from standard input, a directory is walked, a
/// file with a manifest's extension (see manifest_format_of) is read as a manifest, and anything else is one
/// document. An argument that differs from the name on disk only in its Unicode normalization is found; ids
/// begin with the argument as given.
///
/// Never fails: an input that does not exist or cannot be read becomes a source that yields one problem. An
/// input that yields nothing at all is recorded in the notes.
OCRPIPE_DECL std::unique_ptr<source> open_input(std::string const& argument,
                                                input_options const& options = {});

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/open_input.ipp>
#endif

#endif
