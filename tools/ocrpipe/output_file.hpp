#ifndef OCRPIPE_TOOLS_OUTPUT_FILE_HPP
#define OCRPIPE_TOOLS_OUTPUT_FILE_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// Output that is too large for memory: standard output, a file that is moved into place once it is complete,
/// or a pipe or device that is written directly.
class output_file
{
public:
    output_file() = default;
    output_file(output_file const&) = delete;
    output_file& operator=(output_file const&) = delete;
    /// Without finish(), an existing file is kept.
    ~output_file();

    /// `path`: - is standard output. Errors: a system error; likewise for append() and finish().
    error_code open(std::string path);
    error_code append(std::string_view bytes);
    error_code finish();

    /// Returns false once the reader has gone away: further output is then useless.
    bool is_of_use() const noexcept { return !reader_gone_; }

private:
    error_code flush();

    std::string path_;
    std::string draft_; ///< empty if the target is written directly
    unique_fd fd_;
    std::string buffer_;
    bool reader_gone_ = false;
};

} // namespace ocrpipe::cli

#endif
