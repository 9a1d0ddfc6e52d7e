#ifndef OCRPIPE_BULK_RUN_DETAIL_PIPELINE_IMPL_HPP
#define OCRPIPE_BULK_RUN_DETAIL_PIPELINE_IMPL_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/output/result_line.hpp>
#include <ocrpipe/bulk/run/detail/content_sharing.hpp>
#include <ocrpipe/bulk/run/detail/document_course.hpp>
#include <ocrpipe/bulk/run/detail/event.hpp>
#include <ocrpipe/bulk/run/detail/given_ids.hpp>
#include <ocrpipe/bulk/run/detail/intake.hpp>
#include <ocrpipe/bulk/run/detail/part_batch.hpp>
#include <ocrpipe/bulk/run/detail/read_ahead.hpp>
#include <ocrpipe/bulk/run/detail/run_directory.hpp>
#include <ocrpipe/bulk/run/detail/run_observer.hpp>
#include <ocrpipe/bulk/run/detail/run_state.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/bulk/run/run_configuration.hpp>
#include <ocrpipe/measure/report_members.hpp>
#include <ocrpipe/pace/part_queue.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// A document that the run works on, from its admission to its line in a results or failures file.
struct document_in_flight {
    document_in_flight() = default;
    explicit document_in_flight(prepared_document p) : input(std::move(p)) {}

    std::string const& id() const noexcept { return input.record.id; }
    /// Equal for documents that yield the same result.
    std::string content() const { return input.record.sha256 + input.record.parameters; }

    prepared_document input;
    standing counted = standing::absent;
    bool has_intent = false;      ///< the ledger has recorded that it may be sent
    error_code intent_failed;     ///< why the ledger has not
    error_code request_id_failed; ///< why the ledger has not recorded the request_id
    bool is_original = false;     ///< it is the original of its content in content_sharing
    bool has_anothers_id = false; ///< the service gave it the request_id of other content
    submitted_job job;
    result_times times; ///< as far as it came
};

/// Requests a change of the ledger. Completes with void(error_code) when it is durable or has failed.
template<class Change, class Token>
auto async_change(Change request, Token&& token)
{
    return asio::async_initiate<Token, void(error_code)>(
        [](auto handler, Change r) { r(ledger_handler(std::move(handler))); }, token, std::move(request));
}

} // namespace detail

/// The shell of a run: it does the I/O; run_state, content_sharing and document_course decide.
///
/// Everything runs on the thread of the io_context, except the intake calls made by the source's thread.
class pipeline::impl : public std::enable_shared_from_this<pipeline::impl>
{
public:
    impl(asio::io_context& ioc, client& c, std::unique_ptr<source> s, pipeline_options options,
         std::shared_ptr<ledger> l);

    task<result<run_report>> run();
    asio::io_context& context() const noexcept { return ioc_; }
    void stop();
    pipeline_statistics statistics();
    run_measurements const& measurements() const noexcept { return measured_->collected; }
    std::string report_so_far();

private:
    using document_ptr = std::shared_ptr<detail::document_in_flight>;

    // Before the first document.
    result<void> prepare();
    result<void> settle_ledger(detail::opened_directory opened);
    result<void> hold_ambiguous_content();
    task<void> resume_jobs();

    // Admission.
    task<void> feed();
    detail::intake_options how_to_examine() const;
    void admit(detail::prepared p);
    void admit(document_ptr d);
    void reject(input_problem const& p);

    // A document's way.
    task<void> send(document_ptr d);
    task<void> finish(document_ptr d, result<ocr_result> answer);

