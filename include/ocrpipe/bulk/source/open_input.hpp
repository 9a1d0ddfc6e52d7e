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
    std::string skip_directory; ///< passed over below directories: where the run writes; may be empty
    bool follow_links = false;  ///< see directory_options
    /// Documents that were modified less than this long ago, or in the future, are skipped and counted: they
    /// may still be written. 0 reads all. What an earlier run has read already is skipped, too.
    std::chrono::milliseconds min_age{0};
    /// What time it is, for min_age.
    std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
    /// One for all inputs of a run, so that each directory is read once in all of them; may be null.
    std::shared_ptr<source_notes> notes;
};

/// The source that an INPUT of the command line stands for: "-" for names on standard input, a directory, a
/// manifest by its ending (see manifest_format_of), else one file. An argument that differs from the name on
/// the disk only in its Unicode normalization is found; ids begin with the argument as it was given.
///
/// Never fails: what does not exist or cannot be read is a source of one problem. The notes are told when an
/// input yields nothing at all.
OCRPIPE_DECL std::unique_ptr<source> open_input(std::string const& argument,
                                                input_options const& options = {});

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/open_input.ipp>
#endif

#endif
