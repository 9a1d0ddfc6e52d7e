#ifndef OCRPIPE_API_IMPL_ANSWER_FORM_IPP
#define OCRPIPE_API_IMPL_ANSWER_FORM_IPP

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

/// Objects that lie deeper hold content; a status there is a document's own affair.
inline constexpr int max_envelopes = 4;

OCRPIPE_DECL answer_form::answer_form(answer_tree const& tree, response_profile const& profile)
    : tree_(tree), profile_(profile)
{
    if (tree_.empty()) return;
    walk_objects();
    find_documents();
    find_status();
}

OCRPIPE_DECL bool answer_form::is_key(index i, response_profile::words const& keys) const
{
    std::string const key = tree_.key(i);
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// The member whose key stands first in the list.
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
    auto const take = [this](index list, index holder) {
        list_ = list;
        holder_ = holder;
        if (tree_.is_array(list))
            tree_.for_each_child(list, [this](index c) { documents_.push_back(c); });
        else
            documents_.push_back(list);
    };
    if (tree_.is_array(answer_tree::root)) return take(answer_tree::root, answer_tree::none);
    if (!tree_.is_object(answer_tree::root)) return documents_.push_back(answer_tree::root);
    for (step const& s : steps_)
        if (index const list = by_keys(s.object, profile_.documents_keys);
            list != answer_tree::none && tree_.is_container(list))
            return take(list, s.object);
    for (step const& s : steps_)
        if (index const data = by_keys(s.object, profile_.data_keys);
            data != answer_tree::none && tree_.is_array(data))
            return take(data, s.object);
    // A list under a likely name is that of the documents when nothing beside it is content: the items of an
    // invoice stand beside its total.
    for (step const& s : steps_) {
        index list = answer_tree::none;
        bool alone = true;
        tree_.for_each_child(s.object, [&](index c) {
            if (tree_.is_array(c) && tree_.kind(c) == key_kind::documents && list == answer_tree::none)
                list = c;
            else
                alone = alone && content_of(c) < content_kind::unfamiliar;
        });
        if (list != answer_tree::none && alone) return take(list, s.object);
    }
    // The content itself stands in the answer, below the names of envelopes.
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

/// 3 for a word for pending, 2 for failure, 1 for success, 0 for an unknown one, -1 for no status at all.
OCRPIPE_DECL int answer_form::rank_of_status(index i) const
{
    if (tree_.type_of(i) != answer_tree::type::string) return -1;
    bool const named = is_key(i, profile_.status_keys);
    if (!named && tree_.kind(i) != key_kind::status) return -1;
    std::string const word = tree_.text(i);
    if (is_blank(word)) return -1;
    if (is_word_of(word, profile_.pending_words)) return 3;
    if (is_word_of(word, profile_.failure_words)) return 2;
    if (is_word_of(word, profile_.success_words)) return 1;
    // A state that is no word for how a job stands may be part of an address.
    return named && tree_.key(i) == profile_.status_keys.front() ? 0 : -1;
}

OCRPIPE_DECL void answer_form::find_status()
{
    // From the object that holds the documents outwards: the nearest status counts.
    std::size_t at = steps_.size();
    for (std::size_t i = 0; i != steps_.size(); ++i)
        if (steps_[i].object == holder_) at = i;
    std::vector<index> chain;
    for (std::size_t i = at; i != steps_.size(); i = steps_[i].parent) {
        chain.push_back(steps_[i].object);
        if (i == 0) break;
    }
    int rank = -1;
    auto const look_at = [&](index object, bool keep_nearer) {
        int best = -1;
        index found = answer_tree::none;
        tree_.for_each_child(object, [&](index c) {
            if (int const r = rank_of_status(c); r > best) {
                best = r;
                found = c;
            }
        });
        if (best > rank && !(keep_nearer && rank > 0)) {
            rank = best;
            status_ = found;
        }
    };
    for (index const object : chain) {
        find_flags(object);
        look_at(object, true);
    }
    // A single document's own status is the nearest of all.
    if (list_ != answer_tree::none && tree_.is_object(list_)) {
        find_flags(list_);
        int const outer = std::exchange(rank, -1);
        index const before = status_;
        look_at(list_, false);
        if (rank <= 0 && outer > rank) {
            rank = outer;
            status_ = before;
        }
    }
    // Beside the way to the documents, such as in "job", when nothing on the way says how the job stands.
    if (rank <= 0)
        for (step const& s : steps_)
            if (std::find(chain.begin(), chain.end(), s.object) == chain.end()) {
                find_flags(s.object);
                look_at(s.object, false);
            }
    if (list_ == answer_tree::none || !tree_.is_array(list_)) return;
    for (index const d : documents_)
        if (tree_.is_object(d))
            tree_.for_each_child(d, [&](index c) { says_pending_ |= rank_of_status(c) == 3; });
}

/// What truth values and percentages in an envelope say.
OCRPIPE_DECL void answer_form::find_flags(index object)
{
    tree_.for_each_child(object, [&](index c) {
        key_kind const k = tree_.kind(c);
        if (k == key_kind::finished && tree_.type_of(c) == answer_tree::type::truth)
            (tree_.is_true(c) ? says_finished_ : says_pending_) = true;
        bool const scalar =
            tree_.type_of(c) == answer_tree::type::number || tree_.type_of(c) == answer_tree::type::string;
        if (k != key_kind::progress || !scalar) return;
        std::string const text = tree_.text(c);
        char* end = nullptr;
        double const n = std::strtod(text.c_str(), &end);
        if (end == text.c_str()) return;
        // 1 may be a hundredth or the whole.
        if (n >= 100)
            says_finished_ = true;
        else if (n != 1)
            says_pending_ = true;
    });
}

OCRPIPE_DECL bool answer_form::is_pending_word(index i) const
{
    return is_word_of(tree_.text(i), profile_.pending_words);
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

OCRPIPE_DECL content_kind answer_form::content_of_leaf(index i, bool labels) const
{
    using enum content_kind;
    bool const is_string = tree_.type_of(i) == answer_tree::type::string;
    if (is_string && is_blank(tree_.text(i))) return none;
    switch (tree_.kind(i)) {
    case key_kind::status:
    case key_kind::finished:
    case key_kind::success:
    case key_kind::progress:
    case key_kind::error:
    case key_kind::request_id:
    case key_kind::bookkeeping:
        return none;
    case key_kind::structure:
    case key_kind::words:
    case key_kind::measure: {
        if (!is_string) return none;
        if (tree_.kind(i) != key_kind::measure) break;
        std::string const text = tree_.text(i);
        bool const numeric = text.find_first_not_of("0123456789.,:;+-% []()") == std::string::npos;
        return numeric || is_pending_word(i) ? none : unfamiliar;
    }
    case key_kind::label:
        if (labels) return none;
        break;
    case key_kind::doubtful:
        return slight;
    case key_kind::text:
        // The value of a field may be a number.
        if (tree_.type_of(i) == answer_tree::type::number) return unfamiliar;
        break;
    default:
        break;
    }
    if (!is_string) return slight;
    return is_pending_word(i) ? none : unfamiliar;
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
    if (tree_.kind(i) == key_kind::error || tree_.kind(i) == key_kind::progress) return none;
    bool const labels = in_fields || (tree_.is_object(i) && labels_a_value(i));
    content_kind most = none;
    for (index c = tree_.first(i); c != answer_tree::none && most < unfamiliar; c = tree_.next(c)) {
        content_kind const here = tree_.is_container(c)                         ? content_of(c, in_fields)
                                  : tree_.type_of(c) == answer_tree::type::null ? none
                                                                                : content_of_leaf(c, labels);
        most = std::max(most, here);
    }
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
    auto const says_something = [this](index where) {
        return where != answer_tree::none && content_of(where, true) != content_kind::none;
    };
    if (says_something(content) || says_something(table)) return content_kind::known;
    // The service is about to fill it.
    if (content != answer_tree::none) return content_kind::none;
    return content_of(i);
}

OCRPIPE_DECL bool answer_form::is_failed(index document) const
{
    if (!tree_.is_object(document)) return false;
    index const status = by_keys(document, profile_.status_keys);
    return status != answer_tree::none && tree_.type_of(status) == answer_tree::type::string &&
           is_word_of(tree_.text(status), profile_.failure_words);
}

OCRPIPE_DECL void answer_form::complete(body_facts& facts) const
{
    if (tree_.empty()) return;
    if (status_ != answer_tree::none) facts.status = tree_.text(status_).substr(0, 64);
    facts.says_pending |= says_pending_;
    facts.says_finished |= says_finished_;
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
        if (content != content_kind::none) count(facts.filled_documents);
    }
    bool const listed = list_ != answer_tree::none && tree_.is_array(list_);
    facts.lists_documents = listed && (is_key(list_, profile_.documents_keys) ||
                                       is_key(list_, profile_.data_keys) || list_ == answer_tree::root);
    // What stands beside the documents, or in one whose known content is still to come.
    if (facts.content == content_kind::none && facts.failed_documents == 0) {
        facts.content = content_of(answer_tree::root);
        if (facts.content == content_kind::slight && listed) facts.content = content_kind::none;
    }
    if (!listed && facts.content == content_kind::none) facts.documents = facts.failed_documents;
    bool envelopes =
        false; // other than the one that the profile names, which decides alone where there is one
    if (tree_.is_object(answer_tree::root) && !facts.has_data_key)
        tree_.for_each_child(answer_tree::root, [&](index c) {
            envelopes |= tree_.is_container(c) && tree_.kind(c) != key_kind::error &&
                         tree_.kind(c) != key_kind::progress;
        });
    // An error may come with a trace or the path that was asked for; only what was read is content beside it.
    if (facts.has_error && !says_finished_ && !is_word_of(facts.status, profile_.success_words) &&
        facts.content == content_kind::unfamiliar && !has_text(answer_tree::root))
        facts.content = content_kind::none;
    if (facts.has_error && facts.error_status == 0 && facts.content == content_kind::none &&
        status_ == answer_tree::none)
        facts.error_status = 500; // Assumed: an error without a code that HTTP knows is the service's own
    facts.has_data |= facts.content != content_kind::none || listed || envelopes;
    if (facts.error_status != 0 && facts.content == content_kind::none) facts.has_data = false;
    // Bookkeeping, such as the time of the answer, may differ from one to the next.
    if (facts.content != content_kind::none)
        facts.content_hash =
            hash_of(answer_tree::root, std::min(facts.content, content_kind::unfamiliar), 1) | 1;
}

/// Whether there is a member that is called after a text, with a text in it.
OCRPIPE_DECL bool answer_form::has_text(index i) const
{
    if (!tree_.is_container(i))
        return (tree_.kind(i) == key_kind::text || tree_.kind(i) == key_kind::markup) &&
               content_of_leaf(i, false) >= content_kind::unfamiliar;
    bool found = false;
    tree_.for_each_child(i, [&](index c) { found = found || has_text(c); });
    return found;
}

/// Of everything that says at least as much as `least`, with the names of its members.
OCRPIPE_DECL std::uint64_t answer_form::hash_of(index i, content_kind least, std::uint64_t seed) const
{
    auto const mix = [&seed](std::string_view text) {
        seed = (seed ^ std::hash<std::string_view>()(text)) * 0x9E37'79B9'7F4A'7C15ull;
        seed ^= seed >> 29;
    };
    if (tree_.is_container(i)) {
        if (tree_.kind(i) == key_kind::error || tree_.kind(i) == key_kind::progress) return seed;
        mix(tree_.is_object(i) ? "{" : "[");
        tree_.for_each_child(i, [&](index c) {
            if (!tree_.is_container(c) &&
                (tree_.type_of(c) == answer_tree::type::null || content_of_leaf(c, false) < least))
                return;
            mix(tree_.key(c));
            seed = hash_of(c, least, seed);
        });
    } else if (tree_.type_of(i) != answer_tree::type::null) {
        mix(tree_.text(i));
    }
    return seed;
}

OCRPIPE_DECL bool answer_form::says_anything(index i) const
{
    if (!tree_.is_container(i))
        return tree_.type_of(i) != answer_tree::type::null && content_of_leaf(i, false) != content_kind::none;
    if (tree_.kind(i) == key_kind::error || tree_.kind(i) == key_kind::progress) return false;
    if (tree_.had_numbers(i)) return true;
    int measures = 0;
    bool found = false;
    tree_.for_each_child(i, [&](index c) {
        if (tree_.kind(c) == key_kind::measure && tree_.type_of(c) == answer_tree::type::number) ++measures;
        found |= says_anything(c);
    });
    // One number may be a count; together they say where something is.
    return found || measures > 1;
}

/// The nearest to the root that `wanted` is true for; lists are looked into, errors are not.
template<class Wanted>
answer_form::index answer_form::nearest(Wanted wanted) const
{
    std::vector<index> all{answer_tree::root};
    for (std::size_t i = 0; i != all.size(); ++i) {
        if (wanted(all[i])) return all[i];
        if (tree_.is_container(all[i]) && tree_.kind(all[i]) != key_kind::error)
            tree_.for_each_child(all[i], [&](index c) { all.push_back(c); });
    }
    return answer_tree::none;
}

OCRPIPE_DECL void answer_form::complete_submit(body_facts& facts) const
{
    if (tree_.empty()) return;
    auto const is_id = [this](index i) {
        answer_tree::type const t = tree_.type_of(i);
        if (t != answer_tree::type::string && t != answer_tree::type::number) return false;
        std::string const text = tree_.text(i);
        return !is_blank(text) && may_be_id(text);
    };
    index found = nearest([&](index i) { return is_id(i) && is_key(i, profile_.request_id_keys); });
    if (found == answer_tree::none)
        found = nearest([&](index i) { return is_id(i) && tree_.kind(i) == key_kind::request_id; });
    // The id of the answer itself, or of an object that is called after what was asked for.
    for (std::size_t i = 0; i != steps_.size() && found == answer_tree::none; ++i) {
        index const object = steps_[i].object;
        std::string const name = split_key(tree_.key(object)).joined;
        bool const job = object == answer_tree::root || is_key(object, profile_.data_keys) ||
                         name == "request" || name == "job" || name == "task";
        if (index const id = job ? tree_.member(object, "id") : answer_tree::none;
            id != answer_tree::none && is_id(id))
            found = id;
    }
    if (found != answer_tree::none) facts.request_id = tree_.text(found);
    index const files = nearest([this](index i) {
        return tree_.is_array(i) &&
               (is_key(i, profile_.file_ids_keys) || split_key(tree_.key(i)).joined == "fileids");
    });
    if (facts.file_ids.empty() && files != answer_tree::none)
        tree_.for_each_child(files, [&](index c) {
            if (is_id(c)) facts.file_ids.push_back(tree_.text(c));
        });
}

/// Begins right behind the name of an id: `": "abc"`, `=abc&`, `>abc<`. Empty unless the id's end is there.
inline std::string_view id_behind(std::string_view text)
{
    std::size_t const from = text.find_first_not_of("\"' \t\r\n:=>\\");
    if (from == text.npos || from > 16 || text.substr(0, from).find_first_of(":=>") == text.npos) return {};
    text.remove_prefix(from);
    std::size_t const end = text.find_first_of("\"' \t\r\n,;&<>{}[]()\\");
    if (end == text.npos || end > 1024) return {};
    std::string_view const id = text.substr(0, end);
    bool const plain = std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7F; });
    return plain ? id : std::string_view();
}

OCRPIPE_DECL std::string visible_request_id(std::string_view body, response_profile const& profile)
{
    auto const is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    for (std::string const& key : profile.request_id_keys)
        for (std::size_t at = body.find(key); at != body.npos; at = body.find(key, at + 1)) {
            std::size_t const behind = at + key.size();
            if ((at != 0 && is_letter(body[at - 1])) || (behind != body.size() && is_letter(body[behind])))
                continue;
            std::string_view const id = id_behind(body.substr(behind));
            if (!id.empty() && id != "null") return std::string(id);
        }
    return {};
}

} // namespace detail
} // namespace ocrpipe

#endif
