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

/// Reads the lines of all results files in a folder, file by file in the order of their numbers.
///
/// May be used beside a run: a line that has no end yet is not there yet.
///
/// Thread safety: none. Cost: memory for the longest line.
class results_reader
{
public:
    /// Errors: errc::unwritable_output with the system's error when the folder cannot be listed.
    static result<results_reader> open(std::string folder);

    /// The files that there are, by number.
    std::vector<std::uint64_t> const& files() const noexcept { return files_; }

    /// Goes to the next line; false at the end.
    ///
    /// Errors: errc::unreadable_file. A file that was moved away meanwhile is passed over.
    result<bool> next();

    /// The line of the last next(), without its line break; valid until the next one.
    std::string_view line() const noexcept { return std::string_view(buffer_).substr(begin_, length_); }
    result_location where() const noexcept { return {number_, offset_, length_ + 1}; }

    /// Back to the first line.
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
