#ifndef OCRPIPE_API_IMPL_ANSWER_FORM_IPP
#define OCRPIPE_API_IMPL_ANSWER_FORM_IPP

// How answer_form finds the documents of an answer, and what it counts as content.

#include <ocrpipe/api/impl/answer_form.hpp>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <limits>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Objects below this depth are content; a status in them belongs to a document.
inline constexpr int max_envelopes = 4;

OCRPIPE_DECL answer_form::answer_form(answer_tree const& tree, response_profile const& profile)
    : tree_(tree), profile_(profile)
{
    if (tree_.empty()) return;
    walk_objects();
    find_documents();
    find_status();
    has_text_ = has_text(answer_tree::root);
    find_error();
}

OCRPIPE_DECL bool answer_form::is_key(index i, response_profile::words const& keys) const
{
    std::string const key = tree_.key(i);
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// The member whose key comes first in the list.
OCRPIPE_DECL answer_form::index answer_form::by_keys(index object, response_profile::words const& keys) const
{
    for (std::string const& key : keys)
        if (index const found = tree_.member(object, key); found != answer_tree::none) return found;
    return answer_tree::none;
}

OCRPIPE_DECL void answer_form::walk_objects()
{
    if (!tree_.is_object(answer_tree::root)) return;
    steps_.push_back({answer_tree::root, 0, 0});
    for (std::size_t i = 0; i != steps_.size(); ++i) {
        step const here = steps_[i];
        if (here.depth == max_envelopes) continue;
        tree_.for_each_child(here.object, [&](index c) {
            key_kind const k = tree_.kind(c);
            if (tree_.is_object(c) && k != key_kind::error && k != key_kind::progress)
                steps_.push_back({c, i, here.depth + 1});
        });
    }
}

OCRPIPE_DECL void answer_form::find_documents()
{
    auto const choose = [this](index list, index holder) {
        list_ = list;
        holder_ = holder;
        if (tree_.is_array(list)) {
            std::size_t n = 0;
            tree_.for_each_child(list, [&n](index) { ++n; });
            documents_.reserve(n); // there may be millions
            tree_.for_each_child(list, [this](index c) { documents_.push_back(c); });
        } else
            documents_.push_back(list);
    };
    if (tree_.is_array(answer_tree::root)) return choose(answer_tree::root, answer_tree::none);
    if (!tree_.is_object(answer_tree::root)) return documents_.push_back(answer_tree::root);
    for (step const& s : steps_)
        if (index const list = by_keys(s.object, profile_.documents_keys);
            list != answer_tree::none && tree_.is_container(list))
            return choose(list, s.object);
    for (step const& s : steps_)
        if (index const data = by_keys(s.object, profile_.data_keys);
            data != answer_tree::none && tree_.is_array(data))
            return choose(data, s.object);
    // A list with a likely name is the list of documents if its siblings have no content. The items of an
    // invoice, in contrast, have the total as a sibling.
    for (step const& s : steps_) {
        index list = answer_tree::none;
        bool alone = true;
        tree_.for_each_child(s.object, [&](index c) {
            if (tree_.is_array(c) && tree_.kind(c) == key_kind::documents && list == answer_tree::none)
                list = c;
            else
                alone = alone && content_of(c) < content_kind::unfamiliar;
        });
        if (list != answer_tree::none && alone) return choose(list, s.object);
    }
    // Without a list, the content is in the innermost object with an envelope's name.
    index holder = answer_tree::root;
    for (;;) {
        index inner = answer_tree::none;
        tree_.for_each_child(holder, [&](index c) {
            bool const envelope = tree_.kind(c) == key_kind::documents || is_key(c, profile_.data_keys);
            if (envelope && tree_.is_object(c) && inner == answer_tree::none) inner = c;
        });
        if (inner == answer_tree::none) break;
        holder = inner;
    }
    holder_ = holder;
    documents_.push_back(holder);
}

/// Whether a text says only that the job is in progress.
OCRPIPE_DECL bool answer_form::is_waiting_note(index i) const
{
    std::string const text = tree_.text(i);
    return is_word_of(text, profile_.pending_words) || mentions_waiting(text);
}

OCRPIPE_DECL bool answer_form::labels_a_value(index object) const
{
    bool found = false;
    tree_.for_each_child(object, [&](index c) {
        found |= tree_.kind(c) == key_kind::text || is_key(c, profile_.values_keys) ||
                 is_key(c, profile_.text_keys);
    });
    return found;
}

/// Whether a text is a file in Base64, such as the image of a page.
inline bool is_encoded(std::string_view text)
{
    if (text.starts_with("data:") && text.substr(0, 200).find(";base64,") != text.npos) return true;
    constexpr std::size_t long_for_a_word = 64;
    auto const holds = [&](char from, char to) {
        return std::any_of(text.begin(), text.end(), [&](char c) { return c >= from && c <= to; });
    };
    return text.size() >= long_for_a_word && holds('a', 'z') && holds('A', 'Z') && holds('0', '9') &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                      c == '+' || c == '/' || c == '=' || c == '-' || c == '_';
           });
}

