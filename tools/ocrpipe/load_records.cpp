#include "load_records.hpp"

#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/core/write_all.hpp>

#include <boost/system/errc.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <initializer_list>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

constexpr char const* jobs_name = "/jobs.jsonl";
constexpr char const* accepted_name = "/accepted.jsonl";

/// Whether another process holds the lock that a load test keeps on its jobs.jsonl.
bool is_locked(std::string const& path)
{
    unique_fd const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    return fd && ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

} // namespace

error_code growing_file::create(std::string path)
{
    path_ = std::move(path);
    fd_ = unique_fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
    return fd_ ? error_code() : errno_code();
}

error_code growing_file::flush()
{
    if (lines_.empty()) return {};
    error_code const ec = detail::write_all(fd_.get(), lines_);
    if (!ec) {
        size_ += lines_.size();
        lines_.clear();
        return {};
    }
    struct ::stat now{};
    if (::fstat(fd_.get(), &now) != 0) return ec;
    std::size_t const written = static_cast<std::size_t>(now.st_size) - size_;
    std::size_t const whole = written == 0 ? 0 : lines_.rfind('\n', written - 1) + 1; // npos + 1 is 0
    if (whole != written && ::ftruncate(fd_.get(), static_cast<::off_t>(size_ + whole)) != 0) return ec;
    size_ += whole;
    lines_.erase(0, whole);
    return ec;
}

error_code growing_file::check() const
{
    struct ::stat now{};
    struct ::stat there{};
    if (::fstat(fd_.get(), &now) != 0) return errno_code();
    bool const is_there = ::stat(path_.c_str(), &there) == 0 && there.st_dev == now.st_dev &&
                          there.st_ino == now.st_ino && static_cast<std::size_t>(now.st_size) >= size_;
    return is_there ? error_code() : make_error_code(boost::system::errc::no_such_file_or_directory);
}

error_code growing_file::sync()
{
    if (error_code const ec = flush()) return ec;
    return ::fsync(fd_.get()) == 0 ? error_code() : errno_code();
}

error_code load_records::open(std::string const& directory)
{
    std::error_code ec;
    std::filesystem::create_directories(directory, ec);
    if (ec) return error_code(ec.value(), boost::system::system_category());
    if (holds_results(directory)) return make_error_code(boost::system::errc::file_exists);
    if (error_code const failed = jobs_.create(directory + jobs_name)) return failed;
    // Readers tell by this lock whether the test still runs.
    ::flock(jobs_.descriptor(), LOCK_EX | LOCK_NB);
    return accepted_.create(directory + accepted_name);
}

void load_records::note(error_code const& ec)
{
    if (ec && !failed_) failed_ = ec;
}

void load_records::accepted(std::string_view document, std::string_view request_id)
{
    std::string line = R"({"document":)";
    detail::append_json_string(line, document);
    detail::append_json_string(line += R"(,"request_id":)", request_id);
    detail::append_json_time(line += R"(,"accepted_at":)", std::chrono::system_clock::now());
    accepted_.append(line += "}\n");
    note(accepted_.flush());
}

void load_records::ended(std::string_view line) { jobs_.append(line); }

void load_records::flush()
{
    note(jobs_.flush());
    note(accepted_.flush());
    note(jobs_.check());
    note(accepted_.check());
}

error_code load_records::finish()
{
    error_code ec = jobs_.sync();
    if (!ec) ec = jobs_.check();
    note(ec);
    note(accepted_.flush());
    return ec;
}

void load_records::complete() { ::unlink(accepted_.path().c_str()); }

void load_records::discard()
{
    ::unlink(jobs_.path().c_str());
    ::unlink(accepted_.path().c_str());
}

namespace
{

bool holds_one_of(std::string const& directory, std::initializer_list<char const*> names)
{
    return std::any_of(names.begin(), names.end(), [&directory](char const* name) {
        struct ::stat there{};
        return ::lstat((directory + name).c_str(), &there) == 0;
    });
}

} // namespace

bool holds_results(std::string const& directory)
{
    return holds_one_of(directory, {jobs_name, accepted_name, "/report.json", "/report.html", "/ledger.db"});
}

bool holds_load_test(std::string const& directory)
{
    return holds_one_of(directory, {jobs_name, accepted_name});
}

std::string unfinished_load_test(std::string const& directory)
{
    if (::access((directory + accepted_name).c_str(), F_OK) != 0) return {};
    if (is_locked(directory + jobs_name)) return "its load test still runs";
    return "its load test was killed, or could not write all its records: accepted.jsonl has the request_id "
           "of "
           "each document that the service accepted, and jobs.jsonl the documents that ended";
}

} // namespace ocrpipe::cli
