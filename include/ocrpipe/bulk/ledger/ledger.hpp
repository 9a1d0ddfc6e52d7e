#ifndef OCRPIPE_BULK_LEDGER_LEDGER_HPP
#define OCRPIPE_BULK_LEDGER_LEDGER_HPP

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
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// Where a document stands. The names are stable: they are in the database and in reports.
enum class document_state : unsigned char {
    found,     ///< "new": nothing was sent; a document without a row counts as this too
    intent,    ///< about to be sent, or being sent
    submitted, ///< the service gave a request_id, which is polled and never resubmitted
    done,      ///< the result is in a results file
    failed,    ///< refused by us or by the service; the class says why
    ambiguous, ///< it went out but no request_id came back; it may be billed
    stuck,     ///< not finished at the deadline; the request_id is still good
    expired,   ///< the service says that the result is gone
    lost,      ///< the service no longer knows the request_id
    skipped,   ///< a duplicate: another document's result is its result
};

inline constexpr std::size_t document_state_count = 10;

/// "new", "intent", "submitted" and so on.
OCRPIPE_DECL std::string_view name(document_state s) noexcept;

/// The state of that name, if there is one.
OCRPIPE_DECL std::optional<document_state> document_state_named(std::string_view name) noexcept;

/// Whether a document may go from one state to another.
///
/// `changed`: its content or its parameters are others than the row's, so that it is another document under
/// the same id. A document that was paid
///   for and may still have its result is sent again only then; one that is being sent or polled never.
OCRPIPE_DECL bool may_become(document_state from, document_state to, bool changed) noexcept;

/// Some of the states.
class document_states
{
public:
    constexpr document_states() = default;
    constexpr document_states(std::initializer_list<document_state> states) noexcept
    {
        for (document_state const s : states)
            bits_ |= bit(s);
    }

    /// All whose work is not over: a resumed run looks at these.
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

/// A short, stable word for how a document is to be read: equal parameters give equal words. Sixteen
/// hexadecimal digits.
OCRPIPE_DECL std::string
parameters_fingerprint(std::string_view flow, std::string_view doc_type, enum file_type type,
                       std::span<std::pair<std::string, std::string> const> extra_fields = {});

/// What the ledger is told of a document before it is sent.
struct ledger_document {
    std::string id;            ///< the key; any bytes
    std::string path;          ///< any bytes
    std::string sha256;        ///< of the content, 64 lower-case hexadecimal digits
    std::uint64_t size = 0;    ///< bytes
    std::int64_t mtime_ns = 0; ///< modification time, since the epoch; with size, tells a scan that a file
                               ///< need not be hashed again
    std::string flow;
    std::string doc_type;
    enum file_type type = file_type::detect;
    std::string parameters; ///< parameters_fingerprint()
};

/// A row at one time: another version means that something else took the document up since.
struct row_version {
    document_state state = document_state::found;
    std::int64_t intent_at = 0;

    bool operator==(row_version const&) const = default;
};

/// Everything the ledger knows of a document. Times are milliseconds since the epoch, 0 for never.
struct ledger_row : ledger_document {
    document_state state = document_state::found;
    std::string request_id; ///< of the last submit that was answered
    std::vector<std::string> file_ids;
    std::string failure_class; ///< an errc's name; empty when nothing failed
    std::string message;
    bool possible_duplicate = false; ///< it was sent again after an ambiguous submit, and may be billed twice
    std::string duplicate_of;        ///< while skipped: the id of the document whose result it shares
    int attempts = 0;                ///< submits sent
    int polls = 0;
    std::optional<result_location> result;
    std::int64_t first_seen_at = 0;
    std::int64_t intent_at = 0;
    std::int64_t submitted_at = 0;
    std::int64_t finished_at = 0;

    row_version version() const noexcept { return {state, intent_at}; }
};

/// What a submit that was answered brought.
struct submit_record {
    std::string request_id; ///< not empty
    std::vector<std::string> file_ids;
    int attempts = 1;
    bool possible_duplicate = false;
};

/// How a document ended.
struct finish_record {
    document_state state = document_state::done; ///< done, failed, ambiguous, stuck, expired or lost
    errc failure = errc::ok;                     ///< its class, when the state is not done
    std::string message;                         ///< for people; holds no secret
    std::optional<result_location> result;       ///< required for done
    int polls = 0;
    int attempts = 0; ///< submits sent; 0 leaves what submitted() said
};

/// How many documents stand in each state.
class document_counts
{
public:
    std::map<std::string, std::uint64_t> by_class; ///< of those that did not end well, by their failure_class
    std::uint64_t possible_duplicates = 0;         ///< sent again in doubt; may be billed twice
    std::uint64_t last_number = 0;                 ///< the largest number of a row; 0 without rows

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

/// Of a document that the ledger has met before.
struct known_document {
    document_state state = document_state::found;
    bool untouched = false; ///< path, size, time of change and parameters are as in its row
    std::uint64_t number = 0; ///< of its row, from 1 in the order of first admission
};

/// Told, once, whether a change is durable. Move-only; may be empty; must not throw when called.
class ledger_handler
{
public:
    ledger_handler() = default;
    template<class F>
    requires(!std::same_as<std::remove_cvref_t<F>, ledger_handler> &&
             std::invocable<std::decay_t<F>&, error_code>) ledger_handler(F&& f)
        : target_(std::make_unique<holder<std::decay_t<F>>>(std::forward<F>(f)))
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

/// The durable record of a run: what was sent, what the service called it, and what became of it.
///
/// Reading sees what was durable when the call was made. Errors: errc::ledger_failed with the cause. An
/// unreadable row is never reported as absent, since an absent document is paid for.
///
/// Writing is asynchronous, and changes are grouped into few commits. Each handler is called once, on the
/// io_context, in the order of the calls, when the change is durable or has failed:
/// - errc::invalid_argument: the change makes no sense (no such document, an illegal transition, a field out
/// of range) and was not made;
///   others are not affected.
/// - errc::ledger_failed: a commit failed. Nothing of that commit is promised, nothing is written after it,
/// and every later change fails alike:
///   after a failed fsync nobody knows what is on the disk. broken() has the facts.
/// - errc::cancelled: the ledger was closed before the call.
///
/// Thread safety: all but close() may be called from any thread. Changes asked for by one thread are made in
/// that order. Lifetime: the io_context must outlive the ledger.
class ledger
{
public:
    virtual ~ledger() = default;
    ledger() = default;
    ledger(ledger const&) = delete;
    ledger& operator=(ledger const&) = delete;

