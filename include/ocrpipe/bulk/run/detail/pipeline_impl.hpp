#ifndef OCRPIPE_BULK_RUN_DETAIL_PIPELINE_IMPL_HPP
#define OCRPIPE_BULK_RUN_DETAIL_PIPELINE_IMPL_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/run/detail/event.hpp>
#include <ocrpipe/bulk/run/detail/intake.hpp>
#include <ocrpipe/bulk/run/detail/read_ahead.hpp>
#include <ocrpipe/bulk/run/detail/run_directory.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// A document in progress, from its admission to its line in a results or failures file.
struct document_in_flight {
    document_in_flight() = default;
    explicit document_in_flight(prepared_document p) : input(std::move(p)) {}

    /// Equal for documents that yield the same result.
    std::string content() const { return input.record.sha256 + input.record.parameters; }

    prepared_document input;
    submitted_job job;
    bool job_is_recorded = false; ///< the ledger knows its request_id, or there is no ledger
    std::chrono::system_clock::time_point submitted_at{};
    std::optional<ocr_result> answer;
    std::size_t parts_pending = 0;
    bool parts_cut_short = false;
    std::vector<part_entry> parts;
    std::vector<std::shared_ptr<document_in_flight>>
        copies; ///< documents with the same content, waiting for this result
};

} // namespace detail

/// Everything runs on the thread of the io_context, except the intake calls made by the source's thread.
class pipeline::impl : public std::enable_shared_from_this<pipeline::impl>
{
public:
    impl(asio::io_context& ioc, client& c, std::unique_ptr<source> s, pipeline_options options,
         std::shared_ptr<ledger> l);

    task<result<run_report>> run();
    void stop();
    pipeline_statistics statistics();

private:
    using document_ptr = std::shared_ptr<detail::document_in_flight>;

    // Before the first document.
    result<void> prepare();
    std::map<std::string, std::string> configuration() const;
    result<void> compare_configuration();
    result<void> settle_ledger(detail::opened_directory opened);
    task<void> take_up_jobs();
    void take_up(ledger_row row);

    // The steps of one document.
    task<void> feed();
    bool may_admit() const;
    void take(detail::prepared p);
    void refuse(input_problem const& p);
    void admit(document_ptr d);
    bool limit_reached();
    void send(document_ptr d);
    template<class Then>
    void admit_intent(document_ptr const& d, Then then);
    void forget_outcome(std::optional<row_version> const& was);
    void yield_id(document_ptr const& d, ledger_document const& first);
    void submitted(document_ptr d, result<submitted_job> job);
    void note_unanswered(failure const& f);
    void wait(document_ptr d, bool just_submitted);
    void read(document_ptr d, result<ocr_result> answer);
    void fetch_parts(document_ptr d);
    void fetch_part(document_ptr d, operation kind, std::size_t index, std::string sub_id);
    void part_fetched(document_ptr const& d, operation kind, std::size_t index, std::string const& sub_id,
                      result<part_data> part);
    void part_ended(document_ptr const& d);
    void finish(document_ptr const& d);
    void count_done();
    void note_unrecognized(detail::document_in_flight const& d);
    bool note_change(detail::document_in_flight const& d);
    void fail(document_ptr const& d, failure const& f);
    void withhold(detail::document_in_flight const& d);
    void take_back(document_ptr const& d);
    void leave_unfinished(document_ptr const& d);
    void leave();
    static bool ends_the_run(failure const& f);
    static document_state state_after(failure const& f);

    // Documents that share a result.
    bool is_first_of_content(document_ptr const& d);
    void write_copy(document_ptr const& d, std::string const& original_id, result_location original);
    void withhold_copy(document_ptr const& d, std::string const& original_id, result_location original);
    void settle_copies(detail::document_in_flight& d, document_state state);
    std::vector<document_ptr> release_content(detail::document_in_flight& d);
    void withhold_copies(detail::document_in_flight& d);

    // The ledger.
    template<class Change, class Then>
    void record(Change change, document_ptr const& d, Then then);
    ledger_handler durable();
    task<void> flush();
    void flush_intents();
    void report_unrecorded(detail::document_in_flight const& d);

    // End of the run.
    bool is_stopped() const noexcept { return report_.end != run_end::complete; }
    void end_run(failure f);
    void disk_failed(error_code cause, std::string_view what);
    void ledger_failed(error_code ec);
    void close_after_submits();
    void submit_ended();
    void stop_by(run_end why, std::string text);
    void begin_draining();
    void arm_duration_limit();
    void conclude();

    void notice(std::string_view event, std::string_view text);
    void pass_on_notes();
    std::string_view limiting(client_statistics const& now);
    std::uint64_t repeated() const;
    std::uint64_t unfinished() const;
    void note_counts();

    /// After this many in a row the run ends: the service is unreachable, and the submits may be billed.
    static constexpr std::uint64_t max_unanswered = 100;

    asio::io_context& ioc_;
    client& client_;
    std::shared_ptr<ledger> const ledger_; ///< null if the run keeps no ledger
    std::unique_ptr<source> source_;
    pipeline_options const options_;
    bool const shares_results_;
    std::shared_ptr<detail::run_directory> files_;
    std::shared_ptr<detail::intake> intake_;
    std::optional<detail::read_ahead> ahead_;
    /// If results are shared: the document in progress for each content; null if that content must not be
    /// sent at all.
    std::unordered_map<std::string, document_ptr> originals_;

    /// If results are shared: documents whose intent or copied result is not yet in the ledger, by id.
    std::unordered_map<std::string, document_ptr> unrecorded_;

    detail::event changed_;
    detail::timer drain_timer_;
    detail::timer duration_timer_;
    run_report report_;
    clock::time_point started_{};
    // Documents of all runs in the directory; known_ - done_ - failed_ - not_sent_ are unfinished.
    std::uint64_t known_ = 0;
    std::uint64_t done_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t not_sent_ = 0;
    std::uint64_t rows_before_ = 0;               ///< number of the ledger's last row when the run began
    std::unordered_set<std::size_t> without_row_; ///< hashes of the ids of withheld documents
    std::uint64_t repeated_ = 0;                  ///< in addition to those that the intake skipped
    std::uint64_t copies_withheld_ = 0;           ///< because the results file of their original is missing
    std::uint64_t failed_now_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t submitting_ = 0;
    std::uint64_t unanswered_ = 0; ///< consecutive submits without an answer from the service
    std::uint64_t waiting_ = 0;
    std::uint64_t fetching_parts_ = 0;
    std::uint64_t in_flight_ = 0;
    std::uint64_t changes_pending_ = 0;   ///< changes that no document waits for
    std::uint64_t intents_pending_ = 0;   ///< intents not committed yet
    std::uint64_t intents_unflushed_ = 0; ///< upper bound of those for which no flush was requested
    bool submits_stopped_ = false;
    bool closes_after_submits_ = false;
    int stops_ = 0;
    std::optional<failure> ended_by_;
    client_statistics before_;
};

} // namespace ocrpipe

#endif