inline bool is_url(std::string_view text)
{
    return (text.starts_with("http://") || text.starts_with("https://")) && text.find(' ') == text.npos;
}

OCRPIPE_DECL content_kind answer_form::content_of_leaf(index i, bool labels, bool notes_count) const
{
    using enum content_kind;
    bool const is_string = tree_.type_of(i) == answer_tree::type::string;
    if (is_string && is_blank(tree_.text(i))) return none;
    std::string const text = is_string ? tree_.text(i) : std::string();
    // Images are not text.
    if (is_string && is_encoded(text)) return none;
    switch (tree_.kind(i)) {
    case key_kind::status:
    case key_kind::finished:
    case key_kind::unfinished:
    case key_kind::success:
    case key_kind::failed:
    case key_kind::progress:
    case key_kind::error:
    case key_kind::notice:
    case key_kind::request_id:
    case key_kind::bookkeeping:
        return none;
    case key_kind::structure:
    case key_kind::words:
        return is_string ? unfamiliar : none;
    case key_kind::measure: {
        if (!is_string) return none;
        bool const numeric = text.find_first_not_of("0123456789.,:;+-% []()") == std::string::npos;
        return numeric || (!notes_count && is_waiting_note(i)) ? none : unfamiliar;
    }
    case key_kind::label:
        if (labels) return none;
        break;
    case key_kind::doubtful:
        // Codes, units and host names are short.
        if (!is_string) return slight;
        return text.size() < 16 ? hint : doubtful;
    case key_kind::text:
    case key_kind::markup:
        // The value of a field may also be a number or a boolean.
        return unfamiliar;
    default:
        break;
    }
    if (!is_string) return slight;
    if (!notes_count && is_waiting_note(i)) return none;
    return is_url(text) ? doubtful : unfamiliar;
}

OCRPIPE_DECL bool answer_form::is_shown(index i) const
{
    switch (tree_.type_of(i)) {
    case answer_tree::type::string:
    case answer_tree::type::number:
        break;
    case answer_tree::type::truth:
        // Only as the value of a field.
        if (tree_.kind(i) == key_kind::text) break;
        return false;
    default:
        return false;
    }
    // If there are texts, URLs of images and of other answers are noise.
    if (tree_.type_of(i) == answer_tree::type::string && is_url(tree_.text(i))) return !has_text_;
    if (tree_.type_of(i) == answer_tree::type::number && tree_.kind(i) == key_kind::doubtful) return false;
    return content_of_leaf(i, false, true) != content_kind::none;
}

OCRPIPE_DECL content_kind answer_form::content_of(index i, bool in_fields) const
{
    using enum content_kind;
    switch (tree_.type_of(i)) {
    case answer_tree::type::null:
        return none;
    case answer_tree::type::object:
    case answer_tree::type::array:
        break;
    default:
        return content_of_leaf(i, false);
    }
    key_kind const kind = tree_.kind(i);
    if (kind == key_kind::error || kind == key_kind::progress) return none;
    bool const labels = in_fields || (tree_.is_object(i) && labels_a_value(i));
    bool const element = tree_.is_object(i) && tree_.key(i).empty() && i != answer_tree::root;
    int members = 0;
    bool names_alone = true; // {"name": "total"} in a list may be a field without its value yet
    content_kind most = none;
    for (index c = tree_.first(i); c != answer_tree::none && most < unfamiliar; c = tree_.next(c)) {
        content_kind const here = tree_.is_container(c)                         ? content_of(c, in_fields)
                                  : tree_.type_of(c) == answer_tree::type::null ? none
                                                                                : content_of_leaf(c, labels);
        most = std::max(most, here);
        bool const name = tree_.kind(c) == key_kind::label && !tree_.is_container(c);
        names_alone = names_alone && (here == none || name);
        ++members;
    }
    if (element && names_alone && members < 3 && most == unfamiliar) return doubtful;
    // An echo of the request, or notes about the answer.
    if (kind == key_kind::doubtful && most == unfamiliar && !has_text(i)) return doubtful;
    return most;
}