    virtual result<std::optional<ledger_row>> find(std::string_view id) = 0;

    /// What a scan needs to know of a file before it opens it; nothing for a new one. Cost: a few
    /// microseconds, less in the order of first admission.
    virtual result<std::optional<known_document>> look_up(std::string_view id, std::string_view path,
                                                          std::uint64_t size, std::int64_t mtime_ns,
                                                          std::string_view parameters) = 0;

    /// Also finds a request that was superseded when its document was sent again; the row then tells of that
    /// earlier submit. Cost: reads the whole ledger, as it is for people who have a request_id in hand.
    virtual result<std::optional<ledger_row>> find_request(std::string_view request_id) = 0;

    /// A document with this content and these parameters whose result there is. Cost: reads the whole ledger,
    /// unless index_content() was asked for in this or an earlier run.
    virtual result<std::optional<ledger_row>> find_done_by_content(std::string_view sha256,
                                                                   std::string_view parameters) = 0;

    /// At most `limit` rows in these states, in the order of their first admission, after the place `cursor`
    /// (0 to begin), which is moved on. An empty answer means that there are no more. Rows may change between
    /// two calls.
    virtual result<std::vector<ledger_row>> rows(document_states in, std::uint64_t& cursor,
                                                 std::size_t limit) = 0;

    /// Cost: reads the whole ledger, about half a second for a million documents; little when a run asks
    /// again before anything changed.
    virtual result<document_counts> counts() = 0;

    /// The result that stands last in the last results file. What stands behind it there was written but not
    /// recorded, provided that finished() is called in the order of the lines.
    virtual result<std::optional<result_location>> last_result_location() = 0;

    /// What is recorded of the run under this key. The ledger itself sets "created_at" (milliseconds since
    /// the epoch) and "ocrpipe_version".
    virtual result<std::optional<std::string>> metadata(std::string_view key) = 0;

    /// The document is about to be sent; only after the handler's success may its first byte leave. Forgets
    /// an earlier attempt's outcome, but keeps that an earlier submit of the same content was ambiguous, and
    /// keeps a superseded request_id in a list of its own.
    ///
    /// `seen`: the row for which this was decided, nothing when there was none. errc::invalid_argument also
    /// when the row is another one by now: what came first may have been paid for.
    virtual void admit_intent(ledger_document d, std::optional<row_version> seen, ledger_handler h) = 0;

    /// The service answered; only after the handler's success may the job be polled. Also for a document in
    /// doubt whose request_id turned up elsewhere.
    virtual void submitted(std::string id, submit_record what, ledger_handler h) = 0;

    /// Gives the ledger the means to make durable what was written to the results files. It is called before
    /// each commit that records a result, on the ledger's thread; when it fails, that commit is not made and
    /// the ledger is broken with its error as cause. To be called before the first change.
    virtual void sync_results_with(std::function<error_code()> sync) = 0;

    /// The document ended. A result must have been written to its file before this is called;
    /// sync_results_with() makes it durable before its row says done.
    virtual void finished(std::string id, finish_record what, ledger_handler h) = 0;

    /// No byte of the document left after all: intent becomes new again, or ambiguous when an earlier submit
    /// was.
    virtual void not_sent(std::string id, ledger_handler h) = 0;

    /// The document is not sent, since `duplicate_of` has the same content and parameters; its own line with
    /// that result must have been written, as for finished().
    virtual void skip(ledger_document d, std::string duplicate_of, result_location where,
                      ledger_handler h) = 0;

    virtual void set_metadata(std::string key, std::string value, ledger_handler h) = 0;

    /// Keeps an index for find_done_by_content() from now on. Cost: the first time a few seconds and 56 MB
    /// for a million documents that are done, and then a page written for each.
    virtual void index_content(ledger_handler h) = 0;

    /// Commits what is waiting without delay; the handler is called when everything asked for before is
    /// durable.
    virtual void flush(ledger_handler h) = 0;

    /// Turns intents that a process left behind, whose submit may or may not have arrived, into ambiguous
    /// ones; returns how many.
    ///
    /// Waits for the disk. To be called before the first change of this process, whose own intents it could
    /// not tell apart. Errors: errc::invalid_argument after the first change; errc::ledger_failed.
    virtual result<std::uint64_t> interrupted_intents_to_ambiguous() = 0;

    /// Why changes fail, once a commit failed.
    virtual std::optional<failure> broken() const = 0;

    /// Commits what is waiting, posts the last handlers, and gives the ledger free for another process. Waits
    /// for the disk. Called by the destructor too.
    ///
    /// Errors: errc::ledger_failed, as broken() says.
    virtual error_code close() = 0;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/ledger/impl/ledger.ipp>
#endif

#endif