    // Its steps.
    task<result<submitted_job>> submit(document_ptr d);
    submit_hooks hooks_of(document_ptr d);
    static failure anothers_id(submitted_job const& job);
    task<void> accept(document_ptr d, submitted_job job);
    void wait(document_ptr d, bool just_submitted);
    task<void> recall(std::string id, job_times submitted, result<ocr_result> answer);
    document_ptr from_row(ledger_row row);
    result<result_location> write_result(detail::document_in_flight const& d, ocr_result const& answer,
                                         std::vector<part_entry> const& parts);
    task<void> deliver(detail::document_in_flight const& d, ocr_result const& answer);
    void note_unrecognized(detail::document_in_flight const& d);
    bool file_has_changed(detail::document_in_flight const& d);

    // Its parts.
    std::vector<missing_part> parts_to_fetch(detail::document_in_flight const& d, ocr_result const& answer);
    task<void> fetch(detail::part_batch& b);
    void ask_for_parts();
    void part_ended(detail::part_batch& b, std::size_t i, result<part_data> part);
    void keep_part(detail::part_batch& b, std::size_t i, std::string_view bytes);
    void part_failed(detail::part_batch& b, std::size_t i, failure const& f);
    task<std::optional<result_location>> complete(std::string id);
    task<bool> list_parts(detail::part_batch const& b);
    task<error_code> record_parts(std::string const& id, parts_record what);
    bool is_current(detail::part_batch const& b);
    std::optional<ledger_row> row_with_result(std::string const& id);
    std::optional<result_line> last_line(result_location where);
    void resume_parts();
    task<void> complete_earlier_results();

    // Ways to end without a result.
    task<void> fail(document_ptr p, failure f);
    task<void> record_failure(document_ptr p, failure f);
    /// A document that was refused when none was accepted since. Its row is as if it had not been sent.
    struct held_back {
        document_ptr document;
        failure why;
    };
    task<void> hold_back(document_ptr d, failure f);
    bool judge_held_back();
    result<std::string> write_failure(detail::document_in_flight const& d, failure const& f);
    task<void> withdraw(detail::document_in_flight& d);
    void refused_by_ledger(detail::document_in_flight& d, error_code ec);
    void yield_id(detail::document_in_flight& d, ledger_document const& first);
    void save_request_id(detail::document_in_flight& d);
    void leave_unfinished(detail::document_in_flight& d);
    void withhold(detail::document_in_flight& d);
    void leave();

    // Incomplete results.
    enum class asked {
        once_more, ///< the next run asks again
        last_time,
    };
    /// The rows with such results, read in batches.
    struct incomplete_results {
        bool settled_too = false;
        std::uint64_t cursor = 0;
        std::deque<ledger_row> rows;
    };
    void ask_again_for_earlier_results(document_counts const& counts);
    task<void> ask_again_at_the_end();
    void begin_asking(asked how, bool settled_too);
    void ask_next();
    std::optional<ledger_row> next_incomplete();
    void ask_again(ledger_row row, asked how);
    void end_asking();
    /// An empty result that is asked for again during the run.
    struct watched_result {
        std::string id;
        clock::time_point next; ///< when it is asked for again
        int asked = 0;
    };
    void watch(std::string const& id);
    task<void> renew(std::shared_ptr<ledger_row const> before, asked how, result<ocr_result> answer);
    bool has_more(ocr_result const& answer, ledger_row const& before) const;
    void note_content_delay(ledger_row const& before);
    void copy_again(ledger_row row);
    task<error_code> record_again(std::shared_ptr<ledger_row const> before, finish_record end,
                                  bool is_better);
    task<error_code> change_again(std::string id, finish_record end);

    // Documents that share a result.
    bool is_to_be_sent(document_ptr const& d);
    task<void> copy(document_ptr d, std::string original_id, result_location original);
    result<result_location> write_copy(detail::document_in_flight const& d, std::string const& original_id,
                                       std::string const& line);
    void copy_refused(document_ptr d, std::string const& original_id, result_location original,
                      error_code ec);
    void withhold_copy(detail::document_in_flight& d, std::string const& original_id,
                       result_location original);
    void release_copies(detail::document_in_flight& d, document_state ended_as);
    std::vector<document_ptr> copies_of(detail::document_in_flight& d);
    void release_id(detail::document_in_flight const& d);

