#ifndef OCRPIPE_SRC_SQLITE_LEDGER_WRITER_HPP
#define OCRPIPE_SRC_SQLITE_LEDGER_WRITER_HPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>

#include "connection.hpp"
#include "reader.hpp"
#include "schema.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ocrpipe::detail
{

struct intent_change {
    ledger_document document;
    std::optional<row_version> seen;
};
struct submitted_change {
    std::string id;
    submit_record what;
};
struct finished_change {
    std::string id;
    finish_record what;
};
struct not_sent_change {
    std::string id;
};
struct skip_change {
    ledger_document document;
    std::string duplicate_of;
    result_location where;
};
struct metadata_change {
    std::string key;
    std::string value;
};
struct index_change {
};
struct flush_change {
};

using ledger_change = std::variant<intent_change, submitted_change, finished_change, not_sent_change,
                                   skip_change, metadata_change, index_change, flush_change>;

/// A change on its way to the disk.
struct pending_change {
    ledger_change what;
    std::int64_t at; ///< milliseconds since the epoch
    ledger_handler handler;
    error_code outcome;
};

/// Applies changes, many per commit. After the first failure it no longer accesses the disk.
///
/// Thread safety: none.
class ledger_writer
{
public:
    /// Opens the database, and creates the schema if it is empty.
    result<void> open(std::string const& path, std::string const& vfs, std::size_t checkpoint_pages,
                      std::int64_t now)
    {
        checkpoint_pages_ = checkpoint_at_ = static_cast<int>(checkpoint_pages);
        result<void> done = try_open(path, vfs, now);
        // A database that is not ours must not be modified on closing.
        if (!done) db_.close();
        return done;
    }

    /// Whether the database is empty. Errors: it is not a ledger, or a newer version.
    static result<bool> is_fresh(database_connection& db)
    {
        std::string id, version, tables;
        int rc = db.query("PRAGMA application_id", id);
        if (rc == SQLITE_OK) rc = db.query("PRAGMA user_version", version);
        if (rc == SQLITE_OK) rc = db.query("SELECT count(*) FROM sqlite_schema", tables);
        if (rc != SQLITE_OK) return db.describe(rc);
        if (id == "0" && version == "0" && tables == "0") return true;
        if (id != std::to_string(ledger_application_id))
            return ledger_failure(fmt::format("{}: a database, but not a ledger of ocrpipe", db.path()));
        if (version != std::to_string(ledger_schema_version))
            return ledger_failure(
                fmt::format("{}: schema version {}, but this ocrpipe ({}) knows only version {}", db.path(),
                            version, OCRPIPE_VERSION_STRING, ledger_schema_version));
        return false;
    }

    void sync_results_with(std::function<error_code()> sync) { sync_results_ = std::move(sync); }

    /// Applies the changes, commits, and sets their outcomes.
    void commit(std::span<pending_change> batch)
    {
        if (!broken_) {
            int const rc = try_commit(batch);
            if (rc != SQLITE_OK) fail(rc);
        }
        if (broken_)
            for (pending_change& c : batch)
                c.outcome = errc::ledger_failed;
    }

    bool checkpoint_due() const noexcept { return !broken_ && log_pages_ >= checkpoint_at_; }

    /// Moves the log into the database. Between commits, so that no handler waits for it.
    void checkpoint()
    {
        int const rc =
            ::sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
        if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY) fail(rc);
        // The next commit restarts the log; while a reader prevents that, do not retry after each commit.
        checkpoint_at_ = log_pages_ + checkpoint_pages_;
    }

    result<std::uint64_t> interrupted_intents_to_ambiguous(std::int64_t now)
    {
        if (broken_) return *broken_;
        statement s;
        int rc = db_.prepare(s,
                             "UPDATE document SET state = 'ambiguous', failure_class = ?2, finished_at = ?1, "
                             "message = 'the process ended before the answer came' WHERE state = 'intent'",
                             0);
        if (rc == SQLITE_OK) rc = s.bind(1, now).bind_text(2, name(errc::ambiguous_submit)).step();
        if (rc != SQLITE_DONE) {
            fail(rc);
            return *broken_;
        }
        return static_cast<std::uint64_t>(::sqlite3_changes64(db_.get()));
    }

    /// Also moves the whole log into the database, which is then one file.
    void close()
    {
        if (!db_.is_open()) return;
        if (!broken_) {
            checkpoint();
            if (!broken_) db_.checkpoint_on_close(true);
        }
        for (statement* const s : {&begin_, &commit_, &intent_, &skip_, &submitted_, &not_sent_, &metadata_})
            *s = statement();
        for (statement& s : finished_)
            s = statement();
        db_.close();
    }

    std::optional<failure> const& broken() const noexcept { return broken_; }

private:
    result<void> try_open(std::string const& path, std::string const& vfs, std::int64_t now)
    {
        int rc = db_.open(path, SQLITE_OPEN_READWRITE, vfs);
        if (rc != SQLITE_OK) return db_.describe(rc);
        result<bool> const fresh = is_fresh(db_);
        if (!fresh) return fresh.error();
        std::string mode;
        rc = db_.query("PRAGMA journal_mode=WAL", mode);
        if (rc == SQLITE_OK && mode != "wal")
            return ledger_failure(fmt::format("{}: no write-ahead log: journal_mode is {}", path, mode));
        // FULL: a commit is on the disk when it returns. The log is truncated if a reader had prevented its
        // restart.
        if (rc == SQLITE_OK)
            rc = db_.execute("PRAGMA synchronous=FULL; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY; "
                             "PRAGMA journal_size_limit=67108864");
        if (rc == SQLITE_OK && *fresh) rc = create(now);
        if (rc == SQLITE_OK) rc = prepare();
        if (rc != SQLITE_OK) return db_.describe(rc);
        ::sqlite3_wal_hook(db_.get(), &ledger_writer::on_commit, this);
        return {};
    }

    static int on_commit(void* self, ::sqlite3*, char const*, int log_pages)
    {
        auto* const writer = static_cast<ledger_writer*>(self);
        bool const begun_anew = log_pages < writer->log_pages_;
        if (begun_anew) writer->checkpoint_at_ = writer->checkpoint_pages_;
        writer->log_pages_ = log_pages;
        return SQLITE_OK;
    }

    int create(std::int64_t now)
    {
        std::string const sql =
            fmt::format("BEGIN IMMEDIATE; {}"
                        "INSERT INTO metadata VALUES('schema_version', '{}'), ('ocrpipe_version', '{}'), "
                        "('created_at', '{}'); PRAGMA application_id={}; PRAGMA user_version={}; COMMIT",
                        ledger_schema, ledger_schema_version, OCRPIPE_VERSION_STRING, now,
                        ledger_application_id, ledger_schema_version);
        return db_.execute(sql.c_str());
    }

    /// The states from which may_become() allows `to`, as a condition on the row that is there.
    static std::string legal_before(document_state to)
    {
        std::string always, if_changed;
        for (std::size_t i = 0; i != document_state_count; ++i) {
            auto const from = static_cast<document_state>(i);
            std::string& list = may_become(from, to, false) ? always : if_changed;
            if (may_become(from, to, true))
                list += fmt::format("{}'{}'", list.empty() ? "" : ",", name(from));
        }
        if (if_changed.empty()) return fmt::format("state IN ({})", always);
        return fmt::format("(state IN ({}) OR state IN ({}) AND (sha256 <> excluded.sha256 OR parameters <> "
                           "excluded.parameters))",
                           always, if_changed);
    }

    int prepare()
    {
        constexpr std::string_view columns =
            "id, path, sha256, size, mtime, flow, doc_type, file_type, parameters, first_seen_at";
        constexpr std::string_view forget_attempt =
            "path = excluded.path, sha256 = excluded.sha256, size = "
            "excluded.size, mtime = excluded.mtime, flow = excluded.flow, "
            "doc_type = excluded.doc_type, file_type = excluded.file_type, "
            "parameters = excluded.parameters, request_id = NULL, "
            "file_ids = NULL, attempts = 0, polls = 0, failure_class = NULL, "
            "message = NULL, submitted_at = NULL";
        constexpr std::string_view maybe_sent_before =
            "(state = 'ambiguous' OR possible_duplicate) AND sha256 = excluded.sha256 AND parameters = "
            "excluded.parameters";

        int rc = SQLITE_OK;
        auto const prepare = [&](statement& s, std::string const& sql) {
            if (rc == SQLITE_OK) rc = db_.prepare(s, sql);
        };
        prepare(begin_, "BEGIN IMMEDIATE");
        prepare(commit_, "COMMIT");
        prepare(intent_,
                fmt::format("INSERT INTO document({}, state, intent_at) "
                            "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,'intent',?10) "
                            "ON CONFLICT(id) DO UPDATE SET state = 'intent', possible_duplicate = {}, {}, "
                            "duplicate_of = NULL, intent_at = ?10, finished_at = NULL WHERE {} "
                            "AND state = ?11 AND coalesce(intent_at, 0) = ?12",
                            columns, maybe_sent_before, forget_attempt,
                            legal_before(document_state::intent)));
        prepare(skip_,
                fmt::format("INSERT INTO document({}, state, duplicate_of, result_file, result_offset, "
                            "result_length, finished_at) "
                            "VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,'skipped',?11,?12,?13,?14,?10) "
                            "ON CONFLICT(id) DO UPDATE SET state = 'skipped', possible_duplicate = {}, {}, "
                            "duplicate_of = ?11, intent_at = NULL, finished_at = ?10, result_file = ?12, "
                            "result_offset = ?13, result_length = ?14 WHERE {}",
                            columns, maybe_sent_before, forget_attempt,
                            legal_before(document_state::skipped)));
        prepare(submitted_,
                fmt::format(
                    "UPDATE document SET state = 'submitted', request_id = ?2, file_ids = ?3, attempts = ?4, "
                    "possible_duplicate = possible_duplicate OR ?5, submitted_at = ?6, failure_class = NULL, "
                    "message = NULL, finished_at = NULL WHERE id = ?1 AND {}",
                    legal_before(document_state::submitted)));
        // It was sent ambiguously before, so it becomes ambiguous again instead of new.
        prepare(
            not_sent_,
            fmt::format(
                "UPDATE document SET state = iif(possible_duplicate, 'ambiguous', 'new'), failure_class = "
                "iif(possible_duplicate, 'ambiguous_submit', NULL), intent_at = NULL WHERE id = ?1 AND {}",
                legal_before(document_state::found)));
        prepare(metadata_, "INSERT INTO metadata VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2");
        for (document_state const to : finishing)
            prepare(
                finished_[static_cast<std::size_t>(to)],
                fmt::format(
                    "UPDATE document SET state = '{}', failure_class = ?2, message = ?3, result_file = "
                    "coalesce(?4, result_file), result_offset = coalesce(?5, result_offset), result_length = "
                    "coalesce(?6, result_length), polls = ?7, attempts = coalesce(?8, attempts), "
                    "finished_at = ?9 WHERE id = ?1 AND {}",
                    name(to), legal_before(to)));
        return rc;
    }

    static bool records_result(pending_change const& c) noexcept
    {
        auto const* const end = std::get_if<finished_change>(&c.what);
        return std::holds_alternative<skip_change>(c.what) ||
               (end && end->what.state == document_state::done);
    }

    int try_commit(std::span<pending_change> batch)
    {
        if (sync_results_ && std::any_of(batch.begin(), batch.end(), records_result))
            if (error_code const ec = sync_results_()) {
                broken_ = ledger_failure("the results could not be brought to the disk", ec);
                return SQLITE_IOERR;
            }
        if (int const rc = run(begin_); rc != SQLITE_DONE) return rc;
        for (pending_change& c : batch) {
            statement* s = nullptr;
            int const rc = std::visit([&](auto const& change) { return apply(change, c.at, s); }, c.what);
            bool const nothing_changed = s && rc == SQLITE_DONE && ::sqlite3_changes64(db_.get()) == 0;
            if (s) s->reset();
            if (nothing_changed || rc == SQLITE_MISMATCH || rc == SQLITE_TOOBIG)
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

    // Each binds and steps a statement and leaves it in `s`, to be reset when what was bound has been used.
    // SQLITE_MISMATCH means that the change is invalid.

    int apply(intent_change const& c, std::int64_t at, statement*& s)
    {
        if (!bind(intent_, c.document, at, s)) return SQLITE_MISMATCH;
        if (c.seen)
            s->bind_text(11, name(c.seen->state)).bind(12, c.seen->intent_at);
        else
            s->bind_null(11).bind_null(12); // equal to no row
        return s->step();
    }

    int apply(skip_change const& c, std::int64_t at, statement*& s)
    {
        if (!bind(skip_, c.document, at, s)) return SQLITE_MISMATCH;
        return bind_location(s->bind_name(11, c.duplicate_of), 12, c.where).step();
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
        return s->bind(5, c.what.possible_duplicate).bind(6, at).step();
    }

    int apply(finished_change const& c, std::int64_t at, statement*& s)
    {
        bool const known = std::find(finishing.begin(), finishing.end(), c.what.state) != finishing.end();
        bool const done = c.what.state == document_state::done;
        if (!known || (done && !c.what.result)) return SQLITE_MISMATCH;
        s = &finished_[static_cast<std::size_t>(c.what.state)];
        s->bind_name(1, c.id).bind_text_or_null(2, done ? std::string_view() : name(c.what.failure));
        if (c.what.message.empty())
            s->bind_null(3);
        else
            s->bind_name(3, c.what.message);
        if (c.what.result)
            bind_location(*s, 4, *c.what.result);
        else
            s->bind_null(4).bind_null(5).bind_null(6);
        if (c.what.attempts > 0)
            s->bind(8, c.what.attempts);
        else
            s->bind_null(8);
        return s->bind(7, c.what.polls).bind(9, at).step();
    }

    int apply(not_sent_change const& c, std::int64_t, statement*& s)
    {
        s = &not_sent_;
        return s->bind_name(1, c.id).step();
    }

    int apply(metadata_change const& c, std::int64_t, statement*& s)
    {
        s = &metadata_;
        return s->bind_name(1, c.key).bind_name(2, c.value).step();
    }

    int apply(index_change, std::int64_t, statement*&)
    {
        int const rc = db_.execute(content_index);
        return rc == SQLITE_OK ? SQLITE_DONE : rc;
    }

    int apply(flush_change, std::int64_t, statement*&) { return SQLITE_DONE; }

    void fail(int rc)
    {
        if (!broken_) broken_ = db_.describe(rc);
        // Rolls back in memory; in WAL mode this writes nothing.
        db_.execute("ROLLBACK");
    }

    static constexpr std::array finishing{document_state::done,      document_state::failed,
                                          document_state::ambiguous, document_state::stuck,
                                          document_state::expired,   document_state::lost};

    database_connection db_;
    statement begin_;
    statement commit_;
    statement intent_;
    statement skip_;
    statement submitted_;
    statement not_sent_;
    statement metadata_;
    std::array<statement, document_state_count> finished_;
    std::optional<failure> broken_;
    std::function<error_code()> sync_results_;
    int log_pages_ = 0;
    int checkpoint_pages_ = 0;
    int checkpoint_at_ = 0;
    std::string hash_; ///< bound to a statement, as is list_
    std::string list_;
};

} // namespace ocrpipe::detail

#endif
