#ifndef OCRPIPE_TESTS_UNIT_BULK_OUTPUT_FILE_SIZE_LIMIT_HPP
#define OCRPIPE_TESTS_UNIT_BULK_OUTPUT_FILE_SIZE_LIMIT_HPP

#include <csignal>
#include <stdexcept>
#include <sys/resource.h>

/// While this lives, no file of the process grows past `bytes`: a write across them is short, and the next
/// one fails with EFBIG. What a full disk does with ENOSPC, without a disk of the test's own.
class file_size_limit
{
public:
    explicit file_size_limit(::rlim_t bytes) : handler_before_(std::signal(SIGXFSZ, SIG_IGN))
    {
        if (::getrlimit(RLIMIT_FSIZE, &before_) != 0) throw std::runtime_error("getrlimit");
        ::rlimit now = before_;
        now.rlim_cur = bytes;
        if (::setrlimit(RLIMIT_FSIZE, &now) != 0) throw std::runtime_error("setrlimit");
    }
    ~file_size_limit()
    {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_before_);
    }
    file_size_limit(file_size_limit const&) = delete;
    file_size_limit& operator=(file_size_limit const&) = delete;

private:
    void (*handler_before_)(int);
    ::rlimit before_{};
};

#endif
