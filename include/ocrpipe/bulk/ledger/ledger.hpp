#ifndef OCRPIPE_BULK_LEDGER_LEDGER_HPP
#define OCRPIPE_BULK_LEDGER_LEDGER_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/bulk/ledger/result_location.hpp>
#include <ocrpipe/core/result.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// State of a document. The names are stable: they appear in the database and in reports.
enum class document_state : unsigned char {
    found,     ///< "new": not sent yet; also used for a document without a row
    intent,    ///< about to be sent, or being sent
    submitted, ///< the service returned a request_id; the job is polled and never resubmitted
    done,      ///< the result is in a results file
    failed,    ///< rejected by us or by the service; failure_class says why
    ambiguous, ///< it was sent but no request_id was received; it may be billed
    stuck,     ///< not finished by the deadline; the request_id is still valid
    expired,   ///< the service says that the result is gone
    lost,      ///< the service no longer knows the request_id
    skipped,   ///< a duplicate: it shares another document's result
};

inline constexpr std::size_t document_state_count = 10;

/// "new", "intent", "submitted" and so on.
OCRPIPE_DECL std::string_view name(document_state s) noexcept;

/// Returns the state with that name, if there is one.
OCRPIPE_DECL std::optional<document_state> document_state_named(std::string_view name) noexcept;

/// Whether a document may go from one state to another.
///
/// `changed`: the content or the parameters differ from the row's, so that this is a different document under
/// the same id. A document that was paid for and may still have a result is sent again only in this case; a
/// document that is being sent or polled is never sent again.
OCRPIPE_DECL bool may_become(document_state from, document_state to, bool changed) noexcept;

/// A set of states.
class document_states
{
public:
    constexpr document_states() = default;
    constexpr document_states(std::initializer_list<document_state> states) noexcept
    {
        for (document_state const s : states)
            bits_ |= bit(s);
    }

    /// All states in which work remains: a resumed run examines these.
    static constexpr document_states open() noexcept
    {
        return {document_state::found, document_state::intent, document_state::submitted,
                document_state::ambiguous, document_state::stuck};
    }

    static constexpr document_states all() noexcept
    {
        document_states every;
        every.bits_ = (1u << document_state_count) - 1;
        return every;
    }

    constexpr bool contains(document_state s) const noexcept { return (bits_ & bit(s)) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }

private:
    static constexpr unsigned bit(document_state s) noexcept { return 1u << static_cast<unsigned>(s); }
    unsigned bits_ = 0;
};

/// Returns a short, stable fingerprint of a document's parameters: equal parameters give equal fingerprints.
/// Sixteen hexadecimal digits.
OCRPIPE_DECL std::string
parameters_fingerprint(std::string_view flow, std::string_view doc_type, enum file_type type,
                       std::span<std::pair<std::string, std::string> const> extra_fields = {});

/// What the ledger records about a document before it is sent.
struct ledger_document {
    std::string id;         ///< the key; any bytes
    std::string path;       ///< any bytes
    std::string sha256;     ///< of the content, 64 lower-case hexadecimal digits
    std::uint64_t size = 0; ///< bytes
    /// Modification time, since the epoch. If it and the size are unchanged, a scan does not hash the file
    /// again.
    std::int64_t mtime_ns = 0;
    std::string flow;
    std::string doc_type;
    enum file_type type = file_type::detect;
    std::string parameters; ///< parameters_fingerprint()
};

/// Version of a row: a different version means that the document has been processed by someone else since.
struct row_version {
    document_state state = document_state::found;
    std::int64_t intent_at = 0;

    bool operator==(row_version const&) const = default;
};

/// Everything the ledger knows about a document. Times are milliseconds since the epoch, 0 for never.
struct ledger_row : ledger_document {
    document_state state = document_state::found;
    std::string request_id; ///< of the last submit that got an answer
    std::vector<std::string> file_ids;
    std::string failure_class; ///< name of an errc; empty if nothing failed
    std::string message;
    bool possible_duplicate = false; ///< it was sent again after an ambiguous submit, and may be billed twice
    std::string duplicate_of;        ///< if skipped: the id of the document whose result it shares
    int attempts = 0;                ///< submits sent
    int polls = 0;                   ///< of its job, in all runs that recorded how it ended
    std::optional<result_location> result;
    completeness how_complete = completeness::whole; ///< of the result
    bool ask_again = false; ///< the result is not whole, and the next run asks the service for it again
    std::int64_t first_seen_at = 0;
    std::int64_t intent_at = 0;    ///< it was about to be sent
    std::int64_t sent_at = 0;      ///< the first byte of the last submit left
    std::int64_t submitted_at = 0; ///< the request_id was received
    /// The service finished the job between these two. In the run that recorded how it ended, the last answer
    /// came that it is not finished, and then the one with the result.
    std::int64_t last_pending_at = 0;
    std::int64_t ready_at = 0;
    std::int64_t finished_at = 0; ///< its end was recorded

