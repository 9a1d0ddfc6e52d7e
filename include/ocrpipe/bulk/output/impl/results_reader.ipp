#ifndef OCRPIPE_BULK_OUTPUT_IMPL_RESULTS_READER_IPP
#define OCRPIPE_BULK_OUTPUT_IMPL_RESULTS_READER_IPP

#include <ocrpipe/bulk/output/results_reader.hpp>
#include <ocrpipe/bulk/output/results_writer.hpp>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace ocrpipe
{

OCRPIPE_DECL result<results_reader> results_reader::open(std::string folder)
{
    results_reader r(std::move(folder));
    result<std::vector<std::uint64_t>> numbers = results_files(r.folder_);
    if (!numbers) return numbers.error();
    r.files_ = std::move(*numbers);
    return r;
}

OCRPIPE_DECL void results_reader::rewind()
{
    next_file_ = 0;
    fd_ = {};
    has_line_ = false;
}

OCRPIPE_DECL result<bool> results_reader::next()
{
    constexpr std::size_t piece = 256 * 1024;
    auto const failed = [this](error_code cause) {
        return failure(errc::unreadable_file, phase::prepare, folder_ + "/" + results_file_name(number_),
                       cause);
    };
    if (std::exchange(has_line_, false)) {
        begin_ += length_ + 1;
        offset_ += length_ + 1;
    }
    for (;;) {
        if (!fd_) {
            if (next_file_ == files_.size()) return false;
            number_ = files_[next_file_++];
            fd_ =
                unique_fd(::open((folder_ + "/" + results_file_name(number_)).c_str(), O_RDONLY | O_CLOEXEC));
            if (!fd_ && errno == ENOENT) continue;
            if (!fd_) return failed(errno_code());
            buffer_.clear();
            begin_ = length_ = 0;
            offset_ = read_to_ = 0;
        }
        std::size_t scanned = begin_;
        for (;;) {
            std::size_t const end = buffer_.find('\n', scanned);
            if (end != std::string::npos) {
                length_ = end - begin_;
                has_line_ = true;
                return true;
            }
            buffer_.erase(0, std::exchange(begin_, 0));
            scanned = buffer_.size();
            buffer_.resize(scanned + piece);
            ::ssize_t const n =
                ::pread(fd_.get(), buffer_.data() + scanned, piece, static_cast<::off_t>(read_to_));
            buffer_.resize(scanned + static_cast<std::size_t>(n > 0 ? n : 0));
            if (n < 0 && errno == EINTR) continue;
            if (n < 0) return failed(errno_code());
            if (n == 0) break;
            read_to_ += static_cast<std::uint64_t>(n);
        }
        fd_ = {};
    }
}

} // namespace ocrpipe

#endif
