#ifndef OCRPIPE_SRC_SQLITE_LEDGER_CONNECTION_HPP
#define OCRPIPE_SRC_SQLITE_LEDGER_CONNECTION_HPP

#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/utf8.hpp>

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ocrpipe::detail
{

/// Returns errc::ledger_failed with a human-readable reason.
inline failure ledger_failure(std::string reason, error_code cause = {})
{
    return failure(errc::ledger_failed, phase::prepare, std::move(reason), cause);
}

/// A prepared statement. Bound strings are not copied: they must live until reset().
class statement
{
public:
    statement() = default;

    statement& bind(int at, std::int64_t value)
    {
        return note(::sqlite3_bind_int64(handle_.get(), at, value));
    }
    statement& bind_text(int at, std::string_view value)
    {
        return note(::sqlite3_bind_text64(handle_.get(), at, value.data() ? value.data() : "", value.size(),
                                          SQLITE_STATIC, SQLITE_UTF8));
    }
    statement& bind_text_or_null(int at, std::string_view value)
    {
        return value.empty() ? bind_null(at) : bind_text(at, value);
    }
    statement& bind_blob(int at, std::string_view value)
    {
        return note(::sqlite3_bind_blob64(handle_.get(), at, value.data() ? value.data() : "", value.size(),
                                          SQLITE_STATIC));
    }
    statement& bind_null(int at) { return note(::sqlite3_bind_null(handle_.get(), at)); }

    /// Any bytes. The same bytes are always stored the same way, so that they are found again.
    statement& bind_name(int at, std::string_view value)
    {
        return is_text(value) ? bind_text(at, value) : bind_blob(at, value);
    }

    /// Returns SQLITE_ROW, SQLITE_DONE or an extended error code; also reports binding errors.
    int step() { return bound_ == SQLITE_OK ? ::sqlite3_step(handle_.get()) : bound_; }

    void reset()
    {
        ::sqlite3_reset(handle_.get());
        bound_ = SQLITE_OK;
    }

    bool is_null(int column) const { return ::sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
    std::int64_t integer(int column) const { return ::sqlite3_column_int64(handle_.get(), column); }

    /// Text or blob, valid until the next step or reset.
    std::string_view bytes(int column) const
    {
        auto const* const data = static_cast<char const*>(::sqlite3_column_blob(handle_.get(), column));
        auto const size = static_cast<std::size_t>(::sqlite3_column_bytes(handle_.get(), column));
        return data ? std::string_view(data, size) : std::string_view();
    }

private:
    friend class database_connection;

    struct closer {
        void operator()(::sqlite3_stmt* s) const noexcept { ::sqlite3_finalize(s); }
    };

    static bool is_text(std::string_view value) noexcept
    {
        if (value.find('\0') != std::string_view::npos) return false;
        while (!value.empty()) {
            std::size_t const n = utf8_sequence_length(value);
            if (n == 0) return false;
            value.remove_prefix(n);
        }
        return true;
    }

    statement& note(int rc)
    {
        if (bound_ == SQLITE_OK) bound_ = rc;
        return *this;
    }

    std::unique_ptr<::sqlite3_stmt, closer> handle_;
    int bound_ = SQLITE_OK;
};

/// An open database, used by one thread at a time.
class database_connection
{
public:
    database_connection() = default;

    int open(std::string path, int flags, std::string const& vfs)
    {
        path_ = std::move(path);
        ::sqlite3* raw = nullptr;
        int const rc =
            ::sqlite3_open_v2(path_.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                              vfs.empty() ? nullptr : vfs.c_str());
        handle_.reset(raw);
        if (rc != SQLITE_OK) return rc;
        // A last connection that closes after a failed sync must not touch the disk; an orderly close asks
        // for it.
        checkpoint_on_close(false);
        return ::sqlite3_busy_timeout(raw, busy_timeout_ms);
    }

    bool is_open() const noexcept { return handle_ != nullptr; }
    ::sqlite3* get() const noexcept { return handle_.get(); }
    std::string const& path() const noexcept { return path_; }
    void close() { handle_.reset(); }

    void checkpoint_on_close(bool yes)
    {
        ::sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, yes ? 0 : 1, nullptr);
    }

    int execute(char const* sql) { return ::sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr); }

    int prepare(statement& s, std::string_view sql, unsigned flags = SQLITE_PREPARE_PERSISTENT)
    {
        ::sqlite3_stmt* raw = nullptr;
        int const rc = ::sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), flags,
                                            &raw, nullptr);
        s.handle_.reset(raw);
        return rc;
    }

    /// The single value of the single row.
    int query(std::string_view sql, std::string& answer)
    {
        statement s;
        int rc = prepare(s, sql, 0);
        if (rc != SQLITE_OK) return rc;
        rc = s.step();
        if (rc == SQLITE_DONE) return SQLITE_CORRUPT;
        if (rc != SQLITE_ROW) return rc;
        answer = s.bytes(0);
        // A pragma commits its change after it returns its row: step to the end to be sure.
        rc = s.step();
        return rc == SQLITE_DONE ? SQLITE_OK : rc;
    }

    /// Translates the error of the last call, which returned `rc`.
    failure describe(int rc) const
    {
        error_code cause;
        int const primary = rc & 0xff;
        int const number = primary == SQLITE_FULL       ? ENOSPC
                           : primary == SQLITE_IOERR    ? system_error()
                           : primary == SQLITE_CANTOPEN ? ::sqlite3_system_errno(handle_.get())
                                                        : 0;
        if (number != 0) cause.assign(number, boost::system::system_category());
        char const* const message = handle_ ? ::sqlite3_errmsg(handle_.get()) : ::sqlite3_errstr(rc);
        return ledger_failure(fmt::format("{}: {} (SQLite error {})", path_, message, rc), cause);
    }

private:
    /// SQLite 3.40 loses the errno of a failed COMMIT, but the files remember it.
    int system_error() const
    {
        int number = ::sqlite3_system_errno(handle_.get());
        for (int const which : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
            ::sqlite3_file* file = nullptr;
            if (number == 0 && ::sqlite3_file_control(handle_.get(), "main", which, &file) == SQLITE_OK &&
                file && file->pMethods)
                file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
        }
        return number != 0 ? number : EIO;
    }

    static constexpr int busy_timeout_ms = 10'000;

    struct closer {
        void operator()(::sqlite3* db) const noexcept { ::sqlite3_close_v2(db); }
    };

    std::unique_ptr<::sqlite3, closer> handle_;
    std::string path_;
};

} // namespace ocrpipe::detail

#endif
