#include "fault_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <utility>

struct fault_vfs::state {
    ::sqlite3_vfs vfs{};
    ::sqlite3_vfs* real = nullptr;
    std::string name;

    mutable std::mutex mutex;
    std::vector<event> events;
    std::optional<std::size_t> changes_until_fault;
    fault how = fault::io_error;
    bool failed = false;

    /// Notes a change; true when it is to fail.
    bool change(event e)
    {
        std::lock_guard const lock(mutex);
        if (changes_until_fault && (*changes_until_fault)-- == 0) {
            changes_until_fault.reset();
            failed = true;
            // Half of the bytes of a failed write are on the disk; a failed sync has made nothing safe.
            if (e.what == action::write) {
                e.bytes.resize(e.bytes.size() / 2);
                events.push_back(std::move(e));
            }
            return true;
        }
        events.push_back(std::move(e));
        return false;
    }
};

namespace
{

struct shim_file {
    ::sqlite3_file base;
    fault_vfs* owner;
    char const* path; ///< SQLite keeps it as long as the file is open
    bool syncs_folder;
};

::sqlite3_file* real_of(::sqlite3_file* f)
{
    return reinterpret_cast<::sqlite3_file*>(reinterpret_cast<shim_file*>(f) + 1);
}

std::string last_part(char const* path)
{
    std::string_view const p = path;
    return std::string(p.substr(p.rfind('/') + 1));
}

} // namespace

/// SQLite's calls. What is not noted goes straight to the default VFS.
struct fault_vfs_methods {
    using action = fault_vfs::action;
    using state = fault_vfs::state;

    static state& of(::sqlite3_file* f) { return *reinterpret_cast<shim_file*>(f)->owner->state_; }
    static state& of(::sqlite3_vfs* v) { return *static_cast<fault_vfs*>(v->pAppData)->state_; }

    static bool is_named(::sqlite3_file* f) { return reinterpret_cast<shim_file*>(f)->path != nullptr; }

    static fault_vfs::event event_of(::sqlite3_file* f, action a)
    {
        fault_vfs::event e;
        e.what = a;
        e.file = last_part(reinterpret_cast<shim_file*>(f)->path);
        return e;
    }

