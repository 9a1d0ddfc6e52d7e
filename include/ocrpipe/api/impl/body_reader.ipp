#ifndef OCRPIPE_API_IMPL_BODY_READER_IPP
#define OCRPIPE_API_IMPL_BODY_READER_IPP

#include <ocrpipe/api/impl/body_reader.hpp>

namespace ocrpipe::detail
{

template<class Sink>
void body_handler<Sink>::find_member(std::string_view key)
{
    place_ = place::elsewhere;
    row_range const rows = rows_by_parent[static_cast<std::size_t>(frames_[depth_ - 1].at)];
    for (std::size_t i = rows.first; i != rows.last; ++i) {
        response_profile::words const& keys = profile_.*member_rows[i].keys;
        for (std::size_t rank = 0; rank != keys.size(); ++rank) {
            if (keys[rank] != key) continue;
            place_ = member_rows[i].child;
            rank_ = rank;
            return;
        }
    }
}

template<class Sink>
bool body_handler<Sink>::open(bool is_object)
{
    if (nothing_to_learn()) return false;
    switch (place_) {
    case place::top:
        facts_.shape = body_facts::form::empty;
        break;
    case place::data:
        facts_.has_data_key = true;
        in_data_ = true;
        break;
    case place::progress:
        if (is_object) here().progress.emplace();
        break;
    case place::document:
        if (!is_object) break;
        ++here().documents;
        document_status_.clear();
        document_has_content_ = false;
        sink_.begin_document();
        break;
    case place::content:
        if (is_object) sink_.begin_field();
        break;
    case place::values:
        if (is_object) sink_.begin_value();
        break;
    default:
        break;
    }
    frames_[depth_++] = frame{place_, is_object};
    next_element();
    return true;
}

template<class Sink>
void body_handler<Sink>::close(bool empty)
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
        bool const failed = is_word_of(document_status_, profile_.failure_words);
        sink_.end_document(failed);
        if (failed)
            ++here().failed;
        else if (document_has_content_)
            ++here().filled;
        break;
    }
    case place::values:
        if (closed.is_object) sink_.end_value();
        break;
    case place::error:
        has_error_ |= !empty;
        break;
    default:
        break;
    }
    next_element();
}

template<class Sink>
void body_handler<Sink>::take(scalar const& s)
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
        if (speaks && s.text.size() <= max_id && rank_ < here().request_id_rank) {
            here().request_id = s.text;
            here().request_id_rank = rank_;
        }
        break;
    case place::file_ids:
        if (speaks && s.text.size() <= max_id && here().file_ids.size() < max_file_ids)
            here().file_ids.emplace_back(s.text);
        break;
    case place::status:
        here().status = s.text.substr(0, max_word);
        break;
    case place::total:
        if (here().progress) here().progress->total = to_count(s);
        break;
    case place::ignored:
        if (here().progress) here().progress->ignored = to_count(s);
        break;
    case place::finished:
        if (here().progress) here().progress->finished = to_count(s);
        break;
    case place::document_status:
        document_status_ = s.text.substr(0, max_word);
        [[fallthrough]];
    case place::document_id:
    case place::document_type:
    case place::classification:
        sink_.document_member(place_, s, rank_);
        break;
    case place::values:
        document_has_content_ |= speaks;
        sink_.lone_value(s);
        break;
    case place::text:
        document_has_content_ |= speaks;
        // A field may hold its text itself, without a list of values.
        if (frames_[depth_ - 1].at == place::content)
            sink_.lone_value(s);
        else
            sink_.value_member(place_, s);
        break;
    case place::table:
        document_has_content_ |= speaks;
        break;
    case place::field_name:
    case place::value_name:
    case place::probability:
    case place::coordinates:
        sink_.value_member(place_, s);
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
    bool const id = place_ == place::request_id || place_ == place::file_ids;
    bool const envelope_word = !in_data_ && (place_ == place::status || place_ >= place::error ||
                                             place_ == place::top || s.what == scalar::kind::truth);
    if (speaks && !envelope_word && !id) here().has_values = true;
}

/// Only a code that HTTP knows as an error counts: what the service means by another one is not known, and a
/// paid job must not fail by it.
template<class Sink>
void body_handler<Sink>::take_code(scalar const& s)
{
    std::int64_t const code = to_count(s);
    bool const is_number =
        s.text.size() == 3 && s.says_something() &&
        std::all_of(s.text.begin(), s.text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (is_number && code >= 400 && code < 600 && facts_.error_status == 0)
        facts_.error_status = static_cast<int>(code);
}

template<class Sink>
body_facts body_handler<Sink>::take_facts()
{
    bool const enveloped = facts_.has_data_key;
    facts_.request_id_in_data = !data_.request_id.empty();
    facts_.request_id = std::move(facts_.request_id_in_data ? data_.request_id : top_.request_id);
    facts_.file_ids = std::move(data_.file_ids.empty() ? top_.file_ids : data_.file_ids);
    job& from = enveloped ? data_ : top_;
    if (!enveloped) facts_.has_data = from.documents != 0 || from.progress.has_value();
    facts_.has_values = from.has_values;
    // Without data, a status beside it speaks of the job: {"status":"FAILED","data":null}.
    facts_.status = std::move(!facts_.has_data && from.status.empty() ? top_.status : from.status);
    facts_.progress = from.progress;
    facts_.documents = from.documents;
    facts_.failed_documents = from.failed;
    facts_.filled_documents = from.filled;
    // Assumed: an error without a code that HTTP knows is the service's own, as 500 is.
    if (facts_.error_status == 0 && has_error_ && !facts_.has_data) facts_.error_status = 500;
    return std::move(facts_);
}

/// One pass of `body` through a sink. Facts of the form not_json when the body is not JSON.
template<class Sink>
body_facts read_body(std::string_view body, response_profile const& profile, Sink& sink)
{
    body_handler<Sink> handler(profile, sink);
    if (read_json(body, handler)) return handler.take_facts();
    body_facts nothing;
    nothing.shape = body_facts::form::not_json;
    return nothing;
}

} // namespace ocrpipe::detail

#endif
