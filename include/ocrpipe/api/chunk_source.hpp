#ifndef OCRPIPE_API_CHUNK_SOURCE_HPP
#define OCRPIPE_API_CHUNK_SOURCE_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/task.hpp>

#include <cstddef>
#include <span>

namespace ocrpipe
{

/// Yields the bytes of a document while they are sent; implement it and pass it to document::from_chunks().
///
/// It is read only as fast as the document is sent: read() is called again when the bytes before it have been
/// handed to the operating system.
///
/// Thread safety: one call at a time, where the client keeps its state. If your source belongs to another
/// executor, let read() switch to it and back.
class chunk_source
{
public:
    virtual ~chunk_source() = default;

    /// Reads the next bytes into `out`, which is not empty, and returns how many; 0 at the end. It need not
    /// fill `out`.
    ///
    /// Errors: in `ec`, or thrown. The submit ends with errc::unreadable_file and this error as its cause.
    /// What the service got is not a complete request.
    /// Cancellation: must end soon. It is cancelled with the submit, if the service answers or the connection
    /// breaks before all bytes are sent, and after timeout_options::write_stall.
    virtual task<std::size_t> read(std::span<char> out, error_code& ec) = 0;

    /// Whether rewind() is possible, so that a document may be sent again after a failed attempt.
    virtual bool can_rewind() const noexcept { return false; }

    /// Returns to the first byte. Called only if can_rewind(). If it fails, the next read() says so.
    virtual void rewind() {}
};

} // namespace ocrpipe

#endif