    static int close(::sqlite3_file* f) { return real_of(f)->pMethods->xClose(real_of(f)); }
    static int read(::sqlite3_file* f, void* out, int n, ::sqlite3_int64 at)
    {
        return real_of(f)->pMethods->xRead(real_of(f), out, n, at);
    }
    static int write(::sqlite3_file* f, void const* in, int n, ::sqlite3_int64 at)
    {
        if (is_named(f)) {
            fault_vfs::event e = event_of(f, action::write);
            e.offset = at;
            e.bytes.assign(static_cast<char const*>(in), static_cast<std::size_t>(n));
            if (of(f).change(std::move(e))) {
                real_of(f)->pMethods->xWrite(real_of(f), in, n / 2, at);
                return of(f).how == fault_vfs::fault::disk_full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
            }
        }
        return real_of(f)->pMethods->xWrite(real_of(f), in, n, at);
    }
    static int truncate(::sqlite3_file* f, ::sqlite3_int64 size)
    {
        if (is_named(f)) {
            fault_vfs::event e = event_of(f, action::truncate);
            e.offset = size;
            if (of(f).change(std::move(e))) return SQLITE_IOERR_TRUNCATE;
        }
        return real_of(f)->pMethods->xTruncate(real_of(f), size);
    }
    static int sync(::sqlite3_file* f, int)
    {
        if (is_named(f)) {
            fault_vfs::event e = event_of(f, action::sync);
            e.with_folder = std::exchange(reinterpret_cast<shim_file*>(f)->syncs_folder, false);
            if (of(f).change(std::move(e))) return SQLITE_IOERR_FSYNC;
        }
        return SQLITE_OK;
    }
    static int size(::sqlite3_file* f, ::sqlite3_int64* out)
    {
        return real_of(f)->pMethods->xFileSize(real_of(f), out);
    }
    static int lock(::sqlite3_file* f, int how) { return real_of(f)->pMethods->xLock(real_of(f), how); }
    static int unlock(::sqlite3_file* f, int how) { return real_of(f)->pMethods->xUnlock(real_of(f), how); }
    static int check_lock(::sqlite3_file* f, int* out)
    {
        return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
    }
    static int control(::sqlite3_file* f, int op, void* arg)
    {
        if (op == SQLITE_FCNTL_LAST_ERRNO) {
            *static_cast<int*>(arg) = errno_of(of(f));
            return SQLITE_OK;
        }
        return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
    }
    static int sector(::sqlite3_file* f) { return real_of(f)->pMethods->xSectorSize(real_of(f)); }
    static int device(::sqlite3_file* f) { return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f)); }
    static int shm_map(::sqlite3_file* f, int page, int bytes, int extend, void volatile** out)
    {
        return real_of(f)->pMethods->xShmMap(real_of(f), page, bytes, extend, out);
    }
    static int shm_lock(::sqlite3_file* f, int offset, int n, int flags)
    {
        return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
    }
    static void shm_barrier(::sqlite3_file* f) { real_of(f)->pMethods->xShmBarrier(real_of(f)); }
    static int shm_unmap(::sqlite3_file* f, int remove)
    {
        return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
    }

    static ::sqlite3_io_methods const* methods()
    {
        // Version 2: without memory-mapped reads.
        static ::sqlite3_io_methods const m = [] {
            ::sqlite3_io_methods io{};
            io.iVersion = 2;
            io.xClose = close;
            io.xRead = read;
            io.xWrite = write;
            io.xTruncate = truncate;
            io.xSync = sync;
            io.xFileSize = size;
            io.xLock = lock;
            io.xUnlock = unlock;
            io.xCheckReservedLock = check_lock;
            io.xFileControl = control;
            io.xSectorSize = sector;
            io.xDeviceCharacteristics = device;
            io.xShmMap = shm_map;
            io.xShmLock = shm_lock;
            io.xShmBarrier = shm_barrier;
            io.xShmUnmap = shm_unmap;
            return io;
        }();
        return &m;
    }

    static int open(::sqlite3_vfs* v, char const* path, ::sqlite3_file* f, int flags, int* out_flags)
    {
        auto* const shim = reinterpret_cast<shim_file*>(f);
        *shim = {};
        int const rc = of(v).real->xOpen(of(v).real, path, real_of(f), flags, out_flags);
        if (!real_of(f)->pMethods) return rc;
        shim->base.pMethods = methods();
        shim->owner = static_cast<fault_vfs*>(v->pAppData);
        // Temporary files hold nothing that must survive.
        bool const kept = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
        shim->path = kept ? path : nullptr;
        shim->syncs_folder =
            (flags & SQLITE_OPEN_CREATE) != 0 && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
        return rc;
    }
    static int remove(::sqlite3_vfs* v, char const* path, int sync_folder)
    {
        fault_vfs::event e;
        e.what = action::remove;
        e.file = last_part(path);
        e.with_folder = sync_folder != 0;
        if (of(v).change(std::move(e))) return SQLITE_IOERR_DELETE;
        return of(v).real->xDelete(of(v).real, path, sync_folder);
    }
    static int access(::sqlite3_vfs* v, char const* path, int flags, int* out)
    {
        return of(v).real->xAccess(of(v).real, path, flags, out);
    }
    static int full_path(::sqlite3_vfs* v, char const* path, int n, char* out)
    {
        return of(v).real->xFullPathname(of(v).real, path, n, out);
    }
    static int randomness(::sqlite3_vfs* v, int n, char* out)
    {
        return of(v).real->xRandomness(of(v).real, n, out);
    }
    static int sleep(::sqlite3_vfs* v, int us) { return of(v).real->xSleep(of(v).real, us); }
    static int time(::sqlite3_vfs* v, double* out) { return of(v).real->xCurrentTime(of(v).real, out); }
    static int time64(::sqlite3_vfs* v, ::sqlite3_int64* out)
    {
        return of(v).real->xCurrentTimeInt64(of(v).real, out);
    }
    static int last_error(::sqlite3_vfs* v, int, char*) { return errno_of(of(v)); }
    static int errno_of(state& s)
    {
        std::lock_guard const lock(s.mutex);
        return !s.failed ? 0 : s.how == fault_vfs::fault::disk_full ? ENOSPC : EIO;
    }
};

