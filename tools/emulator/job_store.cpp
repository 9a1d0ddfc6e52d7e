#include "emulator/job_store.hpp"

#include <algorithm>

namespace ocrpipe::emulator
{

std::uint32_t job_store::intern(std::string_view doc_type)
{
    // A run uses a handful of doc_types; a client that makes up thousands shares the last one.
    auto const found = std::find(doc_types_.begin(), doc_types_.end(), doc_type);
    if (found != doc_types_.end()) return static_cast<std::uint32_t>(found - doc_types_.begin());
    if (doc_types_.size() < 1000) doc_types_.emplace_back(doc_type);
    return static_cast<std::uint32_t>(doc_types_.size() - 1);
}

std::uint32_t job_store::document(sha256_digest const& digest, std::string_view file_name, std::uint64_t size,
                                  std::string_view doc_type)
{
    std::string key(digest.begin(), digest.end());
    key += file_name;
    auto const [at, is_new] =
        by_key_.try_emplace(std::move(key), static_cast<std::uint32_t>(documents_.size()));
    if (is_new) {
        document_record d;
        d.digest = digest;
        d.file_name = file_name;
        d.size = size;
        documents_.push_back(std::move(d));
    }
    documents_[at->second].doc_type = intern(doc_type);
    return at->second;
}

std::uint32_t job_store::accept(std::uint32_t document, clock::time_point now)
{
    auto const index = static_cast<std::uint32_t>(jobs_.size());
    document_record& d = documents_[document];
    d.accepted += 1;
    job_record j;
    j.document = document;
    j.previous_of_document = d.last_job;
    j.acceptance = d.accepted;
    j.accepted = now;
    j.ready = now;
    jobs_.push_back(std::move(j));
    d.last_job = index;
    return index;
}

truth_snapshot job_store::snapshot(id_codec const& ids) const
{
    truth_snapshot out;
    out.documents.reserve(documents_.size());
    for (auto const& d : documents_) {
        truth_document t;
        t.sha256 = to_hex(d.digest);
        t.file_name = d.file_name;
        t.size = d.size;
        t.doc_type = doc_types_[d.doc_type];
        t.submits = d.submits;
        t.accepted = d.accepted;
        t.acceptances_sent = d.acceptances_sent;
        t.polls = d.polls;
        t.results_delivered = d.results_delivered;
        for (std::uint32_t j = d.last_job; j != no_job; j = jobs_[j].previous_of_document)
            t.request_ids.push_back(ids.request_id(j));
        std::reverse(t.request_ids.begin(), t.request_ids.end());
        out.documents.push_back(std::move(t));
    }
    return out;
}

clock::time_point worker_queue::done(clock::time_point now, clock::duration work)
{
    if (workers_ == 0) return now + work;
    clock::time_point start = now;
    if (free_at_.size() == workers_) {
        start = std::max(now, free_at_.top());
        free_at_.pop();
    }
    free_at_.push(start + work);
    return start + work;
}

bool fixed_window::admit(clock::time_point now)
{
    if (limit_ == 0) return true;
    if (now >= end_) {
        end_ = now + std::chrono::seconds(1);
        used_ = 0;
    }
    if (used_ == limit_) return false;
    used_ += 1;
    return true;
}

} // namespace ocrpipe::emulator
