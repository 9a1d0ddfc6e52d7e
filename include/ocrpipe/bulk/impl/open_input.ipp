#ifndef OCRPIPE_BULK_IMPL_OPEN_INPUT_IPP
#define OCRPIPE_BULK_IMPL_OPEN_INPUT_IPP

#include <ocrpipe/bulk/detail/examine.hpp>
#include <ocrpipe/bulk/detail/unique_fd.hpp>
#include <ocrpipe/bulk/directory_source.hpp>
#include <ocrpipe/bulk/manifest_source.hpp>
#include <ocrpipe/bulk/names_source.hpp>
#include <ocrpipe/bulk/open_input.hpp>

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ocrpipe
{
namespace detail
{

class single_source final : public source
{
public:
    explicit single_source(input only) : only_(std::move(only)) {}
    std::optional<input> next() override { return std::exchange(only_, std::nullopt); }

private:
    std::optional<input> only_;
};

} // namespace detail

OCRPIPE_DECL std::unique_ptr<source> open_input(std::string const& argument, input_options const& options)
{
    if (argument == "-") {
        // A duplicate, so that the source closes a descriptor of its own and not the process's standard
        // input.
        detail::unique_fd fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
        if (!fd) return std::make_unique<detail::single_source>(detail::unreadable("-", {}, errno));
        auto const separator =
            options.nul_separated ? names_source::separator::nul : names_source::separator::line;
        return std::make_unique<names_source>(std::move(fd), separator, "-");
    }
    struct ::stat status {
    };
    if (::stat(argument.c_str(), &status) != 0)
        return std::make_unique<detail::single_source>(detail::unreadable(argument, {}, errno));
    if (S_ISDIR(status.st_mode)) return std::make_unique<directory_source>(argument, options.skip_directory);
    if (auto const format = manifest_format_of(argument))
        return std::make_unique<manifest_source>(argument, *format);
    return std::make_unique<detail::single_source>(
        detail::examine_status(detail::clean_path(argument), {}, status));
}

} // namespace ocrpipe

#endif