fault_vfs::fault_vfs() : state_(std::make_unique<state>())
{
    static std::atomic<int> count = 0;
    state& s = *state_;
    s.real = ::sqlite3_vfs_find(nullptr);
    if (!s.real) throw std::runtime_error("SQLite has no default VFS");
    s.name = "fault-" + std::to_string(++count);
    s.vfs.iVersion = 2;
    s.vfs.szOsFile = static_cast<int>(sizeof(shim_file)) + s.real->szOsFile;
    s.vfs.mxPathname = s.real->mxPathname;
    s.vfs.zName = s.name.c_str();
    s.vfs.pAppData = this;
    s.vfs.xOpen = fault_vfs_methods::open;
    s.vfs.xDelete = fault_vfs_methods::remove;
    s.vfs.xAccess = fault_vfs_methods::access;
    s.vfs.xFullPathname = fault_vfs_methods::full_path;
    s.vfs.xRandomness = fault_vfs_methods::randomness;
    s.vfs.xSleep = fault_vfs_methods::sleep;
    s.vfs.xCurrentTime = fault_vfs_methods::time;
    s.vfs.xGetLastError = fault_vfs_methods::last_error;
    s.vfs.xCurrentTimeInt64 = fault_vfs_methods::time64;
    if (::sqlite3_vfs_register(&s.vfs, 0) != SQLITE_OK)
        throw std::runtime_error("the VFS was not registered");
}

fault_vfs::~fault_vfs() { ::sqlite3_vfs_unregister(&state_->vfs); }

std::string const& fault_vfs::name() const { return state_->name; }

void fault_vfs::fail(std::size_t n, fault how)
{
    std::lock_guard const lock(state_->mutex);
    state_->changes_until_fault = n;
    state_->how = how;
    state_->failed = false;
}

bool fault_vfs::failed() const
{
    std::lock_guard const lock(state_->mutex);
    return state_->failed;
}

void fault_vfs::note(std::string text)
{
    std::lock_guard const lock(state_->mutex);
    state_->events.push_back({action::note, {}, 0, std::move(text), false});
}

std::vector<fault_vfs::event> fault_vfs::events() const
{
    std::lock_guard const lock(state_->mutex);
    return state_->events;
}

namespace
{

/// A disk with a cache that a power cut empties.
class simulated_disk
{
public:
    void apply(fault_vfs::event const& e)
    {
        switch (e.what) {
        case fault_vfs::action::note:
            return;
        case fault_vfs::action::remove:
            changes_of_names_.push_back({e.file, nullptr});
            if (e.with_folder) sync_names();
            return;
        case fault_vfs::action::sync:
            if (node const n = find(e.file)) {
                for (fault_vfs::event const& w : n->unsynced)
                    perform(n->safe, w);
                n->unsynced.clear();
            }
            if (e.with_folder) sync_names();
            return;
        case fault_vfs::action::write:
        case fault_vfs::action::truncate:
            node n = find(e.file);
            if (!n) changes_of_names_.push_back({e.file, n = std::make_shared<file>()});
            n->unsynced.push_back(e);
        }
    }

    void create(std::string const& name) { safe_names_[name] = std::make_shared<file>(); }

    std::map<std::string, std::string> after_cut(fault_vfs::survivors what, unsigned seed) const
    {
        std::mt19937 random(seed);
        auto names = safe_names_;
        std::size_t kept = what == fault_vfs::survivors::none ? 0 : changes_of_names_.size();
        if (what == fault_vfs::survivors::some) kept = random() % (kept + 1);
        for (std::size_t i = 0; i != kept; ++i)
            names[changes_of_names_[i].first] = changes_of_names_[i].second;
        std::map<std::string, std::string> left;
        for (auto const& [name, n] : names) {
            if (!n) continue;
            std::string& content = left[name] = n->safe;
            if (what == fault_vfs::survivors::none) continue;
            for (fault_vfs::event const& w : n->unsynced) {
                if (what == fault_vfs::survivors::all)
                    perform(content, w);
                else
                    perform_in_part(content, w, random);
            }
        }
        return left;
    }

private:
    struct file {
        std::string safe;
        std::vector<fault_vfs::event> unsynced;
    };
    using node = std::shared_ptr<file>;

