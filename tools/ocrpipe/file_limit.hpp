#ifndef OCRPIPE_TOOLS_FILE_LIMIT_HPP
#define OCRPIPE_TOOLS_FILE_LIMIT_HPP

#include <ocrpipe/client/client_options.hpp>

#include "message.hpp"

#include <cstdint>
#include <optional>

namespace ocrpipe::cli
{

/// How many files and sockets the process may open, and how many it wants.
struct file_limit {
    std::uint64_t before = 0; ///< the soft limit that was found
    std::uint64_t now = 0;    ///< after raising it to the hard one, if that was needed
    std::uint64_t needed = 0;
};

/// Descriptors of a run: a connection each, a document each for those being sent, and some for results,
/// directories and the like.
std::uint64_t descriptors_needed(pool_options const& pool) noexcept;

/// Raises the soft limit to the hard one when it is too low.
file_limit raise_file_limit(pool_options const& pool) noexcept;

/// What there is to say about it; nothing when the limit was high enough.
std::optional<message> file_limit_message(file_limit const& l);

} // namespace ocrpipe::cli

#endif
