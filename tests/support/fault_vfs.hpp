#ifndef OCRPIPE_TESTS_SUPPORT_FAULT_VFS_HPP
#define OCRPIPE_TESTS_SUPPORT_FAULT_VFS_HPP

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// A SQLite VFS over the default one that notes every change of a file in order, fails any one of them as
/// planned, and can lay out what a power cut at any moment would have left on the disk. A sync is noted and
/// not made, which is what makes exhaustive tests fast.
///
/// What is not synced may be there after a cut, or not, or in part, or as garbage, sector by sector; only
/// what lies outside of the bytes written is safe. Names of files are durable with the first sync of a log or
/// journal, with which SQLite syncs the folder, and in their order. The idea is that of SQLite's own test6.c.
///
/// Thread safety: any thread.
class fault_vfs
{
public:
    enum class action { write, sync, truncate, remove, note };

    struct event {
        action what;
        std::string file; ///< its last part; empty for a note
        std::int64_t offset = 0;
        std::string bytes;        ///< written; or the note
        bool with_folder = false; ///< a sync that makes the names durable too
        bool is(action a, std::string_view name) const { return what == a && file == name; }
    };

    enum class fault {
        disk_full, ///< ENOSPC
        io_error,  ///< EIO
    };

    /// What of the changes that were not synced a power cut leaves.
    enum class survivors {
        none,
        all,
        some, ///< by chance, sector by sector: the old, the new or garbage
    };

    fault_vfs();
    ~fault_vfs();
    fault_vfs(fault_vfs const&) = delete;
    fault_vfs& operator=(fault_vfs const&) = delete;

    /// To be given to SQLite.
    std::string const& name() const;

    /// The change after `n` others fails; of a write half of the bytes are written.
    void fail(std::size_t n, fault how);

    /// Whether the planned fault has happened.
    bool failed() const;

    /// Puts a note between the events, such as "handler called".
    void note(std::string text);

    std::vector<event> events() const;

    /// Writes to `folder` the files as a power cut after `count` events would have left them. The database is
    /// assumed to have been there, empty, at first.
    void lay_out(std::size_t count, survivors what, unsigned seed, std::filesystem::path const& folder) const;

private:
    struct state;
    friend struct fault_vfs_methods;
    std::unique_ptr<state> state_;
};

/// Runs statements on a database over the default VFS, and gives the values of all rows, joined by '|' and
/// '\n'; "error: ..." when there is one.
std::string sqlite_answer(std::filesystem::path const& database, std::string const& sql);

#endif
