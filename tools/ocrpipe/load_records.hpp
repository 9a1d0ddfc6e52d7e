#ifndef OCRPIPE_TOOLS_LOAD_RECORDS_HPP
#define OCRPIPE_TOOLS_LOAD_RECORDS_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// A new file to which lines are appended. Lines that could not be written are kept for the next attempt, and
/// the file never ends within a line.
class growing_file
{
public:
    /// Errors: file_exists, or another system error.
    error_code create(std::string path);
    /// no_such_file_or_directory if somebody removed, replaced or truncated the file.
    error_code check() const;
    void append(std::string_view line) { lines_ += line; }
    error_code flush();
    error_code sync();

    std::string const& path() const noexcept { return path_; }
    std::string const& unwritten() const noexcept { return lines_; }
    int descriptor() const noexcept { return fd_.get(); }

private:
    std::string path_;
    unique_fd fd_;
    std::string lines_;
    std::size_t size_ = 0;
};

/// What a load test leaves in its directory while it runs, so that a killed process loses no request_id:
/// jobs.jsonl has the documents that ended, and accepted.jsonl those that the service accepted. When
/// jobs.jsonl and the report are complete, accepted.jsonl is removed.
class load_records
{
public:
    /// Errors: file_exists if the directory has the files of a run or of another load test; otherwise a
    /// system error.
    error_code open(std::string const& directory);
    /// Written at once: the request_id is what was paid for.
    void accepted(std::string_view document, std::string_view request_id);
    /// `line`: of jobs.jsonl. Written by the next flush().
    void ended(std::string_view line);
    void flush();
    /// Writes what is left. If it yields no error, jobs.jsonl is complete, even if an earlier write failed.
    error_code finish();
    /// Removes accepted.jsonl, since jobs.jsonl and the report are complete.
    void complete();
    /// Removes both files: nothing was sent.
    void discard();

    /// The first error of a write; ok if there was none.
    error_code const& failed() const noexcept { return failed_; }
    /// The lines of accepted.jsonl that could not be written.
    std::string const& lost() const noexcept { return accepted_.unwritten(); }

private:
    void note(error_code const& ec);

    growing_file jobs_;
    growing_file accepted_;
    error_code failed_;
};

/// Whether the directory has the files of a run or of a load test, which must not be overwritten.
bool holds_results(std::string const& directory);

/// Whether the directory has the records of a load test.
bool holds_load_test(std::string const& directory);

/// If the directory has the records of a load test that has not come to its end: what it is, as a sentence
/// without its stop. Otherwise empty.
std::string unfinished_load_test(std::string const& directory);

} // namespace ocrpipe::cli

#endif
