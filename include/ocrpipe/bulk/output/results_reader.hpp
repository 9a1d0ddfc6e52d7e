#ifndef OCRPIPE_BULK_OUTPUT_RESULTS_READER_HPP
#define OCRPIPE_BULK_OUTPUT_RESULTS_READER_HPP

#include <ocrpipe/bulk/ledger/result_location.hpp>
#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// Reads the lines of all results files in a folder, in the order of the file numbers.
///
/// May be used while a run is active: an incomplete last line is ignored.
///
/// Thread safety: none. Cost: memory for the longest line.
class results_reader
{
public:
    /// Errors: errc::unwritable_output with the system error as cause, if the folder cannot be listed.
    static result<results_reader> open(std::string folder);

    /// Numbers of the existing files.
    std::vector<std::uint64_t> const& files() const noexcept { return files_; }

    /// Advances to the next line; returns false at the end.
    ///
    /// Errors: errc::unreadable_file. A file that was moved away meanwhile is skipped.
    result<bool> next();

    /// The current line, without its line break; valid until the next call of next().
    std::string_view line() const noexcept { return std::string_view(buffer_).substr(begin_, length_); }
    result_location where() const noexcept { return {number_, offset_, length_ + 1}; }

    /// Returns to the first line.
    void rewind();

private:
    explicit results_reader(std::string folder) : folder_(std::move(folder)) {}

    std::string folder_;
    std::vector<std::uint64_t> files_;
    std::size_t next_file_ = 0;
    unique_fd fd_;
    std::uint64_t number_ = 0;
    std::string buffer_;
    std::size_t begin_ = 0;  ///< of the line, in buffer_
    std::size_t length_ = 0; ///< of the line
    bool has_line_ = false;
    std::uint64_t offset_ = 0;  ///< of the line, in the file
    std::uint64_t read_to_ = 0; ///< of the file
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/results_reader.ipp>
#endif

#endif