OCRPIPE_DECL content_kind answer_form::content_of_document(index i) const
{
    if (!tree_.is_object(i)) return content_of(i);
    index const content = by_keys(i, profile_.content_keys);
    index table = by_keys(i, profile_.table_keys);
    if (index const schema = by_keys(i, profile_.schema_keys);
        table == answer_tree::none && schema != answer_tree::none && tree_.is_object(schema))
        table = by_keys(schema, profile_.table_keys);
    auto const has_content = [this](index where) {
        return where != answer_tree::none && content_of(where, true) != content_kind::none;
    };
    if (has_content(content) || has_content(table)) return content_kind::known;
    // The service will fill the content later.
    if (content != answer_tree::none) return content_kind::none;
    return content_of(i);
}

/// Whether the documents are one object that is a document, not a map of documents by name.
OCRPIPE_DECL bool answer_form::is_one_document(index list) const
{
    if (list == answer_tree::none || !tree_.is_object(list)) return false;
    bool all_objects = true;
    tree_.for_each_child(list, [&](index c) { all_objects = all_objects && tree_.is_object(c); });
    return !all_objects;
}

OCRPIPE_DECL bool answer_form::is_failed(index document) const
{
    if (!tree_.is_object(document)) return false;
    bool failed = false;
    tree_.for_each_child(document, [&](index c) {
        bool const status = is_key(c, profile_.status_keys) || tree_.kind(c) == key_kind::status;
        failed |= status && job_status_at(c) == job_status::failure;
    });
    return failed;
}

OCRPIPE_DECL void answer_form::complete(body_facts& facts) const
{
    if (tree_.empty()) return;
    bool const text = has_text_;
    if (status_ != answer_tree::none) facts.status = status_text().substr(0, 64);
    facts.says_pending |= says_pending_;
    facts.says_finished |= says_finished_;
    facts.has_empty_texts = !text && has_empty_place(answer_tree::root);
    facts.documents = facts.failed_documents = facts.filled_documents = 0;
    facts.content = content_kind::none;
    auto const count = [](int& n) { n += n != std::numeric_limits<int>::max(); };
    for (index const d : documents_) {
        count(facts.documents);
        if (is_failed(d)) {
            count(facts.failed_documents);
            continue;
        }
        content_kind const content = content_of_document(d);
        facts.content = std::max(facts.content, content);
        // While text members are empty, other texts do not make the result complete.
        bool const fills = content == content_kind::slight || content >= content_kind::unfamiliar;
        if (content == content_kind::known || (fills && !facts.has_empty_texts))
            count(facts.filled_documents);
    }
    bool const listed = list_ != answer_tree::none && tree_.is_array(list_);
    facts.lists_documents = listed || is_one_document(list_);
    facts.misses_documents = std::any_of(finished_counts_.begin(), finished_counts_.end(),
                                         [this](finished_count const& c) { return misses(c); });
    // The content may be outside the documents, or in one whose known content is still empty. A number in one
    // of them does not rule that out.
    if (facts.content <= content_kind::slight && facts.failed_documents == 0) {
        content_kind const anywhere = content_of(answer_tree::root);
        if (anywhere > content_kind::slight || !listed) facts.content = std::max(facts.content, anywhere);
    }
    if (!listed && facts.content == content_kind::none) facts.documents = facts.failed_documents;

    if (is_error() && facts.content != content_kind::known) {
        // The texts may be a stack trace or an echo of the request.
        facts.content = content_kind::none;
        facts.filled_documents = 0;
        job_status const status = status_of(facts.status, profile_);
        if (says_failed_ || says_finished_ || status == job_status::success)
            facts.says_failed = true;
        else if (status != job_status::failure && !facts.says_pending)
            facts.error_status = error_status_ != 0 ? error_status_ : 500;
    }
    // If the envelope named in the profile exists, it alone decides.
    bool envelopes = false;
    if (tree_.is_object(answer_tree::root) && !facts.has_data_key)
        tree_.for_each_child(answer_tree::root, [&](index c) {
            key_kind const k = tree_.kind(c);
            envelopes |= tree_.is_container(c) && k != key_kind::error && k != key_kind::progress &&
                         k != key_kind::notice && k != key_kind::doubtful;
        });
    facts.has_data |= facts.content != content_kind::none || listed || envelopes;
    if (facts.error_status != 0 && facts.content == content_kind::none) facts.has_data = false;
    // Bookkeeping, such as the time of the answer, may change between reads.
    if (facts.content != content_kind::none)
        facts.content_hash =
            hash_of(answer_tree::root, std::min(facts.content, content_kind::unfamiliar), text, 1) | 1;
}

