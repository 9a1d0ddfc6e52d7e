#ifndef OCRPIPE_BULK_SOURCE_IMPL_OPEN_INPUT_IPP
#define OCRPIPE_BULK_SOURCE_IMPL_OPEN_INPUT_IPP

#include <ocrpipe/bulk/source/directory_source.hpp>
#include <ocrpipe/bulk/source/examine.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>
#include <ocrpipe/bulk/source/names_source.hpp>
#include <ocrpipe/bulk/source/open_input.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
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

/// Documents in a folder given in another Unicode form of its name: ids use the form as given.
class renamed_source final : public source
{
public:
    renamed_source(std::unique_ptr<source> s, std::string real, std::string given)
        : source_(std::move(s)), real_(std::move(real)), given_(std::move(given))
    {
    }

    std::optional<input> next() override
    {
        std::optional<input> found = source_->next();
        if (auto* const item = found ? std::get_if<input_item>(&*found) : nullptr)
            rename(item->id);
        else if (found)
            rename(std::get<input_problem>(*found).path);
        return found;
    }

private:
    void rename(std::string& path) const
    {
        if (path.starts_with(real_)) path.replace(0, real_.size(), given_);
    }

    std::unique_ptr<source> source_;
    std::string const real_;
    std::string const given_;
};

/// Wraps one INPUT: drops documents that are too young, and notes an input without any documents.
class watched_source final : public source
{
public:
    watched_source(std::unique_ptr<source> s, std::string name, std::string_view when_empty,
                   input_options const& options)
        : source_(std::move(s)), name_(std::move(name)), when_empty_(when_empty), min_age_(options.min_age)
        , now_(options.now), notes_(options.notes)
    {
    }

    std::optional<input> next() override
    {
        if (!begun_) {
            begun_ = true;
            before_ = counts::of(*notes_);
        }
        for (;;) {
            std::optional<input> found = source_->next();
            auto const* const item = found ? std::get_if<input_item>(&*found) : nullptr;
            if (item && is_too_young(*item)) {
                ++notes_->too_young;
                continue;
            }
            if (found)
                ++found_;
            else
                end();
            return found;
        }
    }

private:
    struct counts {
        std::uint64_t links = 0;
        std::uint64_t repeated = 0;
        std::uint64_t young = 0;
        std::uint64_t hidden = 0;

        static counts of(source_notes const& n)
        {
            return {n.links_skipped, n.links_repeated + n.directories_repeated, n.too_young, n.hidden};
        }
    };

    bool is_too_young(input_item const& item) const
    {
        // A document that the service already has is not sent.
        if (min_age_.count() == 0 || item.mtime_ns == 0 || !item.request_id.empty()) return false;
        std::chrono::nanoseconds const age =
            now_().time_since_epoch() - std::chrono::nanoseconds(item.mtime_ns);
        return age < min_age_;
    }

    void end()
    {
        if (std::exchange(ended_, true) || found_ > 0) return;
        counts const now = counts::of(*notes_);
        // Files read under another name or through another input do not count as missing.
        if (now.repeated > before_.repeated) return;
        std::string why;
        auto const add = [&why](std::uint64_t n, std::string_view what) {
            if (n > 0) why += fmt::format("{}{}: {}", why.empty() ? "" : ", ", what, n);
        };
        add(now.young - before_.young, "files that may still be written");
        add(now.links - before_.links, "links that are not followed");
        add(now.hidden - before_.hidden, "names that begin with a dot");
        ++notes_->empty_inputs;
        notes_->add("nothing_found",
                    fmt::format("no documents found in {}: {}", printable_excerpt(name_, 1024),
                                why.empty() ? std::string(when_empty_) : why));
    }

    std::unique_ptr<source> source_;
    std::string const name_;
    std::string_view const when_empty_;
    std::chrono::milliseconds const min_age_;
    std::function<std::chrono::system_clock::time_point()> const now_;
    std::shared_ptr<source_notes> const notes_;
    counts before_;
    std::uint64_t found_ = 0;
    bool begun_ = false;
    bool ended_ = false;
};

} // namespace detail

OCRPIPE_DECL std::unique_ptr<source> open_input(std::string const& argument, input_options const& given)
{
    input_options options = given;
    if (!options.notes) options.notes = std::make_shared<source_notes>();
    auto const watched = [&](std::unique_ptr<source> s, std::string name, std::string_view when_empty) {
        return std::make_unique<detail::watched_source>(std::move(s), std::move(name), when_empty, options);
    };
    if (argument == "-") {
        // A duplicate, so that the source closes a descriptor of its own and not the process's standard
        // input.
        unique_fd fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
        if (!fd) return std::make_unique<detail::single_source>(detail::unreadable("-", {}, errno));
        auto const separator =
            options.nul_separated ? names_source::separator::nul : names_source::separator::line;
        return watched(std::make_unique<names_source>(std::move(fd), separator, "-"),
                       "the names on standard input", "there were no names");
    }
    std::string real = argument;
    struct ::stat status {
    };
    if (::stat(real.c_str(), &status) != 0) {
        int const error_number = errno;
        real = detail::path_on_disk(argument);
        if (real == argument || ::stat(real.c_str(), &status) != 0) {
            input_problem problem = detail::unreadable(argument, {}, error_number);
            if (std::string const why = detail::name_finder().find(argument).ambiguous; !why.empty())
                (problem.message += ": ") += why;
            return std::make_unique<detail::single_source>(std::move(problem));
        }
    }
    if (S_ISDIR(status.st_mode)) {
        directory_options how;
        how.skip = options.skip_directory;
        how.follow_links = options.follow_links;
        how.notes = options.notes;
        std::unique_ptr<source> s = std::make_unique<directory_source>(real, std::move(how));
        if (real != argument)
            s = std::make_unique<detail::renamed_source>(std::move(s), detail::clean_path(real),
                                                         detail::clean_path(argument));
        return watched(std::move(s), argument, "it contains no files");
    }
    if (auto const format = manifest_format_of(argument))
        return watched(std::make_unique<manifest_source>(argument, *format, options.notes), argument,
                       *format == manifest_format::csv ? "the manifest has a header and no rows"
                                                       : "the manifest has no rows");
    // Another link to this file is then skipped, because the file is read anyway.
    options.notes->reach_by_link({status.st_dev, status.st_ino});
    input only = detail::examine_status(detail::clean_path(argument), {}, status);
    if (auto* const item = std::get_if<input_item>(&only)) item->path = detail::clean_path(real);
    return watched(std::make_unique<detail::single_source>(std::move(only)), argument, {});
}

} // namespace ocrpipe

#endif
