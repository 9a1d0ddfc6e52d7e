#ifndef OCRPIPE_BULK_OPEN_INPUT_HPP
#define OCRPIPE_BULK_OPEN_INPUT_HPP

#include <ocrpipe/bulk/source.hpp>
#include <ocrpipe/config.hpp>

#include <memory>
#include <string>

namespace ocrpipe
{

struct input_options {
    bool nul_separated = false; ///< names on standard input end with NUL, not with a line break
    std::string skip_directory; ///< passed over below directories: where the run writes; may be empty
};

/// The source that an INPUT of the command line stands for: "-" for names on standard input, a directory, a
/// manifest by its ending (see manifest_format_of), else one file.
///
/// Never fails: what does not exist or cannot be read is a source of one problem.
OCRPIPE_DECL std::unique_ptr<source> open_input(std::string const& argument,
                                                input_options const& options = {});

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/open_input.ipp>
#endif

#endif
