#ifndef OCRPIPE_EMULATOR_SERVICE_HPP
#define OCRPIPE_EMULATOR_SERVICE_HPP

#include "emulator/answer.hpp"
#include "emulator/emulator.hpp"
#include "emulator/emulator_options.hpp"
#include "emulator/fault.hpp"
#include "emulator/job_store.hpp"
#include "emulator/multipart.hpp"
#include "emulator/reader_pool.hpp"
#include "emulator/reply.hpp"
#include "emulator/truth.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe::emulator
{

/// One request as it came off the wire; views are valid during the call they are given to.
struct request {
    std::string_view method;
    std::string_view target;
    std::optional<std::string_view> authorization;
    std::optional<std::string_view> portal_user_id;
    std::string_view content_type;
    std::string_view body;
};

/// Everything the emulator decides, without sockets: time is an argument. One thread.
class service
{
public:
    /// `post` runs a function later in the thread that calls the service; it is called from reader threads.
    service(emulator_options const& options, std::function<void(std::function<void()>)> post);
    ~service();

    /// Whether a new connection is to be reset at once.
    bool connected();

    /// An answer that does not wait for the request's body, or nothing.
    std::optional<reply> on_header(std::string_view method, std::string_view target);

    reply answer(request const& r, clock::time_point now);

    /// Counts an answer's fault as happened. A client that hangs up on a stall or a flood has met it.
    void count_fault(reply const& r);
    /// Counts an answer as carried out; takes that back; logs it once it is certain.
    void count_delivery(reply const& r);
    void uncount_delivery(reply const& r);
    void log_sent(reply const& r);

    static reply too_large();

    /// Ends the reader threads; waits for the documents in their hands. What they found and what waits is
    /// dropped.
    void stop_reading() { readers_.reset(); }

    fault_plan& faults() noexcept { return faults_; }
    statistics& counters() noexcept { return counters_; }
    truth_snapshot truth() const { return jobs_.snapshot(writer_.ids()); }

private:
    struct upload {
        std::string_view flow;
        std::string_view doc_type;
        std::string_view file_type;
        form_part const* file = nullptr;
    };

    reply submit(request const& r, std::string_view path, bool redirected, clock::time_point now);
    std::optional<reply> check(upload const& u) const;
    reply poll(std::string_view request_id, std::string_view path, bool redirected, clock::time_point now);
    reply poll_verdict(std::uint32_t index, clock::time_point now, std::string_view& verdict);
    std::optional<reply> young_verdict(std::uint32_t index, fault_rule const& rule,
                                       std::string_view& verdict);
    reply finished(std::uint32_t index, std::string_view& verdict);
    reply part(std::string_view kind, std::string_view request_id, std::string_view part_id,
               std::string_view path, bool redirected, clock::time_point now);
    reply part_verdict(std::string_view kind, std::uint32_t index, std::string_view part_id,
                       clock::time_point now);

    /// Lets the first matching rule of the stage before acceptance replace the answer.
    std::optional<reply> spoilt_before(unsigned route, std::uint64_t key, std::string_view path,
                                       bool redirected);
    /// Lets the first matching rule of the stage after acceptance spoil the answer, unless the answer is a
    /// job's fault already.
    void spoil_after(reply& r, unsigned route, std::uint64_t key);

    std::optional<std::uint32_t> find(std::string_view request_id) const;
    std::uint64_t key_of_job(job_record const& j);
    bool is_ready(job_record const& j, clock::time_point now) const;
    void take_reading(std::uint32_t job, reader_pool::outcome found);
    std::uint32_t documents_of(job_record const& j) const;
    std::vector<recognized_page> synthetic_pages(job_record const& j, std::uint32_t document);
    /// Marks the job's fault as seen in this answer, so that count_fault() counts it once.
    void mark(reply& r, job_record const& j) const;
    /// The counter of the document that this answer's whole delivery adds to; null when there is none.
    std::uint32_t* delivery_counter(reply const& r);
    fault_rule const* fault_of(job_record const& j) const;

    emulator_options const& options_;
    std::string authorization_;
    answer_writer writer_;
    fault_plan faults_;
    job_store jobs_;
    worker_queue workers_;
    fixed_window submit_limit_;
    fixed_window poll_limit_;
    truth_log log_;
    statistics counters_;
    std::uint64_t headers_ = 0;
    std::deque<std::uint32_t> with_images_; ///< jobs whose page images are kept, oldest first
    std::size_t image_bytes_ = 0;
    std::unique_ptr<reader_pool> readers_;
};

} // namespace ocrpipe::emulator

#endif
