#ifndef OCRPIPE_SRC_SQLITE_LEDGER_WRITER_HPP
#define OCRPIPE_SRC_SQLITE_LEDGER_WRITER_HPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/ledger/detail/ledger_change.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>

#include "connection.hpp"
#include "reader.hpp"
#include "schema.hpp"
#include "statements.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ocrpipe::detail
{

/// Applies changes, many per commit. Do not use it after a failure, except to close it.
///
/// Thread safety: none.
class ledger_writer
{
public:
    /// Opens the database. Creates the schema if it is empty, and upgrades an earlier version.
    result<void> open(std::string const& path, std::string const& vfs, std::size_t checkpoint_pages,
                      std::int64_t now)
    {
        checkpoint_pages_ = checkpoint_at_ = static_cast<int>(checkpoint_pages);
        result<void> done = try_open(path, vfs, now);
        // A database that is not ours must not be modified on closing.
        if (!done) db_.close();
        return done;
    }

    /// The version of the schema, 0 if the database is empty. Errors: it is not a ledger, or a newer version.
    static result<int> version_of(database_connection& db)
    {
        std::string id, version, tables;
        int rc = db.query("PRAGMA application_id", id);
        if (rc == SQLITE_OK) rc = db.query("PRAGMA user_version", version);
        if (rc == SQLITE_OK) rc = db.query("SELECT count(*) FROM sqlite_schema", tables);
        if (rc != SQLITE_OK) return db.describe(rc);
        if (id == "0" && version == "0" && tables == "0") return 0;
        if (id != std::to_string(ledger_application_id))
            return ledger_failure(fmt::format("{}: a database, but not a ledger of ocrpipe", db.path()));
        for (int known = 1; known <= ledger_schema_version; ++known)
            if (version == std::to_string(known)) return known;
        return ledger_failure(
            fmt::format("{}: schema version {}, but this ocrpipe ({}) knows only versions 1 to {}", db.path(),
                        version, OCRPIPE_VERSION_STRING, ledger_schema_version));
    }

    /// Commits the valid changes, and sets the outcome of each invalid one to errc::invalid_argument.
    result<void> commit(std::span<pending_change> batch)
    {
        int const rc = try_commit(batch);
        if (rc == SQLITE_OK) return {};
        failure f = db_.describe(rc);
        // Rolls back in memory; in WAL mode this writes nothing.
        db_.execute("ROLLBACK");
        return f;
    }

    bool checkpoint_due() const noexcept { return log_pages_ >= checkpoint_at_; }

    /// Moves the log into the database. Between commits, so that no handler waits for it.
    result<void> checkpoint()
    {
        int const rc =
            ::sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
        if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY) return db_.describe(rc);
        // The next commit restarts the log; while a reader prevents that, do not retry after each commit.
        checkpoint_at_ = log_pages_ + checkpoint_pages_;
        return {};
    }

    /// Marks all intents as ambiguous; returns how many.
    result<std::uint64_t> mark_interrupted(std::int64_t now)
    {
        statement s;
        int rc = db_.prepare(s, mark_interrupted_sql, 0);
        if (rc == SQLITE_OK) rc = s.bind(1, now).bind_text(2, name(errc::ambiguous_submit)).step();
        if (rc != SQLITE_DONE) return db_.describe(rc);
        return static_cast<std::uint64_t>(::sqlite3_changes64(db_.get()));
    }

    /// If `intact`, also moves the whole log into the database, which is then one file. Otherwise nothing is
    /// written.
    result<void> close(bool intact)
    {
        if (!db_.is_open()) return {};
        result<void> done;
        if (intact) done = checkpoint();
        db_.checkpoint_on_close(intact && done);
        for (statement* const s :
             {&begin_, &commit_, &intent_, &skip_, &submitted_, &finished_, &not_sent_, &metadata_, &parts_,
              &keep_part_, &drop_part_, &drop_parts_, &drop_replaced_parts_, &copy_parts_})
            *s = statement();
        db_.close();
        return done;
    }

private:
    result<void> try_open(std::string const& path, std::string const& vfs, std::int64_t now)
    {
        int rc = db_.open(path, SQLITE_OPEN_READWRITE, vfs);
        if (rc != SQLITE_OK) return db_.describe(rc);
        result<int> const version = version_of(db_);
        if (!version) return version.error();
        std::string mode;
        rc = db_.query("PRAGMA journal_mode=WAL", mode);
        if (rc == SQLITE_OK && mode != "wal")
            return ledger_failure(fmt::format("{}: no write-ahead log: journal_mode is {}", path, mode));
        // FULL: a commit is on the disk when it returns. The log is truncated if a reader had prevented its
        // restart.
        if (rc == SQLITE_OK)
            rc = db_.execute("PRAGMA synchronous=FULL; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY; "
                             "PRAGMA journal_size_limit=67108864");
        if (rc == SQLITE_OK && *version == 0) rc = create(now);
        if (rc == SQLITE_OK && *version != 0 && *version < ledger_schema_version) rc = upgrade(*version);
        if (rc == SQLITE_OK) rc = prepare();
        if (rc != SQLITE_OK) return db_.describe(rc);
        ::sqlite3_wal_hook(db_.get(), &ledger_writer::on_commit, this);
        return {};
    }

    static int on_commit(void* self, ::sqlite3*, char const*, int log_pages)
    {
        auto* const writer = static_cast<ledger_writer*>(self);
        bool const restarted = log_pages < writer->log_pages_;
        if (restarted) writer->checkpoint_at_ = writer->checkpoint_pages_;
        writer->log_pages_ = log_pages;
        return SQLITE_OK;
    }

    int create(std::int64_t now)
    {
        std::string const sql =
            fmt::format("BEGIN IMMEDIATE; {} {} {}"
                        "INSERT INTO metadata VALUES('schema_version', '{}'), ('ocrpipe_version', '{}'), "
                        "('created_at', '{}'); PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                        ledger_schema, view_for_people, missing_parts_schema, ledger_schema_version,
                        OCRPIPE_VERSION_STRING, now, ledger_application_id, ledger_schema_version);
        return db_.execute(sql.c_str());
    }

    /// From version 1 or 2. If it is interrupted, the ledger keeps its version.
    int upgrade(int from)
    {
        std::string const sql =
            fmt::format("BEGIN IMMEDIATE; {} {} {} {}"
                        "UPDATE metadata SET value = '{}' WHERE key = 'schema_version'; "
                        "PRAGMA user_version={}; COMMIT",
                        from == 1 ? missing_parts_schema : "", from == 1 ? completeness_columns : "",
                        time_columns, view_for_people, ledger_schema_version, ledger_schema_version);
        return db_.execute(sql.c_str());
    }

    /// may_become() as a function of SQL: from, to, changed.
    static void may_become_function(::sqlite3_context* context, int, ::sqlite3_value** arguments)
    {
        auto const state = [](::sqlite3_value* v) {
            auto const* const text = reinterpret_cast<char const*>(::sqlite3_value_text(v));
            return document_state_named(text ? text : "");
        };
        auto const from = state(arguments[0]);
        auto const to = state(arguments[1]);
        bool const changed = ::sqlite3_value_int(arguments[2]) != 0;
        ::sqlite3_result_int(context, from && to && may_become(*from, *to, changed));
    }

    int prepare()
    {
        int rc = ::sqlite3_create_function(db_.get(), "may_become", 3,
                                           SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                           &may_become_function, nullptr, nullptr);
        for (auto const& [s, sql] :
             {std::pair(&begin_, "BEGIN IMMEDIATE"), std::pair(&commit_, "COMMIT"),
              std::pair(&intent_, intent_sql), std::pair(&skip_, skip_sql),
              std::pair(&submitted_, submitted_sql), std::pair(&finished_, finished_sql),
              std::pair(&not_sent_, not_sent_sql), std::pair(&metadata_, metadata_sql),
              std::pair(&parts_, parts_sql), std::pair(&keep_part_, keep_part_sql),
              std::pair(&drop_part_, drop_part_sql), std::pair(&drop_parts_, drop_parts_sql),
              std::pair(&drop_replaced_parts_, drop_replaced_parts_sql),
              std::pair(&copy_parts_, copy_parts_sql)})
            if (rc == SQLITE_OK) rc = db_.prepare(*s, sql);
        return rc;
    }

    int try_commit(std::span<pending_change> batch)
    {
        if (int const rc = run(begin_); rc != SQLITE_DONE) return rc;
        for (pending_change& c : batch) {
            statement* s = nullptr;
            int const rc = std::visit([&](auto const& change) { return apply(change, c.at, s); }, c.what);
            if (s) s->reset();
            if (rc == SQLITE_MISMATCH || rc == SQLITE_TOOBIG)
                c.outcome = errc::invalid_argument;
            else if (rc != SQLITE_DONE)
                return rc;
        }
        int const rc = run(commit_);
        return rc == SQLITE_DONE ? SQLITE_OK : rc;
    }

    static int run(statement& s)
    {
        int const rc = s.step();
        s.reset();
        return rc;
    }

    /// Makes a change that is invalid if it changes no row.
    int step(statement& s)
    {
        int const rc = s.step();
        return rc == SQLITE_DONE && ::sqlite3_changes64(db_.get()) == 0 ? SQLITE_MISMATCH : rc;
    }

    // Each binds and steps a statement and leaves it in `s`, to be reset when what was bound has been used.
    // SQLITE_MISMATCH means that the change is invalid.

    int apply(intent_change const& c, std::int64_t at, statement*& s)
    {
        if (!bind(intent_, c.document, at, s)) return SQLITE_MISMATCH;
        if (c.seen)
            s->bind_text(11, name(c.seen->state)).bind(12, c.seen->intent_at);
        else
            s->bind_null(11).bind_null(12); // equal to no row
        int const rc = step(*s);
        return rc == SQLITE_DONE && c.seen ? drop_parts(c.document.id) : rc;
    }

    int apply(skip_change const& c, std::int64_t at, statement*& s)
    {
        if (!bind(skip_, c.document, at, s)) return SQLITE_MISMATCH;
        bind_location(s->bind_name(11, c.what.duplicate_of), 12, c.what.to);
        int rc = step(bind_location(*s, 15, c.what.from));
        if (rc == SQLITE_DONE) rc = drop_parts(c.document.id);
        if (rc != SQLITE_DONE) return rc;
        return run(copy_parts_.bind_name(1, c.document.id).bind_name(2, c.what.duplicate_of));
    }

    int drop_parts(std::string const& id) { return run(drop_parts_.bind_name(1, id)); }

    /// A new result lacks other parts than the one that it replaces.
    int drop_replaced_parts(finished_change const& c)
    {
        drop_replaced_parts_.bind_name(1, c.id).bind_name(2, c.what.replaces);
        bind_location(drop_replaced_parts_, 3, c.what.result.value_or(result_location()));
        return run(bind_location(drop_replaced_parts_, 6, c.what.replaced));
    }

    int keep_parts(std::string const& id, std::vector<missing_part> const& parts)
    {
        int rc = SQLITE_DONE;
        for (missing_part const& p : parts) {
            keep_part_.bind_name(1, id)
                .bind(2, static_cast<std::int64_t>(p.place))
                .bind_text(3, name(p.kind))
                .bind(4, static_cast<std::int64_t>(p.index))
                .bind_name(5, p.sub_id)
                .bind_text_or_null(6, p.failure == errc::ok ? std::string_view() : name(p.failure));
            rc = run(bind_name_or_null(keep_part_, 7, p.message));
            if (rc != SQLITE_DONE) break;
        }
        return rc;
    }

    int apply(parts_change const& c, std::int64_t, statement*& s)
    {
        s = &parts_;
        s->bind_name(1, c.id)
            .bind(2, static_cast<std::int64_t>(c.what.from.file))
            .bind(3, static_cast<std::int64_t>(c.what.from.offset));
        int rc = step(bind_location(*s, 4, c.what.to));
        for (std::uint64_t const place : c.what.listed)
            if (rc == SQLITE_DONE)
                rc = run(drop_part_.bind_name(1, c.id).bind(2, static_cast<std::int64_t>(place)));
        return rc == SQLITE_DONE ? keep_parts(c.id, c.what.failed) : rc;
    }

    static statement& bind_name_or_null(statement& s, int at, std::string_view value)
    {
        return value.empty() ? s.bind_null(at) : s.bind_name(at, value);
    }

    /// 0 means that it is not known.
    static statement& bind_time(statement& s, int at, std::int64_t time)
    {
        return time == 0 ? s.bind_null(at) : s.bind(at, time);
    }

    static statement& bind_location(statement& s, int from, result_location const& where)
    {
        return s.bind(from, static_cast<std::int64_t>(where.file))
            .bind(from + 1, static_cast<std::int64_t>(where.offset))
            .bind(from + 2, static_cast<std::int64_t>(where.length));
    }

    /// Returns false if the document's hash is invalid.
    bool bind(statement& with, ledger_document const& d, std::int64_t at, statement*& s)
    {
        hash_ = bytes_of_hex(d.sha256);
        if (hash_.empty()) return false;
        s = &with;
        s->bind_name(1, d.id)
            .bind_blob(3, hash_)
            .bind(4, static_cast<std::int64_t>(d.size))
            .bind(5, d.mtime_ns);
        if (d.path == d.id)
            s->bind_null(2);
        else
            s->bind_name(2, d.path);
        s->bind_name(6, d.flow)
            .bind_name(7, d.doc_type)
            .bind_text(8, wire_word(d.type))
            .bind_name(9, d.parameters)
            .bind(10, at);
        return true;
    }

    int apply(submitted_change const& c, std::int64_t at, statement*& s)
    {
        if (c.what.request_id.empty()) return SQLITE_MISMATCH;
        list_.clear();
        if (!c.what.file_ids.empty())
            list_ =
                boost::json::serialize(boost::json::array(c.what.file_ids.begin(), c.what.file_ids.end()));
        s = &submitted_;
        s->bind_name(1, c.id)
            .bind_name(2, c.what.request_id)
            .bind_text_or_null(3, list_)
            .bind(4, c.what.attempts);
        s->bind(5, c.what.possible_duplicate).bind(6, c.what.accepted_at != 0 ? c.what.accepted_at : at);
        return step(bind_time(*s, 7, c.what.sent_at));
    }

    int apply(finished_change const& c, std::int64_t at, statement*& s)
    {
        if (!is_complete(c.what)) return SQLITE_MISMATCH;
        bool const done = c.what.state == document_state::done;
        s = &finished_;
        s->bind_name(1, c.id)
            .bind_text(2, name(c.what.state))
            .bind_text_or_null(3, done ? std::string_view() : name(c.what.failure));
        bind_name_or_null(*s, 4, c.what.message);
        if (c.what.result)
            bind_location(*s, 5, *c.what.result);
        else
            s->bind_null(5).bind_null(6).bind_null(7);
        s->bind(8, c.what.polls);
        if (c.what.attempts > 0)
            s->bind(9, c.what.attempts);
        else
            s->bind_null(9);
        bool const is_whole = c.what.how_complete == completeness::whole;
        s->bind(10, at).bind_text_or_null(11, word_of(c.what.how_complete));
        if (!is_whole && c.what.ask_again)
            s->bind(12, 1);
        else
            s->bind_null(12);
        if (c.what.replaces.empty())
            s->bind_null(13);
        else
            s->bind_name(13, c.what.replaces);
        bind_location(*s, 14, c.what.replaced);
        bind_time(*s, 17, c.what.sent_at);
        bind_time(*s, 18, c.what.last_pending_at);
        bind_time(*s, 19, c.what.ready_at);
        int rc = c.what.replaces.empty() ? SQLITE_DONE : drop_replaced_parts(c);
        if (rc == SQLITE_DONE) rc = step(*s);
        return rc == SQLITE_DONE ? keep_parts(c.id, c.what.missing_parts) : rc;
    }

    int apply(not_sent_change const& c, std::int64_t, statement*& s)
    {
        s = &not_sent_;
        return step(s->bind_name(1, c.id));
    }

    int apply(metadata_change const& c, std::int64_t, statement*& s)
    {
        s = &metadata_;
        return step(s->bind_name(1, c.key).bind_name(2, c.value));
    }

    int apply(index_change, std::int64_t, statement*&)
    {
        int const rc = db_.execute(content_index);
        return rc == SQLITE_OK ? SQLITE_DONE : rc;
    }

    int apply(flush_change, std::int64_t, statement*&) { return SQLITE_DONE; }

    database_connection db_;
    statement begin_;
    statement commit_;
    statement intent_;
    statement skip_;
    statement submitted_;
    statement finished_;
    statement not_sent_;
    statement metadata_;
    statement parts_;
    statement keep_part_;
    statement drop_part_;
    statement drop_parts_;
    statement drop_replaced_parts_;
    statement copy_parts_;
    int log_pages_ = 0;
    int checkpoint_pages_ = 0;
    int checkpoint_at_ = 0;
    // Bound to a statement.
    std::string hash_;
    std::string list_;
};

} // namespace ocrpipe::detail

#endif
