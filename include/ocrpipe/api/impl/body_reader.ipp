#ifndef OCRPIPE_API_IMPL_BODY_READER_IPP
#define OCRPIPE_API_IMPL_BODY_READER_IPP

#include <ocrpipe/api/impl/body_reader.hpp>

namespace ocrpipe::detail
{

inline void body_handler::find_member(std::string_view key)
{
    place_ = place::elsewhere;
    if (key.empty()) return;
    row_range const rows = rows_by_parent[static_cast<std::size_t>(frames_[depth_ - 1].at)];
    for (std::size_t i = rows.first; i != rows.last; ++i) {
        response_profile::words const& keys = profile_.*member_rows[i].keys;
        for (std::size_t rank = 0; rank != keys.size(); ++rank) {
            // Most keys are told apart by their length or their first letter.
            std::string const& candidate = keys[rank];
            if (candidate.size() != key.size() || candidate.front() != key.front() || candidate != key) continue;
            place_ = member_rows[i].child;
            rank_ = rank;
            return;
        }
    }
}

inline bool body_handler::open(bool is_object)
{
    if (nothing_to_learn()) return false;
    switch (place_) {
    case place::top:
        facts_.shape = body_facts::form::empty;
        break;
    case place::data:
        facts_.has_data_key = true;
        in_data_ = true;
        data_.lists_documents = !is_object;
        break;
    case place::documents:
        here().lists_documents = !is_object;
        break;
    case place::document:
        if (!is_object) break;
        ++here().documents;
        document_status_.clear();
        document_status_rank_ = static_cast<std::size_t>(-1);
        document_has_content_ = false;
        break;
    default:
        break;
    }
    frames_[depth_++] = frame{place_, is_object};
    next_element();
    return true;
}

inline void body_handler::close(bool empty)
{
    frame const closed = frames_[--depth_];
    switch (closed.at) {
    case place::top:
        if (!empty) facts_.shape = body_facts::form::filled;
        break;
    case place::data:
        in_data_ = false;
        facts_.has_data = !empty;
        break;
    case place::document: {
        if (!closed.is_object) break;
        // Most documents say the same.
        if (document_status_ != judged_status_) {
            judged_status_ = document_status_;
            judged_as_ = status_of(document_status_, profile_);
        }
        if (judged_as_ == job_status::failure)
            ++here().failed;
        else if (document_has_content_)
            ++here().filled;
        here().pending |= judged_as_ == job_status::pending;
        break;
    }
    case place::error:
        has_error_ |= !empty;
        break;
    default:
        break;
    }
    next_element();
}

inline void body_handler::take(scalar const& s)
{
    bool const speaks = s.says_something();
    switch (place_) {
    case place::top:
        facts_.shape = body_facts::form::scalar;
        break;
    case place::data:
        facts_.has_data_key = true;
        break;
    case place::request_id:
        if (is_id(s) && rank_ < here().request_id_rank) {
            here().request_id = s.text;
            here().request_id_rank = rank_;
        }
        break;
    case place::file_ids:
        if (is_id(s) && here().file_ids.size() < max_file_ids) here().file_ids.emplace_back(s.text);
        break;
    case place::status:
        if (s.what != scalar::kind::string || rank_ >= here().status_rank) break;
        here().status = s.text.substr(0, max_word);
        here().status_rank = rank_;
        break;
    case place::total:
        take_count(s, &counted_progress::total_rank, &job_progress::total);
        break;
    case place::ignored:
        take_count(s, &counted_progress::ignored_rank, &job_progress::ignored);
        break;
    case place::finished:
        take_count(s, &counted_progress::finished_rank, &job_progress::finished);
        break;
    case place::document_status:
        if (s.what != scalar::kind::string || rank_ >= document_status_rank_) break;
        document_status_ = s.text.substr(0, max_word);
        document_status_rank_ = rank_;
        break;
    case place::content:
    case place::values:
    case place::text:
    case place::table:
        document_has_content_ |= speaks;
        break;
    case place::error:
        if (!speaks) break;
        has_error_ = s.what == scalar::kind::string || s.text == "true";
        [[fallthrough]];
    case place::message:
        if (s.what == scalar::kind::string && facts_.message.empty())
            facts_.message = s.text.substr(0, max_message);
        break;
    case place::code:
        take_code(s);
        break;
    default:
        break;
    }
}

inline void body_handler::take_count(scalar const& s, std::size_t counted_progress::*rank,
                                     std::int64_t job_progress::*count)
{
    counted_progress& p = here().progress;
    if (rank_ >= p.*rank || s.what == scalar::kind::truth || !s.says_something()) return;
    p.*rank = rank_;
    p.counts.*count = to_count(s);
}

/// Only a code that HTTP knows as an error counts: the meaning of other codes is unknown, and they must not
/// make a paid job fail.
inline void body_handler::take_code(scalar const& s)
{
    std::int64_t const code = to_count(s);
    bool const is_number =
        s.text.size() == 3 && s.says_something() &&
        std::all_of(s.text.begin(), s.text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (is_number && code >= 400 && code < 600 && facts_.error_status == 0)
        facts_.error_status = static_cast<int>(code);
}

inline body_facts body_handler::take_facts()
{
    bool const enveloped = facts_.has_data_key;
    facts_.request_id_in_data = !data_.request_id.empty();
    facts_.request_id = std::move(facts_.request_id_in_data ? data_.request_id : top_.request_id);
    facts_.file_ids = std::move(data_.file_ids.empty() ? top_.file_ids : data_.file_ids);
    job& from = enveloped ? data_ : top_;
    auto const counted = [](job const& j) { return j.progress.total_rank != static_cast<std::size_t>(-1); };
    if (!enveloped) facts_.has_data = from.documents != 0 || counted(from);
    // The nearest status counts. One that stands beside the data counts when there is none nearer.
    facts_.status_is_near = enveloped ? !data_.status.empty() : facts_.documents != 0;
    facts_.status = std::move(from.status.empty() ? top_.status : from.status);
    if (counted(from))
        facts_.progress = from.progress.counts;
    else if (counted(top_))
        facts_.progress = top_.progress.counts;
    facts_.says_pending = from.pending;
    facts_.documents = from.documents;
    facts_.lists_documents = from.lists_documents;
    facts_.failed_documents = from.failed;
    facts_.filled_documents = from.filled;
    if (from.filled != 0) facts_.content = content_kind::known;
    facts_.has_error = has_error_;
    return std::move(facts_);
}

} // namespace ocrpipe::detail

#endif