    row_version version() const noexcept { return {state, intent_at}; }
};

/// The outcome of a submit that got an answer.
struct submit_record {
    std::string request_id; ///< not empty
    std::vector<std::string> file_ids;
    int attempts = 1;
    bool possible_duplicate = false;
    std::int64_t sent_at = 0;     ///< as in ledger_row; 0 keeps what the row has
    std::int64_t accepted_at = 0; ///< becomes submitted_at; 0: the time of the call
};

/// A part that a document's result lacks: a table, signature, stamp or image that was asked for and is
/// neither in a file nor known to be absent.
struct missing_part {
    std::uint64_t place = 0; ///< in "parts" of the document's result line, from 0
    operation kind = operation::table;
    std::uint64_t index = 0; ///< of its file, see part_files::write()
    std::string sub_id;      ///< the service's document_id; for an image, its file_id
    errc failure = errc::ok; ///< why it failed; errc::ok if the run did not wait for it
    std::string message;     ///< human-readable; contains no secret
};

/// The outcome of fetching parts that a result lacked.
struct parts_record {
    result_location from; ///< of the result when the parts were read from the ledger
    result_location to;   ///< of its new line, which lists the parts; `from` if there is no new line
    std::vector<std::uint64_t> listed; ///< places of those that are in files or absent
    std::vector<missing_part> failed;
};

/// That a document shares the result of another one.
struct skip_record {
    std::string duplicate_of; ///< id of the other document, which is done
    result_location from;     ///< of the result that was copied
    result_location to;       ///< of the document's own line with it
};

/// How a document ended.
struct finish_record {
    document_state state = document_state::done;     ///< done, failed, ambiguous, stuck, expired or lost
    errc failure = errc::ok;                         ///< failure class, if the state is not done
    std::string message;                             ///< human-readable; contains no secret
    std::optional<result_location> result;           ///< required for done
    std::vector<missing_part> missing_parts;         ///< if done: what the result line lacks
    int polls = 0;                                   ///< added to those of earlier runs
    int attempts = 0;                                ///< submits sent; 0 keeps the value given to submitted()
    completeness how_complete = completeness::whole; ///< of the result
    bool ask_again = true; ///< if the result is not whole: whether the next run asks the service for it again
    /// Empty for the document's first result. Otherwise, the state is done, the document's present result is
    /// that of this request_id, is at `replaced` and is not whole, and this one takes its place.
    std::string replaces;
    result_location replaced;
    // As in ledger_row; 0 keeps what the row has.
    std::int64_t sent_at = 0;
    std::int64_t last_pending_at = 0;
    std::int64_t ready_at = 0;
};

/// The number of documents in each state.
class document_counts
{
public:
    /// Documents that ended without a result, by failure_class.
    std::map<std::string, std::uint64_t> by_class;
    std::uint64_t possible_duplicates = 0; ///< sent again after an ambiguous submit; may be billed twice
    std::uint64_t parts_wanted = 0;        ///< missing parts that no run has waited for yet
    std::map<std::string, std::uint64_t> parts_failed; ///< missing parts that failed, by failure class
    std::uint64_t last_number = 0;                     ///< the largest row number; 0 if there are no rows
    std::uint64_t empty = 0; ///< done or skipped, with an empty result; likewise in_part
    std::uint64_t in_part = 0;
    std::uint64_t to_ask_again = 0; ///< of these, those for which the next run asks the service again
    /// The doc_types of documents with a request_id: the service knows them. At most a thousand.
    std::set<std::string, std::less<>> accepted_doc_types;

    std::uint64_t& operator[](document_state s) noexcept { return counts_[static_cast<std::size_t>(s)]; }
    std::uint64_t operator[](document_state s) const noexcept { return counts_[static_cast<std::size_t>(s)]; }
    std::uint64_t total_of(document_states in) const noexcept
    {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i != counts_.size(); ++i)
            if (in.contains(static_cast<document_state>(i))) sum += counts_[i];
        return sum;
    }
    std::uint64_t total() const noexcept { return total_of(document_states::all()); }

