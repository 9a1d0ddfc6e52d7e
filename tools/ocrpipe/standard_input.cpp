#include "standard_input.hpp"

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <unistd.h>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

std::string name_of(std::string_view bytes, file_type asked_for)
{
    file_format const format = detect_format(bytes.substr(0, format_probe_size));
    bool const is_pdf = format == file_format::unknown && asked_for == file_type::pdf;
    return "stdin" + std::string(extension(is_pdf ? file_format::pdf : format));
}

} // namespace

result<submit_request> read_document(int descriptor, submit_request request, std::size_t most)
{
    constexpr std::size_t step = 1024 * 1024;
    std::string bytes;
    // One byte more than allowed tells a document that is too large from one that just fits.
    for (bool ended = false; !ended && bytes.size() <= most;) {
        std::size_t const size = bytes.size();
        std::size_t const room = std::min(step, most + 1 - size);
        bytes.resize(size + room);
        ::ssize_t n = 0;
        do
            n = ::read(descriptor, bytes.data() + size, room);
        while (n < 0 && errno == EINTR);
        if (n < 0) return failure(errc::unreadable_file, phase::prepare, {}, errno_code());
        bytes.resize(size + static_cast<std::size_t>(n));
        ended = n == 0;
    }
    if (bytes.empty()) return failure(errc::empty_document, phase::prepare, {});
    if (bytes.size() > most)
        return failure(errc::unreadable_file, phase::prepare,
                       fmt::format("it is larger than {} MiB: write it to a file and name the file",
                                   most / (1024 * 1024)));
    std::string name = name_of(bytes, request.type);
    request.doc = document::from_bytes(std::move(bytes), std::move(name));
    return request;
}

} // namespace ocrpipe::cli
