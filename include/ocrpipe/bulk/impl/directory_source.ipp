#ifndef OCRPIPE_BULK_IMPL_DIRECTORY_SOURCE_IPP
#define OCRPIPE_BULK_IMPL_DIRECTORY_SOURCE_IPP

#include <ocrpipe/bulk/detail/examine.hpp>
#include <ocrpipe/bulk/detail/unique_fd.hpp>
#include <ocrpipe/bulk/directory_source.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
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
    walk(std::string root, std::string skip) : root_(detail::clean_path(root)), skip_path_(std::move(skip)) {}

    std::optional<input> next()
    {
        if (!started_) {
            started_ = true;
            struct ::stat status {
            };
            if (!skip_path_.empty() && ::stat(skip_path_.c_str(), &status) == 0) skip_ = identity_of(status);
            if (auto problem = enter(AT_FDCWD, root_.c_str(), root_)) return problem;
        }
        while (!open_.empty()) {
            level& here = open_.back();
            if (here.left.empty()) here.list();
            if (here.left.empty()) {
                int const error_number = here.error_number;
                std::string const path = std::move(here.path);
                open_.pop_back();
                if (error_number != 0) return detail::unreadable(path, {}, error_number);
                continue;
            }
            std::string const name = here.names.c_str() + here.left.back();
            here.left.pop_back();
            if (auto found = look_at(name.c_str())) return found;
        }
        return std::nullopt;
    }

private:
    static constexpr std::size_t max_depth = 64;
    static constexpr std::size_t names_at_once = 65'536;

    using identity = std::pair<::dev_t, ::ino_t>;
    struct closer {
        void operator()(::DIR* d) const noexcept { ::closedir(d); }
    };
    struct level {
        std::unique_ptr<::DIR, closer> stream;
        identity who;
        std::string path;
        std::string names;             ///< each ended by a NUL
        std::vector<std::size_t> left; ///< where those to come begin, the next one last
        int error_number = 0;          ///< why there are no more

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
                if (entry->d_name[0] == '.') continue;
                left.push_back(names.size());
                (names += entry->d_name) += '\0';
            }
            std::sort(left.begin(), left.end(), [this](std::size_t a, std::size_t b) {
                return std::strcmp(names.c_str() + a, names.c_str() + b) > 0;
            });
        }
    };

    static identity identity_of(struct ::stat const& s) noexcept { return {s.st_dev, s.st_ino}; }

    std::optional<input> look_at(char const* name)
    {
        int const folder = ::dirfd(open_.back().stream.get());
        std::string path = detail::join_path(open_.back().path, name);
        struct ::stat status {
        };
        if (::fstatat(folder, name, &status, 0) != 0) {
            int const error_number = errno;
            // Removed or renamed since it was listed, unless it is a link that leads nowhere.
            bool const gone =
                error_number == ENOENT && ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0;
            if (gone) return std::nullopt;
            return detail::unreadable(std::move(path), {}, error_number);
        }
        if (S_ISDIR(status.st_mode)) return enter(folder, name, std::move(path));
        return detail::examine_status(std::move(path), {}, status);
    }

    /// Goes down into a directory, unless it is to be passed over; returns the problem if there is one.
    std::optional<input> enter(int folder, char const* name, std::string path)
    {
        detail::unique_fd fd(::openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
        struct ::stat status {
        };
        if (!fd || ::fstat(fd.get(), &status) != 0) return detail::unreadable(std::move(path), {}, errno);
        identity const who = identity_of(status);
        if (who == skip_ ||
            std::any_of(open_.begin(), open_.end(), [&](level const& l) { return l.who == who; }))
            return std::nullopt;
        if (open_.size() == max_depth)
            return input_problem{
                std::move(path), {}, errc::unreadable_file, "lies more than 64 directories deep"};
        std::unique_ptr<::DIR, closer> stream(::fdopendir(fd.get()));
        if (!stream) return detail::unreadable(std::move(path), {}, errno);
        fd.release();
        open_.push_back({std::move(stream), who, std::move(path), {}, {}, 0});
        return std::nullopt;
    }

    std::string root_;
    std::string skip_path_;
    std::optional<identity> skip_;
    std::vector<level> open_; ///< from the root down
    bool started_ = false;
};

OCRPIPE_DECL directory_source::directory_source(std::string root, std::string skip)
    : walk_(std::make_unique<walk>(std::move(root), std::move(skip)))
{
}

OCRPIPE_DECL directory_source::~directory_source() = default;

OCRPIPE_DECL std::optional<input> directory_source::next() { return walk_->next(); }

} // namespace ocrpipe

#endif