private:
    std::array<std::uint64_t, document_state_count> counts_{};
};

/// What a scan needs to know about a document that is already in the ledger.
struct known_document {
    document_state state = document_state::found;
    bool untouched = false;   ///< path, size, modification time and parameters match its row
    std::uint64_t number = 0; ///< row number, from 1 in the order of first admission
};

/// Completion handler of a change, called once when the change is durable or has failed. Move-only; may be
/// empty; must not throw when called.
class ledger_handler
{
public:
    ledger_handler() = default;
    template<class F>
        requires(!std::same_as<std::remove_cvref_t<F>, ledger_handler> &&
                 std::invocable<std::decay_t<F>&, error_code>)
    ledger_handler(F&& f) : target_(std::make_unique<holder<std::decay_t<F>>>(std::forward<F>(f)))
    {
    }

    explicit operator bool() const noexcept { return target_ != nullptr; }
    void operator()(error_code ec) { target_->call(ec); }

private:
    struct base {
        virtual ~base() = default;
        virtual void call(error_code ec) = 0;
    };
    template<class F>
    struct holder final : base {
        template<class G>
        explicit holder(G&& g) : f(std::forward<G>(g))
        {
        }
        void call(error_code ec) override { f(ec); }
        F f;
    };
    std::unique_ptr<base> target_;
};

/// The record of a run: the documents sent, their request ids, and their outcomes. open_sqlite_ledger() keeps
/// it on disk, make_memory_ledger() in this process.
///
/// A read returns what was durable when it was called. Errors: errc::ledger_failed with the cause. An
/// unreadable row is never reported as absent, since an absent document would be sent and paid for.
///
/// Writes are asynchronous, and changes are batched into few commits. Each handler is called once, on the
/// io_context, in the order of the calls, when the change is durable or has failed:
/// - errc::invalid_argument: the change is invalid (no such document, an illegal transition, a field out of
/// range) and was not made; other changes are not affected.
/// - errc::ledger_failed: a commit failed. None of its changes is guaranteed, nothing is written after it,
/// and every later change fails in the same way: after a failed fsync the state on disk is unknown. broken()
/// returns the details.
/// - errc::cancelled: the ledger was closed before the call.
///
/// Thread safety: all functions except close() may be called from any thread. Changes requested by one thread
/// are made in the order of the calls.
/// Lifetime: the io_context must outlive the ledger.
class ledger
{
public:
    virtual ~ledger() = default;
    ledger() = default;
    ledger(ledger const&) = delete;
    ledger& operator=(ledger const&) = delete;

    /// Whether a later process can open this ledger and continue from its rows. If not, a run must report
    /// its paid but unfinished jobs in another place before it ends, because their request_ids are lost with
    /// the process.
    virtual bool survives_process() const noexcept = 0;

    virtual result<std::optional<ledger_row>> find(std::string_view id) = 0;

    /// Returns what a scan needs to know about a file before opening it; nullopt for a new one. Cost: a few
    /// microseconds, less if called in the order of first admission.
    virtual result<std::optional<known_document>> look_up(std::string_view id, std::string_view path,
                                                          std::uint64_t size, std::int64_t mtime_ns,
                                                          std::string_view parameters) = 0;

    /// Finds a document by request_id, even one that was superseded when the document was sent again; the row
    /// then describes that earlier submit. Cost: reads the whole ledger; intended for interactive use.
    virtual result<std::optional<ledger_row>> find_request(std::string_view request_id) = 0;

    /// Finds a done document with this content and these parameters. Cost: reads the whole ledger, unless
    /// index_content() was called in this or an earlier run.
    virtual result<std::optional<ledger_row>> find_done_by_content(std::string_view sha256,
                                                                   std::string_view parameters) = 0;

    /// Returns at most `limit` rows in these states, in the order of first admission, starting after `cursor`
    /// (0 to begin) and advancing it. An empty result means that there are no more rows. Rows may change
    /// between two calls.
    virtual result<std::vector<ledger_row>> rows(document_states in, std::uint64_t& cursor,
                                                 std::size_t limit) = 0;

    /// Returns at most `limit` rows whose result is empty or in part, like rows(). `settled_too`: also those
    /// for which the service is not asked again. Cost: does not depend on the number of other rows.
    virtual result<std::vector<ledger_row>> incomplete_rows(bool settled_too, std::uint64_t& cursor,
                                                            std::size_t limit) = 0;

