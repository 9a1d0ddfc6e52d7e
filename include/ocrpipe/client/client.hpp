#ifndef OCRPIPE_CLIENT_CLIENT_HPP
#define OCRPIPE_CLIENT_CLIENT_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/client/client_observer.hpp>
#include <ocrpipe/client/client_options.hpp>
#include <ocrpipe/client/detail/tracked_handler.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/task.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution_context.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ocrpipe
{

namespace asio = boost::asio;

/// A job to wait for. It may come from another process or an earlier run: the request_id is enough.
class wait_request
{
public:
    wait_request(std::string id) : request_id(std::move(id)) {}
    wait_request(char const* id) : request_id(id) {}

    std::string request_id;
    std::string doc_type;                  ///< hint for the poll schedule; may be empty
    std::uint64_t document_bytes = 0;      ///< hint for the poll schedule; 0 when unknown
    std::chrono::milliseconds deadline{0}; ///< from now; 0 means client_options::job_deadline
    /// Whether the first poll waits as the schedule says; otherwise the job is polled at once.
    bool just_submitted = false;
    bool possible_duplicate = false; ///< copied from submitted_job; passed on to the result
    /// Whether the deadline stands still during an outage of the service, and while the service asks to wait.
    bool patient = false;
    /// The job was already finished, and its result was empty or partial. It is read only once, without a
    /// wait, and `deadline` is ignored: what the job has now is its result. If the answer does not allow a
    /// decision, the error is errc::still_processing.
    bool finished_before = false;
    std::shared_ptr<trace_context const> trace; ///< as submit_request::trace
};

/// A table, signature, stamp or image to fetch.
class part_request
{
public:
    part_request(operation part, std::string request, std::string sub)
        : kind(part), request_id(std::move(request)), sub_id(std::move(sub))
    {
    }

    operation kind; ///< not submit or result
    std::string request_id;
    std::string sub_id; ///< the service's document_id; for an image, its file_id
    /// Whether an outage of the service is waited out; as in wait_request.
    bool patient = false;
    std::shared_ptr<trace_context const> trace; ///< as submit_request::trace
};

/// What is known about the service from earlier runs. A client learns the same from its own requests.
struct service_knowledge {
    /// Document types that were accepted before. Three submits in a row that get a 500 do not stop further
    /// submits with such a type.
    std::vector<std::string> doc_types;
    /// A job whose result was read. If the service refuses a document, another read of this result shows
    /// whether it refuses the key.
    std::string finished_job;
    bool results_read = false; ///< a result was read, so a 404 concerns its job and not the address
    /// The longest time from the end of a job to the arrival of its content; the settle window covers it.
    std::chrono::milliseconds content_delay{0};
    /// The number of accepted documents whose results were not read. If it is large, a result must be read
    /// before patient submits are sent.
    std::uint64_t unread = 0;
};

/// Functions that run before and after a submit, for example to record it in a ledger. The submit holds one
/// of the pool_options::submit_connections meanwhile, so at any time there are at most as many documents
/// between before_sending and accepted as there are submit connections. Each function may be empty. They run
/// where the client keeps its state; see client.
class submit_hooks
{
public:
    submit_hooks() {}

    /// Runs when the submit's turn has come: the rate limits allow it, but no byte was sent. Runs a second
    /// time before a submit that may have been accepted is repeated. If it yields an error, nothing more is
    /// sent, and the submit ends with errc::cancelled, or errc::ambiguous_submit.
    std::function<task<error_code>()> before_sending;
    /// Runs when the submit was refused and is about to wait, without a connection, for another attempt. Then
    /// before_sending runs again before that attempt.
    std::function<task<void>()> set_aside;
    /// Runs if the service returned a request_id, even if the submit was cancelled in the meantime.
    std::function<task<void>(submitted_job const&)> accepted;
};

/// A snapshot of one client's counters and gauges, cheap to take. Counters never decrease. With
/// client_options::shared, the pauses, the refusals and the outage are those of all clients that share the
/// pace.
struct client_statistics {
    std::uint64_t submits = 0;         ///< POSTs sent, repeats included
    std::uint64_t accepted = 0;        ///< submits answered with a request_id
    std::uint64_t polls = 0;           ///< result GETs sent
    std::uint64_t pending_answers = 0; ///< polls answered with "not yet"
    std::uint64_t part_reads = 0;      ///< table, signature, stamp and image GETs sent
    std::uint64_t transport_failures = 0;
    std::uint64_t throttled = 0;      ///< answers that asked to slow down
    std::uint64_t bytes_uploaded = 0; ///< bodies of accepted submits
    std::size_t held_documents = 0;   ///< gauge: see saturation_options
    std::uint64_t held_bytes = 0;     ///< gauge: of documents in memory
    /// Gauge: an estimate of how long one more document would wait for the end of its submit; 0 before the
    /// first submit.
    std::chrono::seconds estimated_wait{0};
    std::size_t waiting_jobs = 0;            ///< gauge: jobs in the poll heap
    std::size_t active_submits = 0;          ///< gauge: submits in progress, pacing included
    std::size_t active_polls = 0;            ///< gauge
    std::chrono::milliseconds paused_for{0}; ///< gauge: remaining pause of the origin
    /// The longest known time from the end of a job to the arrival of its content; see service_knowledge.
    std::chrono::milliseconds content_delay{0};
    bool credentials_paused = false; ///< gauge: credentials refused; waiting for a probe
    std::chrono::nanoseconds waited_for_submit_rate{0};
    std::chrono::nanoseconds waited_for_poll_rate{0};
    std::chrono::nanoseconds waited_for_bytes{0};
    std::chrono::nanoseconds waited_for_pause{0};
    /// Why patient operations are paused by an outage, such as "Connection refused"; empty if they are not.
    std::string outage;
    std::chrono::milliseconds outage_lasts{0}; ///< gauge
};

namespace detail
{
class client_core;
template<class T>
using completion = asio::any_completion_handler<void(result<T>)>;
} // namespace detail

/// The six operations of the OCR service, and recognize = submit + wait.
///
/// Every operation takes any completion token; its handler's signature is `void(result<T>)`, so that
/// `co_await` yields a `result<T>`: its `value()` throws ocrpipe::error, its `error()` returns the failure.
/// The handler runs on its associated executor, by default the client's.
///
/// A client is a handle: copies are cheap and refer to the same client.
///
/// Cancellation: through the handler's slot, in every phase of every operation; terminal, partial and total
/// have the same effect. An operation that waits, connects or receives ends with errc::cancelled. If a submit
/// is cancelled after its last byte was sent, it ends with errc::ambiguous_submit, since the service may have
/// accepted it. A job that waits for its result ends with errc::cancelled and its request_id; resume it with
/// async_wait.
/// Thread safety: any thread may call any member, and any number of threads may run the executor, unless
/// client_options::thread_safe is false. As everywhere in Asio, emit a cancellation signal on the executor of
/// the handler that it cancels. The client keeps its state on a strand of its own, or on the given executor
/// if that is a strand; hooks, observers and transports run there.
/// Lifetime: an operation keeps alive the state that it needs. Destroying the last copy of a client closes
/// the client; do so before the execution context is destroyed.
/// Cost: a waiting job takes less than 300 bytes plus its strings; a coroutine exists only while a request is
/// in progress.
class client
{
public:
    using executor_type = executor;

    /// Opens no connection. Throws ocrpipe::error (errc::invalid_argument) that lists every problem in
    /// `options`. `ex` is any executor on which sockets can be opened: that of an io_context or a
    /// thread_pool, or a strand of either.
    client(executor ex, client_options options);

    /// Uses the given transport, so that tests need no server.
    client(executor ex, client_options options, std::unique_ptr<transport> t);

    /// The same, on the executor of `context`.
    template<class Context>
        requires std::convertible_to<Context&, asio::execution_context&>
    client(Context& context, client_options options)
        : client(executor(context.get_executor()), std::move(options))
    {
    }

    template<class Context>
        requires std::convertible_to<Context&, asio::execution_context&>
    client(Context& context, client_options options, std::unique_ptr<transport> t)
        : client(executor(context.get_executor()), std::move(options), std::move(t))
    {
    }

    /// A client for another user of the same service, such as a tenant of a server, that shares the
    /// connections of `connections`. It runs on the same executor. Of `options`, base_url, tls, proxy, pool,
    /// timeouts, limits, resolver and thread_safe are those of `connections`. It shares the rate limits only
    /// if both have the same client_options::shared, or shared_pace::for_tenant() of it. Events of the
    /// connections go to the observers of `connections`. To close one of them does not affect the other.
    ///
    /// Throws ocrpipe::error (errc::invalid_argument) as above, and if `connections` was made with a
    /// transport.
    client(client const& connections, client_options options);

    /// The executor that the client was made with.
    executor_type get_executor() const noexcept { return executor_; }

    /// Sends one document. The service answers with a request_id and processes the document asynchronously.
    ///
    /// A document from chunks is sent once, unless its source can rewind; see document::from_chunks.
    ///
    /// Errors: errc::unsupported_file_type, empty_document, unreadable_file, invalid_argument before anything
    /// is sent; the latter two also later, if a chunk_source fails or has another length; rejected (400, 413,
    /// 415, 422); ambiguous_submit when the body was sent and the answer was lost, was 500, or was a redirect
    /// that is not followed (301, 302, 303); unauthorized, wrong_base_url; client_certificate_refused;
    /// transport errors and throttled when the attempts or the deadline are used
    /// up. If a doc_type was never accepted and three submits in a row get a 500, further submits with that
    /// doc_type are rejected without being sent. saturated if a bound of client_options::saturation is
    /// reached; too_many_waiting if pool_options::max_waiting operations wait.
    /// Cancellation: errc::cancelled until the last byte was sent; after that, errc::ambiguous_submit, or
    /// success if the answer has already arrived.
    /// Source: OCR API Usage Guide, "Submit OCR".
    template<asio::completion_token_for<void(result<submitted_job>)> Token>
    auto async_submit(submit_request request, Token&& token)
    {
        return async_submit(std::move(request), submit_hooks(), std::forward<Token>(token));
    }

    /// The same, with hooks that may record that the document is about to be sent, and that it was accepted.
    template<asio::completion_token_for<void(result<submitted_job>)> Token>
    auto async_submit(submit_request request, submit_hooks hooks, Token&& token)
    {
        return initiate<submitted_job>(&client::start_submit,
                                       hooked_submit(std::move(request), std::move(hooks)),
                                       std::forward<Token>(token));
    }

    /// Requests a result once. If the job is not finished, the error is errc::still_processing. A failed or
    /// empty job gives the same error, because a single read cannot confirm either; use async_wait(), which
    /// reads again.
    ///
    /// Cancellation: errc::cancelled with the request_id.
    /// Source: OCR API Usage Guide, "Get OCR Result".
    template<asio::completion_token_for<void(result<ocr_result>)> Token>
    auto async_result(std::string request_id, Token&& token)
    {
        return initiate<ocr_result>(&client::start_result, std::move(request_id), std::forward<Token>(token));
    }

    /// Polls until the job is finished or failed, or its deadline passes.
    ///
    /// Errors: errc::still_processing at the deadline (the job continues; ask again); job_failed,
    /// job_expired, job_lost; unauthorized, wrong_base_url, rejected, unexpected_answer; service_error when
    /// only the reads of this job keep failing. Connection failures are retried until the deadline, and then
    /// become the failure's cause. The failure holds the request_id.
    /// Cancellation: errc::cancelled with the request_id; the job continues at the service.
    /// Source: OCR API Usage Guide, "What if no data is returned yet?": wait 2 to 5 seconds between calls.
    template<asio::completion_token_for<void(result<ocr_result>)> Token>
    auto async_wait(wait_request request, Token&& token)
    {
        return initiate<ocr_result>(&client::start_wait, std::move(request), std::forward<Token>(token));
    }

    /// Submits a document and waits for its result.
    ///
    /// submit_request::deadline counts from the call. It covers the wait for rate_options::max_in_flight, the
    /// submit, and the wait for the result. If it passes before the document is accepted, no further attempt
    /// begins, but an attempt in progress goes on. If it passes later, the error is errc::still_processing
    /// with the request_id. If it is 0, client_options::job_deadline applies twice: from the call to the last
    /// attempt, and from the acceptance to the result.
    ///
    /// Errors: those of async_submit and async_wait. The failure holds the request_id if the document was
    /// accepted.
    /// Cancellation: as for async_submit until the document is accepted, then as for async_wait. If the
    /// operation loses in operator||, you do not see its outcome; use the hooks to keep its request_id.
    template<asio::completion_token_for<void(result<ocr_result>)> Token>
    auto async_recognize(submit_request request, Token&& token)
    {
        return async_recognize(std::move(request), submit_hooks(), std::forward<Token>(token));
    }

    /// The same, with hooks. submit_hooks::accepted gets the request_id and the file_ids when the service has
    /// accepted the document, before the wait for the result. If it stores them, a job that was paid for can
    /// be resumed even if the operation is cancelled, loses a race or outlives its caller.
    template<asio::completion_token_for<void(result<ocr_result>)> Token>
    auto async_recognize(submit_request request, submit_hooks hooks, Token&& token)
    {
        return initiate<ocr_result>(&client::start_recognize,
                                    hooked_submit(std::move(request), std::move(hooks)),
                                    std::forward<Token>(token));
    }

    /// Fetches one document's tables; take `document_id` from the result.
    ///
    /// Errors: errc::part_absent when the service has none; deadline_exceeded if it is not available within
    /// client_options::job_deadline, not counting waits for a connection, a rate limit or a pause; otherwise
    /// those of async_result.
    /// Cancellation: errc::cancelled with the request_id.
    /// Source: OCR API Usage Guide, "Additional OCR Data APIs".
    template<asio::completion_token_for<void(result<part_data>)> Token>
    auto async_table(std::string request_id, std::string document_id, Token&& token)
    {
        return async_part(operation::table, std::move(request_id), std::move(document_id),
                          std::forward<Token>(token));
    }

    /// Fetches one document's signatures; otherwise like async_table.
    template<asio::completion_token_for<void(result<part_data>)> Token>
    auto async_signature(std::string request_id, std::string document_id, Token&& token)
    {
        return async_part(operation::signature, std::move(request_id), std::move(document_id),
                          std::forward<Token>(token));
    }

    /// Fetches one document's stamps; otherwise like async_table.
    template<asio::completion_token_for<void(result<part_data>)> Token>
    auto async_stamp(std::string request_id, std::string document_id, Token&& token)
    {
        return async_part(operation::stamp, std::move(request_id), std::move(document_id),
                          std::forward<Token>(token));
    }

    /// Downloads a result image; take `file_id` from submitted_job::file_ids.
    template<asio::completion_token_for<void(result<part_data>)> Token>
    auto async_image(std::string request_id, std::string file_id, Token&& token)
    {
        return async_part(operation::image, std::move(request_id), std::move(file_id),
                          std::forward<Token>(token));
    }

    /// Fetches any of the four parts, chosen at run time; `part` must not be submit or result.
    template<asio::completion_token_for<void(result<part_data>)> Token>
    auto async_part(operation part, std::string request_id, std::string sub_id, Token&& token)
    {
        return async_part(part_request(part, std::move(request_id), std::move(sub_id)),
                          std::forward<Token>(token));
    }

    /// The same, for a part that may be patient.
    template<asio::completion_token_for<void(result<part_data>)> Token>
    auto async_part(part_request part, Token&& token)
    {
        return initiate<part_data>(&client::start_part, std::move(part), std::forward<Token>(token));
    }

    /// Never waits for I/O. The members are read one after another while the client works, so they may not
    /// all describe the same moment.
    client_statistics statistics() const;

    /// The profile used to interpret answers.
    response_profile const& profile() const noexcept;

    /// Tells the client what earlier runs have learned about the service. Adds to what it already knows.
    void remember(service_knowledge const& known);

    /// Adds an observer, in addition to that of the options. The client keeps it until the client is
    /// destroyed. It may not see the end of exchanges that are already in progress.
    void observe(std::shared_ptr<client_observer> observer);

    /// Stops new submits: those waiting for a rate limit or a pause, and all later ones, end with
    /// errc::cancelled. Submits already being sent and polls continue.
    void stop_submits();

    /// Ends every operation: waiting ones with errc::client_closed, requests in progress as if cancelled.
    /// Idempotent.
    void close();

private:
    class hooked_submit
    {
    public:
        hooked_submit(submit_request r, submit_hooks h) : request(std::move(r)), hooks(std::move(h)) {}
        submit_request request;
        submit_hooks hooks;
    };

    using core_ptr = std::shared_ptr<detail::client_core>;

    static void start_submit(core_ptr const&, hooked_submit&&, detail::completion<submitted_job>&&);
    static void start_result(core_ptr const&, std::string&&, detail::completion<ocr_result>&&);
    static void start_wait(core_ptr const&, wait_request&&, detail::completion<ocr_result>&&);
    static void start_recognize(core_ptr const&, hooked_submit&&, detail::completion<ocr_result>&&);
    static void start_part(core_ptr const&, part_request&&, detail::completion<part_data>&&);

    template<class T, class Request, class Token>
    auto initiate(void (*start)(core_ptr const&, Request&&, detail::completion<T>&&), Request request,
                  Token&& token)
    {
        return asio::async_initiate<Token, void(result<T>)>(
            [start](auto handler, core_ptr core, Request r) {
                start(core, std::move(r),
                      detail::completion<T>(detail::tracked_handler<decltype(handler)>(std::move(handler))));
            },
            token, core_, std::move(request));
    }

    executor executor_;
    core_ptr core_; ///< closes the core when the last copy is gone
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/client/impl/client.ipp>
#endif

#endif
