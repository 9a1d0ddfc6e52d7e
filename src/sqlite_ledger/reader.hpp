#ifndef OCRPIPE_SRC_SQLITE_LEDGER_READER_HPP
#define OCRPIPE_SRC_SQLITE_LEDGER_READER_HPP

#include <ocrpipe/bulk/ledger/detail/ledger_change.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>

#include "connection.hpp"
#include "row.hpp"
#include "schema.hpp"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe::detail
{

/// Whether other processes may write to the ledger.
enum class other_writers { no, yes };

/// Reads a ledger through a separate connection, which sees committed data.
///
/// A read transaction costs three system calls, so it is kept open between calls until committed() reports
/// new data.
///
/// Thread safety: any thread; calls take turns.
class ledger_reader
{
public:
    result<void> open(std::string const& path, std::string const& vfs, other_writers others)
    {
        keeps_snapshot_ = others == other_writers::no;
        int rc = db_.open(path, SQLITE_OPEN_READONLY, vfs);
        if (rc == SQLITE_OK) rc = db_.prepare(begin_, "BEGIN");
        if (rc == SQLITE_OK) rc = db_.prepare(end_, "COMMIT");
        // A manifest may name the ids in any order: their index should stay in memory, up to a bound.
        if (rc == SQLITE_OK) rc = db_.execute("PRAGMA cache_size=-65536");
        if (rc == SQLITE_OK) rc = fill_in_for_earlier_version();
        if (rc == SQLITE_OK) rc = prepare(find_, "d.id = ?1");
        constexpr std::string_view brief =
            "SELECT number, id, coalesce(path, id), size, mtime, parameters, state FROM document WHERE";
        if (rc == SQLITE_OK) rc = prepare_text(brief_, fmt::format("{} id = ?1", brief));
        if (rc == SQLITE_OK)
            rc = prepare_text(following_, fmt::format("{} number > ?1 ORDER BY number", brief));
        if (rc == SQLITE_OK) rc = prepare(find_request_, "d.request_id = ?1 LIMIT 1");
        if (rc == SQLITE_OK)
            rc = prepare(
                find_content_,
                "substr(d.sha256, 1, 8) = substr(?1, 1, 8) AND d.state = 'done' AND d.sha256 = ?1 AND "
                "d.parameters = ?2 LIMIT 1");
        if (rc != SQLITE_OK) return db_.describe(rc);
        return {};
    }

    void close()
    {
        std::lock_guard const lock(mutex_);
        for (statement* const s :
             {&begin_, &end_, &find_, &brief_, &following_, &find_request_, &find_content_})
            *s = statement();
        in_snapshot_ = in_order_ = false;
        db_.close();
    }

    /// Invalidates the current snapshot.
    void committed() noexcept { commits_.fetch_add(1, std::memory_order_release); }

    /// Ends the snapshot, so that the log can be restarted.
    void release()
    {
        std::lock_guard const lock(mutex_);
        end_snapshot();
    }

    result<std::optional<ledger_row>> find(std::string_view id)
    {
        return first_row(find_, [&](statement& s) { s.bind_name(1, id); });
    }

    result<std::optional<known_document>> look_up(std::string_view id, std::string_view path,
                                                  std::uint64_t size, std::int64_t mtime_ns,
                                                  std::string_view parameters)
    {
        auto const known = [&](statement const& row) -> result<std::optional<known_document>> {
            last_number_ = row.integer(0);
            std::optional<document_state> const state = document_state_named(row.bytes(6));
            if (!state) return bad_row();
            bool const same = row.bytes(2) == path && row.integer(3) == static_cast<std::int64_t>(size) &&
                              row.integer(4) == mtime_ns && row.bytes(5) == parameters;
            return std::optional(known_document{*state, same, static_cast<std::uint64_t>(last_number_)});
        };
        turn const t(*this);
        if (!db_.is_open()) return failed(SQLITE_MISUSE);
        // A scan finds most documents in the order of their first admission, and the next row costs a
        // fraction of a search.
        if (in_order_ && following_.step() == SQLITE_ROW && following_.bytes(1) == id)
            return known(following_);
        leave_order();
        std::int64_t const before = last_number_;
        int const rc = brief_.bind_name(1, id).step();
        result<std::optional<known_document>> found = std::optional<known_document>();
        if (rc == SQLITE_ROW)
            found = known(brief_);
        else if (rc != SQLITE_DONE)
            found = failed(rc);
        brief_.reset();
        if (rc == SQLITE_ROW && in_snapshot_ && last_number_ == before + 1) {
            following_.bind(1, last_number_);
            in_order_ = true;
        }
        return found;
    }

    result<std::optional<ledger_row>> find_done_by_content(std::string_view sha256,
                                                           std::string_view parameters)
    {
        std::string const hash = bytes_of_hex(sha256);
        return first_row(find_content_, [&](statement& s) { s.bind_blob(1, hash).bind_name(2, parameters); });
    }

    result<std::optional<ledger_row>> find_request(std::string_view request_id)
    {
        auto row = first_row(find_request_, [&](statement& s) { s.bind_name(1, request_id); });
        return !row || *row ? std::move(row) : find_earlier(request_id);
    }

    result<std::vector<ledger_row>> rows(document_states in, std::uint64_t& cursor, std::size_t limit)
    {
        std::string names;
        for (std::size_t i = 0; i != document_state_count; ++i)
            if (auto const s = static_cast<document_state>(i); in.contains(s))
                names += fmt::format("{}'{}'", names.empty() ? "" : ",", name(s));
        return read_rows(fmt::format("WHERE d.state IN ({})", names), cursor, limit);
    }

    result<std::vector<ledger_row>> incomplete_rows(bool settled_too, std::uint64_t& cursor,
                                                    std::size_t limit)
    {
        // The index makes the cost independent of the other rows.
        return read_rows(fmt::format("INDEXED BY document_incomplete WHERE d.completeness IS NOT NULL{}",
                                     settled_too ? "" : " AND d.ask_again"),
                         cursor, limit);
    }

    result<std::vector<std::string>> documents_lacking_parts()
    {
        turn const t(*this);
        statement s;
        int rc =
            prepare_text(s, "SELECT id FROM document WHERE number IN (SELECT document FROM missing_part) "
                            "ORDER BY number");
        if (rc != SQLITE_OK) return failed(rc);
        std::vector<std::string> ids;
        while ((rc = s.step()) == SQLITE_ROW)
            ids.emplace_back(s.bytes(0));
        if (rc != SQLITE_DONE) return failed(rc);
        return ids;
    }

    result<std::vector<missing_part>> missing_parts(std::string_view id, std::uint64_t from,
                                                    std::size_t limit)
    {
        turn const t(*this);
        statement s;
        int rc = prepare_text(s, "SELECT place, kind, part_index, sub_id, failure_class, message FROM "
                                 "missing_part WHERE document = (SELECT number FROM document WHERE id = ?1) "
                                 "AND place >= ?2 ORDER BY place LIMIT ?3");
        if (rc != SQLITE_OK) return failed(rc);
        s.bind_name(1, id).bind(2, static_cast<std::int64_t>(from)).bind(3, static_cast<std::int64_t>(limit));
        std::vector<missing_part> out;
        while ((rc = s.step()) == SQLITE_ROW) {
            missing_part& p = out.emplace_back();
            p.place = static_cast<std::uint64_t>(s.integer(0));
            for (operation const o :
                 {operation::table, operation::signature, operation::stamp, operation::image})
                if (s.bytes(1) == name(o)) p.kind = o;
            p.index = static_cast<std::uint64_t>(s.integer(2));
            p.sub_id = s.bytes(3);
            if (!s.is_null(4)) p.failure = errc_named(s.bytes(4)).value_or(errc::unexpected_answer);
            p.message = s.bytes(5);
        }
        if (rc != SQLITE_DONE) return failed(rc);
        return out;
    }

    result<document_counts> counts()
    {
        turn const t(*this);
        if (in_snapshot_ && counted_ && counted_->first == snapshot_) return counted_->second;
        // Counted here: GROUP BY would sort a million rows, in memory.
        statement s;
        int rc = prepare_text(s, "SELECT state, failure_class, possible_duplicate, number, completeness, "
                                 "ask_again, doc_type, request_id IS NOT NULL FROM document");
        if (rc != SQLITE_OK) return failed(rc);
        document_counts counts;
        while ((rc = s.step()) == SQLITE_ROW) {
            std::optional<document_state> const state = document_state_named(s.bytes(0));
            if (!state) return bad_row();
            count_row(counts, *state, s.bytes(1), s.integer(2) != 0, completeness_of(s.bytes(4)),
                      s.integer(5) != 0, s.integer(7) != 0, s.bytes(6));
            counts.last_number = std::max(counts.last_number, static_cast<std::uint64_t>(s.integer(3)));
        }
        if (rc != SQLITE_DONE) return failed(rc);
        rc = prepare_text(s, "SELECT failure_class, count(*) FROM missing_part GROUP BY failure_class");
        if (rc != SQLITE_OK) return failed(rc);
        while ((rc = s.step()) == SQLITE_ROW)
            (s.is_null(0) ? counts.parts_wanted : counts.parts_failed[std::string(s.bytes(0))]) =
                static_cast<std::uint64_t>(s.integer(1));
        if (rc != SQLITE_DONE) return failed(rc);
        if (in_snapshot_) counted_.emplace(snapshot_, counts);
        return counts;
    }

    result<std::optional<result_location>> last_result_location()
    {
        turn const t(*this);
        statement s;
        int rc = prepare_text(
            s, "SELECT result_file, result_offset, result_length FROM document "
               "WHERE result_file IS NOT NULL ORDER BY result_file DESC, result_offset DESC LIMIT 1");
        if (rc == SQLITE_OK) rc = s.step();
        if (rc == SQLITE_DONE) return std::optional<result_location>();
        if (rc != SQLITE_ROW) return failed(rc);
        return std::optional<result_location>(read_location(s, 0));
    }

    result<std::optional<std::string>> metadata(std::string_view key)
    {
        turn const t(*this);
        statement s;
        int rc = prepare_text(s, "SELECT value FROM metadata WHERE key = ?1");
        if (rc == SQLITE_OK) rc = s.bind_name(1, key).step();
        if (rc == SQLITE_DONE) return std::optional<std::string>();
        if (rc != SQLITE_ROW) return failed(rc);
        return std::optional<std::string>(s.bytes(0));
    }

private:
    /// The scope of one call, in a snapshot of everything committed when it began.
    class turn
    {
    public:
        explicit turn(ledger_reader& r) : lock_(r.mutex_), reader_(r)
        {
            std::uint64_t const commits = r.commits_.load(std::memory_order_acquire);
            if (!r.keeps_snapshot_ || !r.db_.is_open() || (r.in_snapshot_ && r.snapshot_ == commits)) return;
            r.end_snapshot();
            r.begin_.step();
            r.begin_.reset();
            r.in_snapshot_ = true;
            r.snapshot_ = commits;
        }
        // After a failed read, SQLite may have left the transaction.
        ~turn()
        {
            reader_.in_snapshot_ = reader_.in_snapshot_ && !::sqlite3_get_autocommit(reader_.db_.get());
        }

    private:
        std::lock_guard<std::mutex> lock_;
        ledger_reader& reader_;
    };

    void end_snapshot()
    {
        if (!std::exchange(in_snapshot_, false)) return;
        leave_order();
        end_.step();
        end_.reset();
    }

    void leave_order()
    {
        if (std::exchange(in_order_, false)) following_.reset();
    }

    /// A ledger that is only read keeps its version. One of version 1 knows of no missing part and of no
    /// incomplete result, and one of version 2 of fewer times.
    int fill_in_for_earlier_version()
    {
        std::string version;
        int const rc = db_.query("PRAGMA user_version", version);
        if (version == "1" || version == "2") columns_ = row_columns_before_version_3();
        if (rc != SQLITE_OK || version != "1") return rc;
        return db_.execute(as_version_2);
    }

    int prepare(statement& s, std::string_view where)
    {
        return prepare_text(s, fmt::format("SELECT {} FROM document d WHERE {}", columns_, where));
    }

    int prepare_text(statement& s, std::string_view sql)
    {
        return db_.is_open() ? db_.prepare(s, sql) : SQLITE_MISUSE;
    }

    /// `which`: what follows FROM document d.
    result<std::vector<ledger_row>> read_rows(std::string_view which, std::uint64_t& cursor,
                                              std::size_t limit)
    {
        turn const t(*this);
        statement s;
        if (int const rc = prepare_text(
                s, fmt::format("SELECT {} FROM document d {} AND d.number > ?1 ORDER BY d.number LIMIT ?2",
                               columns_, which));
            rc != SQLITE_OK)
            return failed(rc);
        s.bind(1, static_cast<std::int64_t>(cursor)).bind(2, static_cast<std::int64_t>(limit));
        std::vector<ledger_row> out;
        int rc;
        while ((rc = s.step()) == SQLITE_ROW) {
            if (!read_row(s, out.emplace_back())) return bad_row();
            cursor = static_cast<std::uint64_t>(s.integer(0));
        }
        if (rc != SQLITE_DONE) return failed(rc);
        return out;
    }

    template<class Bind>
    result<std::optional<ledger_row>> first_row(statement& s, Bind bind)
    {
        turn const t(*this);
        if (!db_.is_open()) return failed(SQLITE_MISUSE);
        bind(s);
        int const rc = s.step();
        std::optional<ledger_row> row;
        bool const sense = rc != SQLITE_ROW || read_row(s, row.emplace());
        // Before reset(), which invalidates the columns and the error message.
        std::optional<failure> problem;
        if (!sense)
            problem = bad_row();
        else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            problem = failed(rc);
        s.reset();
        if (problem) return std::move(*problem);
        return row;
    }

    /// Returns only what was kept of that submit, with the document's id and path. Its content and parameters
    /// may have changed since.
    result<std::optional<ledger_row>> find_earlier(std::string_view request_id)
    {
        turn const t(*this);
        statement s;
        int rc = prepare_text(
            s,
            fmt::format("SELECT {}, e.request_id, e.file_ids, e.submitted_at, e.finished_at, e.state FROM "
                        "earlier_request e JOIN document d ON d.number = e.document WHERE e.request_id = ?1 "
                        "LIMIT 1",
                        columns_.substr(0, columns_.find(", d.request_id"))));
        if (rc == SQLITE_OK) rc = s.bind_name(1, request_id).step();
        if (rc == SQLITE_DONE) return std::optional<ledger_row>();
        if (rc != SQLITE_ROW) return failed(rc);
        ledger_row now;
        std::optional<document_state> const then = document_state_named(s.bytes(request_column + 4));
        if (!read_row(s, now) || !then) return bad_row();
        ledger_row row;
        row.id = std::move(now.id);
        row.path = std::move(now.path);
        row.first_seen_at = now.first_seen_at;
        row.state = *then;
        row.request_id = std::move(now.request_id);
        row.file_ids = std::move(now.file_ids);
        row.submitted_at = now.submitted_at;
        row.finished_at = now.finished_at;
        return std::optional<ledger_row>(std::move(row));
    }

    failure failed(int rc) const
    {
        return db_.is_open() ? db_.describe(rc) : ledger_failure(fmt::format("{}: closed", db_.path()));
    }
    failure bad_row() const { return ledger_failure(fmt::format("{}: a row is invalid", db_.path())); }

    std::atomic<std::uint64_t> commits_ = 0;
    std::mutex mutex_;
    database_connection db_;
    std::string columns_{row_columns};
    bool keeps_snapshot_ = false;
    bool in_snapshot_ = false;
    std::uint64_t snapshot_ = 0;                                       ///< commits_ when it began
    std::optional<std::pair<std::uint64_t, document_counts>> counted_; ///< in which snapshot_
    statement begin_;
    statement end_;
    statement find_;
    statement brief_;              ///< the columns that look_up() compares
    statement following_;          ///< the same, of the rows after last_number_, while in_order_
    std::int64_t last_number_ = 0; ///< of the row that look_up() returned last
    bool in_order_ = false;
    statement find_request_;
    statement find_content_;
};

} // namespace ocrpipe::detail

#endif
