#ifndef OCRPIPE_BENCH_RESULTS_FILE_HPP
#define OCRPIPE_BENCH_RESULTS_FILE_HPP

#include <cstddef>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>

namespace bench
{

/// The JSONL file of results, written in large pieces.
class results_file
{
public:
    explicit results_file(std::string const& path)
        : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600))
    {
        if (fd_ < 0) throw std::runtime_error("cannot create " + path);
        pending_.reserve(flush_at + 64 * 1024);
    }
    results_file(results_file const&) = delete;
    results_file& operator=(results_file const&) = delete;
    ~results_file() { ::close(fd_); }

    void append(std::size_t document, std::string_view request_id, std::string_view result_json)
    {
        pending_ += "{\"id\":\"";
        pending_ += std::to_string(document);
        pending_ += "\",\"request_id\":\"";
        pending_ += request_id;
        pending_ += "\",\"result\":";
        pending_ += result_json;
        pending_ += "}\n";
        appended();
    }

    /// For a line of the caller's own: append to line(), then call appended().
    std::string& line() { return pending_; }
    void appended()
    {
        ++count_;
        if (pending_.size() >= flush_at) flush();
    }

    void flush()
    {
        for (std::string_view rest = pending_; !rest.empty();) {
            ssize_t const n = ::write(fd_, rest.data(), rest.size());
            if (n < 0) throw std::runtime_error("cannot write the results");
            rest.remove_prefix(static_cast<std::size_t>(n));
        }
        pending_.clear();
    }

    std::size_t count() const { return count_; }

private:
    static constexpr std::size_t flush_at = 256 * 1024;

    int fd_;
    std::string pending_;
    std::size_t count_ = 0;
};

} // namespace bench

#endif
