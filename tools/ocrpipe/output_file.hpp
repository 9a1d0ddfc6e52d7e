#ifndef OCRPIPE_TOOLS_OUTPUT_FILE_HPP
#define OCRPIPE_TOOLS_OUTPUT_FILE_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// Output that is too large for the memory: standard output, a file that takes its place when all of it is
/// written, or a pipe or device that is written to.
class output_file
{
public:
    output_file() = default;
    output_file(output_file const&) = delete;
    output_file& operator=(output_file const&) = delete;
    /// Without finish(), a file that was there stays.
    ~output_file();

    /// `path`: - is standard output. Errors: the system's; likewise of append() and finish().
    error_code open(std::string path);
    error_code append(std::string_view bytes);
    error_code finish();

    /// For a reader that goes away, nothing of what follows is needed.
    bool is_of_use() const noexcept { return !reader_gone_; }

private:
    error_code flush();

    std::string path_;
    std::string draft_; ///< empty when the target is written to directly
    unique_fd fd_;
    std::string buffer_;
    bool reader_gone_ = false;
};

} // namespace ocrpipe::cli

#endif
