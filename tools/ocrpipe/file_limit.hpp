#ifndef OCRPIPE_TOOLS_FILE_LIMIT_HPP
#define OCRPIPE_TOOLS_FILE_LIMIT_HPP

#include <ocrpipe/client/client_options.hpp>

#include "message.hpp"

#include <cstdint>
#include <optional>

namespace ocrpipe::cli
{

/// The number of files and sockets that the process may open, and the number it needs.
struct file_limit {
    std::uint64_t before = 0; ///< the initial soft limit
    std::uint64_t now = 0;    ///< after raising it to the hard one, if that was needed
    std::uint64_t needed = 0;
};

/// The number of descriptors that a run needs: one per connection, one per document being sent, and some for
/// results, directories and so on.
std::uint64_t descriptors_needed(pool_options const& pool) noexcept;

/// Raises the soft limit to the hard limit if it is too low.
file_limit raise_file_limit(pool_options const& pool) noexcept;

/// Returns a message about the limit; nothing if it was high enough.
std::optional<message> file_limit_message(file_limit const& l);

} // namespace ocrpipe::cli

#endif
