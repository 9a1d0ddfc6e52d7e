#include "standard_output.hpp"

#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/core/unique_fd.hpp>
#include <ocrpipe/core/write_all.hpp>

#include <boost/system/errc.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ocrpipe::cli
{

error_code write_standard_output(std::string_view bytes)
{
    error_code const ec = detail::write_all(STDOUT_FILENO, bytes);
    // A terminal that hung up counts as a reader that went away, as with a pipe.
    struct ::stat out {
    };
    bool const hung_up =
        ec == boost::system::errc::io_error && ::fstat(STDOUT_FILENO, &out) == 0 && S_ISCHR(out.st_mode);
    return hung_up || ec == boost::system::errc::broken_pipe ? error_code() : ec;
}

exit_code deliver(std::string_view bytes, std::string const& output, std::string_view what, logger& log)
{
    error_code ec;
    struct ::stat there {
    };
    if (output == "-") {
        ec = write_standard_output(bytes);
    } else if (::stat(output.c_str(), &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode)) {
        // A pipe or a device is written directly, not replaced.
        unique_fd const fd(::open(output.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
        ec = fd ? detail::write_all(fd.get(), bytes) : errno_code();
    } else {
        auto const slash = output.find_last_of('/');
        auto const folder = slash == std::string::npos ? std::string(".") : output.substr(0, slash + 1);
        ec =
            detail::write_file_atomically(folder, output.substr(slash + 1), bytes, detail::durability::power);
    }
    if (!ec) return exit_code::all_done;
    log.write(message(level::error, "output_failed",
                      fmt::format("{} could not be written to {}: {}", what,
                                  output == "-" ? "standard output" : output, ec.message()),
                      {{"output", output}, {"reason", ec.message()}}));
    return exit_code::disk_error;
}

} // namespace ocrpipe::cli