    node find(std::string const& name) const
    {
        for (auto i = changes_of_names_.rbegin(); i != changes_of_names_.rend(); ++i)
            if (i->first == name) return i->second;
        auto const i = safe_names_.find(name);
        return i == safe_names_.end() ? nullptr : i->second;
    }

    void sync_names()
    {
        for (auto const& [name, n] : changes_of_names_)
            safe_names_[name] = n;
        changes_of_names_.clear();
    }

    static void put(std::string& content, std::size_t at, std::string_view bytes)
    {
        if (content.size() < at + bytes.size()) content.resize(at + bytes.size());
        content.replace(at, bytes.size(), bytes);
    }

    static void perform(std::string& content, fault_vfs::event const& e)
    {
        if (e.what == fault_vfs::action::truncate)
            content.resize(static_cast<std::size_t>(e.offset));
        else
            put(content, static_cast<std::size_t>(e.offset), e.bytes);
    }

    static void perform_in_part(std::string& content, fault_vfs::event const& e, std::mt19937& random)
    {
        if (e.what == fault_vfs::action::truncate) {
            if (random() % 2 == 0) perform(content, e);
            return;
        }
        constexpr std::size_t sector = 512;
        for (std::size_t from = 0; from < e.bytes.size();) {
            std::size_t const at = static_cast<std::size_t>(e.offset) + from;
            std::size_t const n = std::min(sector - at % sector, e.bytes.size() - from);
            std::string piece = e.bytes.substr(from, n);
            from += n;
            unsigned const fate = random() % 3;
            if (fate == 0) continue;
            if (fate == 1)
                for (char& c : piece)
                    c = static_cast<char>(random());
            put(content, at, piece);
        }
    }

    std::map<std::string, node> safe_names_;
    std::vector<std::pair<std::string, node>> changes_of_names_; ///< not yet durable, in order
};

} // namespace

void fault_vfs::lay_out(std::size_t count, survivors what, unsigned seed,
                        std::filesystem::path const& folder) const
{
    simulated_disk disk;
    {
        std::lock_guard const lock(state_->mutex);
        std::string database;
        for (event const& e : state_->events)
            if (database.empty() && !e.file.empty()) database = e.file.substr(0, e.file.find('-'));
        disk.create(database);
        for (std::size_t i = 0; i != std::min(count, state_->events.size()); ++i)
            disk.apply(state_->events[i]);
    }
    for (auto const& [name, content] : disk.after_cut(what, seed)) {
        std::ofstream out(folder / name, std::ios::binary);
        out.write(content.data(), static_cast<std::streamsize>(content.size()));
        if (!out.flush()) throw std::runtime_error("cannot write " + (folder / name).string());
    }
}

std::string sqlite_answer(std::filesystem::path const& database, std::string const& sql)
{
    ::sqlite3* db = nullptr;
    std::string answer;
    auto const row = [](void* out, int columns, char** values, char**) {
        auto& text = *static_cast<std::string*>(out);
        if (!text.empty()) text += '\n';
        for (int i = 0; i != columns; ++i)
            (text += i ? "|" : "") += values[i] ? values[i] : "";
        return 0;
    };
    char* message = nullptr;
    if (::sqlite3_open(database.c_str(), &db) != SQLITE_OK ||
        ::sqlite3_exec(db, sql.c_str(), row, &answer, &message) != SQLITE_OK)
        answer = std::string("error: ") + (message ? message : ::sqlite3_errmsg(db));
    ::sqlite3_free(message);
    ::sqlite3_close(db);
    return answer;
}
