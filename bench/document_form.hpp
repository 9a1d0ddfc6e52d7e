#ifndef OCRPIPE_BENCH_DOCUMENT_FORM_HPP
#define OCRPIPE_BENCH_DOCUMENT_FORM_HPP

#include <cstddef>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace bench
{

/// The multipart form around a document, by hand: what stands before and after the file's bytes.
inline constexpr std::string_view form_content_type = "multipart/form-data; boundary=bench-4f1c09a2d37be865";
inline constexpr std::string_view form_head =
    "--bench-4f1c09a2d37be865\r\nContent-Disposition: form-data; name=\"flow\"\r\n\r\nsingle\r\n"
    "--bench-4f1c09a2d37be865\r\nContent-Disposition: form-data; name=\"doc_type\"\r\n\r\nINVOICE\r\n"
    "--bench-4f1c09a2d37be865\r\nContent-Disposition: form-data; name=\"file_type\"\r\n\r\nPDF\r\n"
    "--bench-4f1c09a2d37be865\r\nContent-Disposition: form-data; name=\"file\"; "
    "filename=\"document.pdf\"\r\nContent-Type: application/pdf\r\n\r\n";
inline constexpr std::string_view form_tail = "\r\n--bench-4f1c09a2d37be865--\r\n";

constexpr std::size_t form_size(std::size_t document_size)
{
    return form_head.size() + document_size + form_tail.size();
}

/// A document that is being read; three system calls for a small one.
class document_file
{
public:
    document_file() = default;
    explicit document_file(std::string const& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC))
    {
        if (fd_ < 0) throw std::runtime_error("cannot open " + path);
    }
    document_file(document_file&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    document_file& operator=(document_file&& other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~document_file()
    {
        if (fd_ >= 0) ::close(fd_);
    }

    /// Exactly `size` bytes.
    void read(char* out, std::size_t size)
    {
        for (std::size_t done = 0; done != size;) {
            ssize_t const n = ::read(fd_, out + done, size - done);
            if (n <= 0) throw std::runtime_error("a document is shorter than --size");
            done += static_cast<std::size_t>(n);
        }
    }

private:
    int fd_ = -1;
};

} // namespace bench

#endif