    // The ledger.
    task<error_code> change(std::function<void(ledger_handler)> request);
    task<error_code> record(std::function<void(ledger_handler)> request);
    task<error_code> record_intent(document_ptr d);
    task<error_code> record_repeat(document_ptr d);
    task<void> take_back_intent(document_ptr d);
    task<error_code> record_submitted(detail::document_in_flight& d);
    task<error_code> record_not_sent(detail::document_in_flight& d);
    task<error_code> record_end(detail::document_in_flight& d, finish_record end);
    task<error_code> record_copy(detail::document_in_flight const& d, skip_record what);
    ledger_handler durable();
    task<void> flush();
    void note_counts();
    result<void> recall_service(document_counts const& counts);

    // What is measured.
    void begin_measuring();
    void arm_sampling();
    void sample();
    void end_measuring();
    void note_gauges();
    void measure(detail::document_in_flight const& d, job_times times);
    void measure_parts(job_times const& times);
    report_facts facts_of(run_report const& report, std::string_view state) const;
    void write_report_so_far();

    // The end.
    void react();
    void end_run(failure f);
    void end_run_after(failure const& f);
    failure output_failed(error_code cause, std::string_view what);
    void ledger_failed(error_code ec);
    void submit_ended();
    void arm_duration_limit();
    void conclude();

    void start(task<void> work);
    void notice(std::string_view event, std::string_view text);
    void forward_notes();

    /// If more documents wait for the service, only their ids are kept in memory: about 100 bytes each.
    static constexpr std::uint64_t most_kept = 10'000;
    /// If more documents are refused in a row, they count as failed.
    static constexpr std::size_t most_held_back = 200;

    asio::io_context& ioc_;
    client& client_;
    std::shared_ptr<ledger> const ledger_;
    std::unique_ptr<source> source_;
    pipeline_options const options_;
    run_configuration const configuration_;
    std::shared_ptr<detail::run_directory> files_;
    std::shared_ptr<detail::intake> intake_;
    std::optional<detail::read_ahead> ahead_;

    detail::run_state state_;
    detail::content_sharing<document_ptr> sharing_;
    /// If results are shared: documents under way that the ledger does not know yet, by id.
    std::unordered_map<std::string, document_ptr> unrecorded_;
    detail::given_ids given_ids_;
    part_queue<detail::part_batch*> part_queue_;
    /// Of results that wait for their parts.
    static constexpr std::size_t most_waiting_bytes = 64 * 1024 * 1024;
    std::size_t waiting_bytes_ = 0;
    std::vector<held_back> held_back_;
    std::deque<std::string> lacking_parts_; ///< ids of documents whose results of earlier runs lack parts
    std::size_t resuming_ = 0;              ///< coroutines that complete them
    std::uint64_t incomplete_in_missing_files_ = 0;
    std::string line_;                  ///< buffer, kept to reuse its memory
    std::uint64_t copies_withheld_ = 0; ///< because the results file of their original is missing
    document_counts earlier_;           ///< of the ledger when the run began
    std::uint64_t changes_pending_ = 0; ///< changes that no document waits for
    incomplete_results incomplete_;
    asked how_asked_ = asked::last_time;
    std::optional<watched_result> watched_;
    std::uint64_t asking_ = 0; ///< results that the service is asked for again

    std::shared_ptr<detail::run_observer> measured_;
    std::string_view limiting_; ///< at the last sample
    clock::time_point report_due_{};
    bool report_missed_ = false; ///< the last one could not be written, which was reported

    detail::event changed_;
    detail::timer sample_timer_;
    detail::timer drain_timer_;
    detail::timer duration_timer_;
    clock::time_point started_{};
    bool is_draining_ = false;
    int stops_ = 0;
};

} // namespace ocrpipe

#endif
