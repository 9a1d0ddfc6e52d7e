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
            // The length or the first letter rules out most candidates.
            std::string const& candidate = keys[rank];
            if (candidate.size() != key.size() || candidate.front() != key.front() || candidate != key)
                continue;
            place_ = member_rows[i].child;
            rank_ = rank;
            return;
        }
    }
    place const parent = frames_[depth_ - 1].at;
    if (parent == place::top || parent == place::data || parent == place::progress)
        facts_.may_have_counts |= contains_letters(key, "total") || contains_letters(key, "progress");
}

inline void body_handler::open_document()
{
    ++here().documents;
    document_status_ = {};
    document_has_content_ = false;
}

inline void body_handler::close_document()
{
    // Most documents have the same status, whose meaning costs more than the comparison.
    if (document_status_.value != known_status_) {
        known_status_ = document_status_.value;
        known_meaning_ = status_of(known_status_, profile_);
    }
    if (known_meaning_ == job_status::failure)
        ++here().failed;
    else if (document_has_content_)
        ++here().filled;
    here().pending |= known_meaning_ == job_status::pending;
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
        if (is_object) open_document();
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
    case place::document:
        if (closed.is_object) close_document();
        break;
    case place::error:
        has_error_ |= !empty;
        break;
    default:
        break;
    }
    next_element();
}

inline void body_handler::read(scalar const& s)
{
    switch (place_) {
    case place::top:
        facts_.shape = body_facts::form::scalar;
        return;
    case place::data:
        facts_.has_data_key = true;
        return;
    case place::request_id:
        return read_request_id(s);
    case place::file_ids:
        return read_file_id(s);
    case place::status:
        return read_status(s, here().status);
    case place::document_status:
        return read_status(s, document_status_);
    case place::total:
        return read_count(s, here().total);
    case place::ignored:
        return read_count(s, here().ignored);
    case place::finished:
        return read_count(s, here().finished);
    case place::content:
    case place::values:
    case place::text:
    case place::table:
        document_has_content_ |= !s.is_empty();
        return;
    case place::error:
        return read_error(s);
    case place::code:
        return read_error_code(s);
    default:
        return;
    }
}

inline void body_handler::read_request_id(scalar const& s)
{
    if (is_id(s)) here().request_id.offer(s.text, rank_);
}

inline void body_handler::read_file_id(scalar const& s)
{
    if (keeps_file_ids_ && is_id(s)) here().file_ids.emplace_back(s.text);
}

inline void body_handler::read_status(scalar const& s, ranked<std::string>& status)
{
    if (s.what == scalar::kind::string) status.offer(s.text.substr(0, max_word), rank_);
}

inline void body_handler::read_count(scalar const& s, ranked<std::int64_t>& count)
{
    if (s.what != scalar::kind::truth && !s.is_empty()) count.offer(to_count(s), rank_);
}

inline void body_handler::read_error(scalar const& s)
{
    if (!s.is_empty()) has_error_ = s.what == scalar::kind::string || s.text == "true";
}

/// Only an HTTP error code counts: the meaning of other codes is unknown, and they must not make a paid job
/// fail.
inline void body_handler::read_error_code(scalar const& s)
{
    std::int64_t const code = to_count(s);
    bool const is_number = s.text.size() == 3 && std::all_of(s.text.begin(), s.text.end(),
                                                             [](char c) { return c >= '0' && c <= '9'; });
    if (is_number && code >= 400 && code < 600 && facts_.error_status == 0)
        facts_.error_status = static_cast<int>(code);
}

inline body_facts body_handler::finish()
{
    bool const enveloped = facts_.has_data_key;
    job& from = enveloped ? data_ : top_;
    facts_.request_id_in_data = !data_.request_id.value.empty();
    facts_.request_id = std::move((facts_.request_id_in_data ? data_ : top_).request_id.value);
    facts_.file_ids = std::move((data_.file_ids.empty() ? top_ : data_).file_ids);
    if (!enveloped) {
        facts_.has_data = from.documents != 0 || from.total.is_set();
        // The data is the answer itself, so its id is the job's.
        facts_.request_id_in_data = facts_.has_data && !facts_.request_id.empty();
    }
    // The nearest status counts; a status next to the envelope counts if the envelope has none.
    facts_.status_is_near = enveloped && !data_.status.value.empty();
    facts_.status = std::move((from.status.value.empty() ? top_ : from).status.value);
    if (job const& counted = from.total.is_set() ? from : top_; counted.total.is_set())
        facts_.progress = job_progress{counted.total.value, counted.ignored.value, counted.finished.value};
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
