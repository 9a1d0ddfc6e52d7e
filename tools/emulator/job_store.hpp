#ifndef OCRPIPE_EMULATOR_JOB_STORE_HPP
#define OCRPIPE_EMULATOR_JOB_STORE_HPP

#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/core/sha256.hpp>

#include "emulator/answer.hpp"
#include "emulator/recognition.hpp"
#include "emulator/truth.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ocrpipe::emulator
{

inline constexpr std::uint32_t no_job = 0xFFFFFFFF;

/// What is kept of a document: never its bytes.
struct document_record {
    sha256_digest digest{};
    std::string file_name;
    std::uint64_t size = 0;
    std::uint32_t doc_type = 0; ///< index of job_store::doc_type()
    std::uint32_t submits = 0;
    std::uint32_t accepted = 0;
    std::uint32_t acceptances_sent = 0;
    std::uint32_t polls = 0;
    std::uint32_t results_delivered = 0;
    std::uint32_t last_job = no_job;
};

/// One accepted submit. The time it is ready is known when it is accepted; nothing ticks while it waits.
struct job_record {
    std::uint32_t document = 0;
    std::uint32_t previous_of_document = no_job;
    std::uint32_t acceptance = 0; ///< 1 for the document's first acceptance
    std::uint32_t polls = 0;
    std::uint32_t finished_polls = 0; ///< polls since the job was ready
    std::uint32_t part_requests = 0;
    clock::time_point accepted;
    clock::time_point ready;
    std::optional<std::size_t> fault; ///< rule of stage job
    bool fault_seen = false;
    std::shared_ptr<result<recognition>> read; ///< with a reader: what it found; null until then
};

/// Documents and jobs, by index, in order of arrival. One thread.
class job_store
{
public:
    /// The document with these bytes under this name; made when it is new.
    std::uint32_t document(sha256_digest const& digest, std::string_view file_name, std::uint64_t size,
                           std::string_view doc_type);

    /// Adds an accepted job of the document and returns its index.
    std::uint32_t accept(std::uint32_t document, clock::time_point now);

    document_record& doc(std::uint32_t i) { return documents_[i]; }
    job_record& job(std::uint32_t i) { return jobs_[i]; }
    std::size_t jobs() const noexcept { return jobs_.size(); }
    std::string_view doc_type(document_record const& d) const { return doc_types_[d.doc_type]; }

    truth_snapshot snapshot(id_codec const& ids) const;

private:
    std::uint32_t intern(std::string_view doc_type);

    std::deque<document_record> documents_;
    std::deque<job_record> jobs_;
    std::unordered_map<std::string, std::uint32_t> by_key_; ///< digest and file name
    std::vector<std::string> doc_types_;
};

/// Says when work that arrives now will be done by a number of workers, first come first served.
class worker_queue
{
public:
    /// Zero workers: as many as there is work.
    explicit worker_queue(std::uint32_t workers) : workers_(workers) {}

    clock::time_point done(clock::time_point now, clock::duration work);

private:
    std::uint32_t workers_;
    std::priority_queue<clock::time_point, std::vector<clock::time_point>, std::greater<>> free_at_;
};

/// A limit counted in fixed windows of one second, as the service's gateway counts.
class fixed_window
{
public:
    /// Zero: everything passes.
    explicit fixed_window(std::uint64_t limit) : limit_(limit) {}

    bool admit(clock::time_point now);

private:
    std::uint64_t limit_;
    std::uint64_t used_ = 0;
    clock::time_point end_{};
};

} // namespace ocrpipe::emulator

#endif
