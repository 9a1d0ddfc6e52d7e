#ifndef OCRPIPE_BULK_SOURCE_IMPL_DIRECTORY_SOURCE_IPP
#define OCRPIPE_BULK_SOURCE_IMPL_DIRECTORY_SOURCE_IPP

#include <ocrpipe/bulk/source/directory_source.hpp>
#include <ocrpipe/bulk/source/examine.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace ocrpipe
{

class directory_source::walk
{
public:
    walk(std::string root, directory_options options)
        : root_(detail::clean_path(root)), options_(std::move(options))
        , notes_(options_.notes ? options_.notes : std::make_shared<source_notes>())
    {
        if (std::string real = real_path(root_); !real.empty()) notes_->roots.push_back(std::move(real));
    }

    std::optional<input> next()
    {
        if (!started_) {
            started_ = true;
            struct ::stat status {
            };
            if (!options_.skip.empty() && ::stat(options_.skip.c_str(), &status) == 0)
                skip_ = identity_of(status);
            if (auto problem = enter(AT_FDCWD, root_.c_str(), root_, way::by_name)) return problem;
            if (open_.empty() && repeated_ > 0) {
                notes_->add("directory_repeated",
                            fmt::format("{} is part of another input and was read there: it is not read again",
                                        printable_excerpt(root_, 1024)));
                repeated_ = 0;
            }
        }
        while (!open_.empty()) {
            level& here = open_.back();
            if (here.left.empty()) here.list();
            if (here.left.empty()) {
                int const error_number = here.error_number;
                notes_->hidden += here.hidden;
                std::string const path = std::move(here.path);
                open_.pop_back();
                if (error_number != 0) return detail::unreadable(path, {}, error_number);
                continue;
            }
            std::string const name = here.names.c_str() + here.left.back();
            here.left.pop_back();
            if (auto found = visit(name.c_str())) return found;
        }
        if (std::uint64_t const n = std::exchange(repeated_, 0))
            notes_->add("directories_repeated",
                        fmt::format("directories below {} that were read before, under another name or for "
                                    "another input, and are not read again: {}",
                                    printable_excerpt(root_, 1024), n));
        return std::nullopt;
    }

private:
    static constexpr std::size_t max_depth = 64;
    static constexpr std::size_t names_at_once = 65'536;

    using identity = source_notes::identity;
    enum class way { by_name, by_link };
    struct closer {
        void operator()(::DIR* d) const noexcept { ::closedir(d); }
    };
    struct level {
        std::unique_ptr<::DIR, closer> stream;
        bool by_link; ///< this directory, or one above, was reached by a link
        std::string path;
        std::string names;             ///< each terminated by NUL
        std::vector<std::size_t> left; ///< offsets of the remaining names, the next one last
        std::uint64_t hidden = 0;      ///< names that were skipped
        int error_number = 0;          ///< errno that ended the listing

        void list()
        {
            names.clear();
            while (left.size() != names_at_once && error_number == 0) {
                errno = 0;
                ::dirent const* const entry = ::readdir(stream.get());
                if (!entry) {
                    error_number = errno;
                    break;
                }
                if (entry->d_name[0] == '.') {
                    std::string_view const name = entry->d_name;
                    hidden += name != "." && name != "..";
                    continue;
                }
                left.push_back(names.size());
                (names += entry->d_name) += '\0';
            }
            std::sort(left.begin(), left.end(), [this](std::size_t a, std::size_t b) {
                return std::strcmp(names.c_str() + a, names.c_str() + b) > 0;
            });
        }
    };

    static identity identity_of(struct ::stat const& s) noexcept { return {s.st_dev, s.st_ino}; }

    /// Empty if there is none.
    static std::string real_path(std::string const& path)
    {
        std::unique_ptr<char, void (*)(void*)> const real(::realpath(path.c_str(), nullptr), &std::free);
        return real ? real.get() : std::string();
    }

    std::optional<input> visit(char const* name)
    {
        int const folder = ::dirfd(open_.back().stream.get());
        std::string path = detail::join_path(open_.back().path, name);
        struct ::stat status {
        };
        if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT) return std::nullopt; // removed or renamed since it was listed
            return detail::unreadable(std::move(path), {}, errno);
        }
        if (S_ISLNK(status.st_mode)) return visit_link(folder, name, std::move(path));
        bool const by_link = open_.back().by_link;
        if (S_ISDIR(status.st_mode))
            return enter(folder, name, std::move(path), by_link ? way::by_link : way::by_name);
        if (by_link && S_ISREG(status.st_mode) && notes_->was_reached_by_link(identity_of(status))) {
            ++notes_->links_skipped;
            ++notes_->links_repeated;
            return std::nullopt;
        }
        return detail::examine_status(std::move(path), {}, status);
    }

    /// Follows a symbolic link, skips it, or reports why it cannot be resolved.
    std::optional<input> visit_link(int folder, char const* name, std::string path)
    {
        struct ::stat status {
        };
        if (::fstatat(folder, name, &status, 0) != 0) {
            int const error_number = errno;
            bool const gone = ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0;
            if (gone && error_number == ENOENT) return std::nullopt;
            return detail::unreadable(std::move(path), {}, error_number);
        }
        bool const is_directory = S_ISDIR(status.st_mode);
        if (!is_directory && !S_ISREG(status.st_mode))
            return detail::examine_status(std::move(path), {}, status);
        std::string const real = real_path(path);
        place const where = place_of(real);
        auto const skip = [this](bool is_repeated) {
            ++notes_->links_skipped;
            notes_->links_repeated += is_repeated;
            return std::nullopt;
        };
        if (where == place::read_anyway) return skip(true);
        if (!options_.follow_links && (is_directory || where == place::outside)) return skip(false);
        if (is_directory) {
            if (skip_ == identity_of(status)) return std::nullopt;
            if (notes_->has_entered(identity_of(status))) return skip(true);
            return enter(folder, name, std::move(path), way::by_link);
        }
        // Check whether the target will be found under its own name in a directory that is read.
        std::string const above = real.substr(0, real.rfind('/') + 1);
        struct ::stat directory {
        };
        bool const is_hidden = real.compare(above.size(), 1, ".") == 0;
        if (!is_hidden && !real.empty() && ::stat(above.c_str(), &directory) == 0 &&
            notes_->has_entered(identity_of(directory)))
            return skip(true);
        if (!notes_->reach_by_link(identity_of(status))) return skip(true);
        return detail::examine_status(std::move(path), {}, status);
    }

    enum class place {
        read_anyway, ///< below a root, under a name that is not hidden
        hidden,      ///< below a root
        outside
    };
    place place_of(std::string const& real) const
    {
        place best = place::outside;
        for (std::string const& root : notes_->roots) {
            std::string_view rest = real;
            if (!rest.starts_with(root)) continue;
            rest.remove_prefix(root == "/" ? 0 : root.size());
            if (!rest.empty() && rest.front() != '/') continue;
            if (rest.find("/.") == std::string_view::npos) return place::read_anyway;
            best = place::hidden;
        }
        return best;
    }

    /// Enters a directory unless it must be skipped; returns the problem if there is one.
    std::optional<input> enter(int folder, char const* name, std::string path, way how)
    {
        bool const is_root = open_.empty();
        int const follow = is_root || how == way::by_link ? 0 : O_NOFOLLOW;
        unique_fd fd(
            ::openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | follow));
        struct ::stat status {
        };
        if (!fd || ::fstat(fd.get(), &status) != 0) return detail::unreadable(std::move(path), {}, errno);
        identity const who = identity_of(status);
        if (who == skip_) return std::nullopt;
        if (open_.size() == max_depth)
            return input_problem{
                std::move(path), {}, errc::unreadable_file, "is more than 64 directories deep"};
        if (!notes_->enter(who)) {
            ++repeated_;
            ++notes_->directories_repeated;
            return std::nullopt;
        }
        std::unique_ptr<::DIR, closer> stream(::fdopendir(fd.get()));
        if (!stream) return detail::unreadable(std::move(path), {}, errno);
        fd.release();
        open_.push_back({std::move(stream), how == way::by_link, std::move(path), {}, {}, 0, 0});
        return std::nullopt;
    }

    std::string root_;
    directory_options options_;
    std::shared_ptr<source_notes> notes_;
    std::optional<identity> skip_;
    std::uint64_t repeated_ = 0; ///< directories that were read before
    std::vector<level> open_; ///< from the root down
    bool started_ = false;
};

OCRPIPE_DECL directory_source::directory_source(std::string root, directory_options options)
    : walk_(std::make_unique<walk>(std::move(root), std::move(options)))
{
}

OCRPIPE_DECL directory_source::~directory_source() = default;

OCRPIPE_DECL std::optional<input> directory_source::next() { return walk_->next(); }

} // namespace ocrpipe

#endif