/// Whether a member named after a text has one.
OCRPIPE_DECL bool answer_form::has_text(index i) const
{
    if (!tree_.is_container(i)) {
        key_kind const k = tree_.kind(i);
        bool const text = k == key_kind::text || k == key_kind::markup || k == key_kind::structure ||
                          k == key_kind::words || k == key_kind::documents;
        answer_tree::type const t = tree_.type_of(i);
        if (k == key_kind::text && (t == answer_tree::type::number || t == answer_tree::type::truth))
            return true;
        return text && t == answer_tree::type::string &&
               content_of_leaf(i, false) >= content_kind::unfamiliar && !is_status_word(i);
    }
    bool found = false;
    tree_.for_each_child(i, [&](index c) { found = found || has_text(c); });
    return found;
}

/// Whether a member is a status and not text, as in {"result": "error"}.
OCRPIPE_DECL bool answer_form::is_status_word(index i) const
{
    return tree_.kind(i) == key_kind::documents &&
           job_status_at(i).value_or(job_status::unknown) != job_status::unknown;
}

/// Whether a member for texts exists but is empty: a text, a list of its parts, the list of documents, or the
/// data.
OCRPIPE_DECL bool answer_form::has_empty_place(index i) const
{
    bool found = false;
    tree_.for_each_child(i, [&](index c) {
        key_kind const k = tree_.kind(c);
        bool const text = k == key_kind::text || k == key_kind::markup;
        bool const list =
            k == key_kind::structure || k == key_kind::words || c == list_ || is_key(c, profile_.data_keys);
        if (!tree_.is_container(c)) {
            bool const blank = tree_.type_of(c) == answer_tree::type::null ||
                               (tree_.type_of(c) == answer_tree::type::string && is_blank(tree_.text(c)));
            found = found || (blank && (text || list));
        } else if (k != key_kind::error && k != key_kind::progress) {
            found = found || ((text || list) && content_of(c) == content_kind::none) || has_empty_place(c);
        }
    });
    return found;
}

/// A hash of the members with at least `least` content, and of their keys. `texts`: only of texts.
OCRPIPE_DECL std::uint64_t answer_form::hash_of(index i, content_kind least, bool texts,
                                                std::uint64_t seed) const
{
    auto const mix = [&seed](std::string_view text) {
        seed = (seed ^ std::hash<std::string_view>()(text)) * 0x9E37'79B9'7F4A'7C15ull;
        seed ^= seed >> 29;
    };
    if (tree_.is_container(i)) {
        key_kind const kind = tree_.kind(i);
        if (kind == key_kind::error || kind == key_kind::progress) return seed;
        mix(tree_.is_object(i) ? "{" : "[");
        tree_.for_each_child(i, [&](index c) {
            bool const container = tree_.is_container(c);
            if (!container && (tree_.type_of(c) == answer_tree::type::null ||
                               content_of_leaf(c, false) < least || (texts && !has_text(c))))
                return;
            // An object without text may be missing from the next answer.
            if (container && texts && !has_text(c)) return;
            mix(tree_.key(c));
            seed = hash_of(c, least, texts, seed);
        });
    } else if (tree_.type_of(i) != answer_tree::type::null) {
        mix(tree_.text(i));
    }
    return seed;
}

OCRPIPE_DECL bool answer_form::has_values(index i) const
{
    if (!tree_.is_container(i))
        return tree_.type_of(i) != answer_tree::type::null && content_of_leaf(i, false) != content_kind::none;
    if (tree_.kind(i) == key_kind::error || tree_.kind(i) == key_kind::progress) return false;
    if (tree_.had_numbers(i)) return true;
    int measures = 0;
    bool found = false;
    tree_.for_each_child(i, [&](index c) {
        if (tree_.kind(c) == key_kind::measure && tree_.type_of(c) == answer_tree::type::number) ++measures;
        found |= has_values(c);
    });
    // A single number may be a count; several are coordinates.
    return found || measures > 1;
}

} // namespace detail
} // namespace ocrpipe

#endif