    /// Returns the ids of the documents whose results lack parts, in the order of first admission.
    virtual result<std::vector<std::string>> documents_lacking_parts() = 0;

    /// Returns at most `limit` parts that the document's result lacks, in the order of their places, starting
    /// at place `from`.
    virtual result<std::vector<missing_part>> missing_parts(std::string_view id, std::uint64_t from,
                                                            std::size_t limit) = 0;

    /// Cost: reads the whole ledger, about half a second for a million documents; little if nothing changed
    /// since this run's last call.
    virtual result<document_counts> counts() = 0;

    /// Returns the location of the last recorded result in the last results file. Lines after it were written
    /// but not recorded, provided that finished() is called in the order of the lines.
    virtual result<std::optional<result_location>> last_result_location() = 0;

    /// Returns the run's metadata for this key. The ledger itself sets "created_at" (milliseconds since the
    /// epoch) and "ocrpipe_version".
    virtual result<std::optional<std::string>> metadata(std::string_view key) = 0;

    /// Records that the document is about to be sent. Do not send its first byte until the handler reports
    /// success. Clears the outcome of an earlier attempt, its missing parts included, but remembers if an
    /// earlier submit of the same content was ambiguous, and keeps a superseded request_id in a separate
    /// list.
    ///
    /// `seen`: the version of the row on which the decision was based; nullopt if there was no row. Also
    /// fails with errc::invalid_argument if the row has changed since: the intervening submit may have been
    /// paid for.
    virtual void admit_intent(ledger_document d, std::optional<row_version> seen, ledger_handler h) = 0;

    /// Records that the service accepted the document. Do not poll the job until the handler reports success.
    /// Also used for an ambiguous document whose request_id was recovered elsewhere.
    virtual void submitted(std::string id, submit_record what, ledger_handler h) = 0;

    /// Sets the function that syncs the results files to disk. It is called on the ledger's thread before
    /// each commit that records a result; if it fails, that commit is not made and the ledger is broken with
    /// its error as cause. Call this before the first change.
    virtual void sync_results_with(std::function<error_code()> sync) = 0;

    /// Records how the document ended. Write a result to its file before calling this; the function set by
    /// sync_results_with() makes it durable before the row becomes done.
    virtual void finished(std::string id, finish_record what, ledger_handler h) = 0;

    /// Records that parts were fetched that a document's result lacked. As for finished(), write the
    /// document's new line first. Fails with errc::invalid_argument if the result is no longer at `from`,
    /// because the document was sent again in the meantime.
    virtual void parts_fetched(std::string id, parts_record what, ledger_handler h) = 0;

    /// Records that no byte of the document was sent: intent becomes new again, or ambiguous if an earlier
    /// submit was ambiguous.
    virtual void not_sent(std::string id, ledger_handler h) = 0;

    /// Records that the document is not sent because `duplicate_of` has the same content and parameters. As
    /// for finished(), write the document's own line with that result first. Its result is as complete as
    /// that of `duplicate_of`, and lacks the same parts. Also for a document that was skipped before and
    /// whose result is not whole. Fails with errc::invalid_argument if the result of `duplicate_of` is not at
    /// `from` any more, because it was replaced meanwhile.
    virtual void skip(ledger_document d, skip_record what, ledger_handler h) = 0;

    virtual void set_metadata(std::string key, std::string value, ledger_handler h) = 0;

    /// Maintains an index for find_done_by_content() from now on. Cost: the first time, a few seconds and 56
    /// MB for a million done documents; afterwards, one page written per document.
    virtual void index_content(ledger_handler h) = 0;

    /// Commits pending changes without delay. The handler is called when all changes requested earlier are
    /// durable.
    virtual void flush(ledger_handler h) = 0;

    /// Marks intents left by an earlier process as ambiguous, since their submits may or may not have
    /// arrived; returns how many.
    ///
    /// Blocks on the disk. Call this before the first change of this process, because it cannot tell this
    /// process's own intents apart.
    /// Errors: errc::invalid_argument after the first change; errc::ledger_failed.
    virtual result<std::uint64_t> interrupted_intents_to_ambiguous() = 0;

    /// Returns why changes fail, once a commit has failed.
    virtual std::optional<failure> broken() const = 0;

    /// Commits pending changes, posts the last handlers, and releases the ledger for other processes. Blocks
    /// on the disk. Also called by the destructor.
    ///
    /// Errors: errc::ledger_failed, with the details in broken().
    virtual error_code close() = 0;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/ledger/impl/ledger.ipp>
#endif

#endif
