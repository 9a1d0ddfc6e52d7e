#ifndef OCRPIPE_API_IMPL_ANSWER_STATUS_IPP
#define OCRPIPE_API_IMPL_ANSWER_STATUS_IPP

// How answer_form finds the state of the job: from statuses, flags, counts and errors.

#include <ocrpipe/api/impl/answer_form.hpp>

#include <algorithm>
#include <cstdlib>

namespace ocrpipe
{
namespace detail
{

/// The job status given by a member; nullopt if it is not a status. A status may be an object with a name.
OCRPIPE_DECL std::optional<job_status> answer_form::job_status_at(index i) const
{
    bool const named = is_key(i, profile_.status_keys);
    if (!named && tree_.kind(i) != key_kind::status) {
        // Other members count only if their value is a status word, as in {"result": "error"}.
        static constexpr auto others = std::to_array<std::string_view>({"code", "result", "step", "outcome"});
        if (tree_.type_of(i) != answer_tree::type::string ||
            !is_among(split_key(tree_.key(i)).joined, others))
            return std::nullopt;
        job_status const s = status_of(tree_.text(i), profile_);
        if (s == job_status::unknown || words_of_status(tree_.text(i)).size() > 2) return std::nullopt;
        return s;
    }
    if (tree_.is_object(i)) {
        std::optional<job_status> best;
        tree_.for_each_child(i, [&](index c) {
            if (tree_.type_of(c) != answer_tree::type::string) return;
            job_status const s = status_of(tree_.text(c), profile_);
            if (s != job_status::unknown) best = std::max(best.value_or(s), s);
        });
        return best;
    }
    if (tree_.type_of(i) != answer_tree::type::string) return std::nullopt;
    std::string const word = tree_.text(i);
    if (is_blank(word)) return std::nullopt;
    job_status const s = status_of(word, profile_);
    // Under another key than the first, an unknown word may be part of a postal address ("state").
    bool const first = named && tree_.key(i) == profile_.status_keys.front();
    if (s == job_status::unknown && !first) return std::nullopt;
    return s;
}

OCRPIPE_DECL bool answer_form::is_called(index object, std::span<std::string_view const> names) const
{
    return std::find(names.begin(), names.end(), split_key(tree_.key(object)).joined) != names.end();
}

OCRPIPE_DECL void answer_form::find_status()
{
    // The objects from the one that holds the documents up to the root. The nearest status counts.
    std::size_t at = steps_.size();
    for (std::size_t i = 0; i != steps_.size(); ++i)
        if (steps_[i].object == holder_) at = i;
    std::vector<index> chain;
    for (std::size_t i = at; i != steps_.size(); i = steps_[i].parent) {
        chain.push_back(steps_[i].object);
        if (i == 0) break;
    }
    // The status of a single document is nearer still.
    if (list_ != answer_tree::none && tree_.is_object(list_)) chain.insert(chain.begin(), list_);

    std::optional<job_status> found;
    auto const look_at = [&](index object, bool replaces) {
        tree_.for_each_child(object, [&](index c) {
            std::optional<job_status> const here = job_status_at(c);
            bool const better = !found || *found == job_status::unknown || (replaces && *found < here);
            if (!here || !better || (found && *here == job_status::unknown)) return;
            found = here;
            status_ = c;
        });
    };
    for (index const object : chain) {
        find_flags(object);
        find_counts(object);
        // In one object the worst status counts. An outer object counts only if no inner one has a status.
        bool const none_nearer = !found || *found == job_status::unknown;
        look_at(object, none_nearer);
    }
    // Other objects count if they are named after the job. If the chain has no status, all objects count.
    static constexpr auto jobs = std::to_array<std::string_view>(
        {"job", "task", "request", "operation", "process", "progress", "meta", "metadata", "state", "ocr"});
    bool const open = !found || *found == job_status::unknown;
    for (step const& s : steps_) {
        if (std::find(chain.begin(), chain.end(), s.object) != chain.end()) continue;
        bool const job = is_called(s.object, jobs);
        if (!open && !job) continue;
        find_flags(s.object);
        if (job) find_counts(s.object);
        look_at(s.object, job || open);
    }
    // A document or page that is pending makes the job pending.
    auto const look_into = [&](index list) {
        tree_.for_each_child(list, [&](index d) {
            if (!tree_.is_object(d)) return;
            tree_.for_each_child(d, [&](index c) {
                if (is_key(c, profile_.status_keys) || tree_.kind(c) == key_kind::status)
                    says_pending_ |= job_status_at(c) == job_status::pending;
            });
        });
    };
    if (list_ != answer_tree::none && tree_.is_array(list_)) look_into(list_);
    if (holder_ != answer_tree::none)
        tree_.for_each_child(holder_, [&](index c) {
            if (tree_.is_array(c) && tree_.kind(c) == key_kind::structure) look_into(c);
        });
}

/// Evaluates booleans and percentages in an envelope.
OCRPIPE_DECL void answer_form::find_flags(index object)
{
    // As in {"progress": {"percent": 40}}.
    tree_.for_each_child(object, [&](index c) {
        if (tree_.kind(c) == key_kind::progress && tree_.is_object(c)) {
            find_flags(c);
            find_counts(c);
        }
    });
    auto const truth = [this](index i) -> std::optional<bool> {
        std::string const text = tree_.text(i);
        if (same_letters(text, "true") || same_letters(text, "yes") || text == "1") return true;
        if (same_letters(text, "false") || same_letters(text, "no") || text == "0") return false;
        return std::nullopt;
    };
    tree_.for_each_child(object, [&](index c) {
        if (tree_.is_container(c) || tree_.type_of(c) == answer_tree::type::null) return;
        key_kind const k = tree_.kind(c);
        if (k == key_kind::finished)
            if (auto const is = truth(c)) (*is ? says_finished_ : says_pending_) = true;
        if (k == key_kind::unfinished && truth(c) == true) says_pending_ = true;
        if (k != key_kind::progress || tree_.type_of(c) == answer_tree::type::truth) return;
        std::string const text = tree_.text(c);
        char* end = nullptr;
        double const n = std::strtod(text.c_str(), &end);
        if (end == text.c_str()) return;
        // 1 is ambiguous: 1 % or the fraction 1.0.
        if (n >= 100)
            says_finished_ = true;
        else if (n != 1)
            says_pending_ = true;
    });
}

/// "doc" and "docs" are the same noun.
inline std::string_view noun_of(std::string_view word) { return word.substr(0, 3); }

/// Compares counts with the same noun, such as "pages_done" and "pages_total".
OCRPIPE_DECL void answer_form::find_counts(index object)
{
    struct count {
        std::string noun;
        double total = -1;
        double finished = -1;
        double ignored = 0;
    };
    static constexpr auto totals = std::to_array<std::string_view>({"total", "all"});
    static constexpr auto finishes = std::to_array<std::string_view>(
        {"finished", "done", "completed", "complete", "processed", "extracted", "recognized", "succeeded"});
    static constexpr auto ignores = std::to_array<std::string_view>({"ignored", "skipped", "failed"});
    std::vector<count> counts;
    tree_.for_each_child(object, [&](index c) {
        if (tree_.type_of(c) != answer_tree::type::number) return;
        std::string noun;
        double count::*member = nullptr;
        for (std::string const& word : words_of_status(tree_.key(c))) {
            if (is_among(word, totals))
                member = &count::total;
            else if (is_among(word, finishes))
                member = &count::finished;
            else if (is_among(word, ignores))
                member = &count::ignored;
            else
                noun += noun_of(word);
        }
        if (member == nullptr) return;
        auto at = std::find_if(counts.begin(), counts.end(), [&](count const& x) {
            return x.noun == noun || x.noun.empty() || noun.empty();
        });
        if (at == counts.end()) at = counts.insert(counts.end(), count{noun});
        *at.*member = std::strtod(tree_.text(c).c_str(), nullptr);
    });
    for (count const& c : counts) {
        if (c.total <= 0 || c.finished < 0) continue;
        bool const pending = c.finished + c.ignored < c.total;
        (pending ? says_pending_ : says_finished_) = true;
        if (!pending) finished_counts_.push_back({c.noun, c.finished});
    }
}

/// Whether the answer has fewer things of a kind than it counts as finished: documents, or the pages of a text.
/// If it does not list them, there is nothing to compare.
OCRPIPE_DECL bool answer_form::misses(finished_count const& counted) const
{
    auto const size = [this](index list) {
        double n = 0;
        tree_.for_each_child(list, [&n](index) { ++n; });
        return n;
    };
    auto const is_noun = [&](std::string_view key) {
        std::vector<std::string> const words = words_of_status(key);
        return !words.empty() && noun_of(words.back()) == counted.noun;
    };
    bool const listed = list_ != answer_tree::none && tree_.is_array(list_);
    static constexpr auto documents = std::to_array<std::string_view>({"", "doc", "fil", "res", "ite"});
    if (is_among(counted.noun, documents)) {
        if (listed) return size(list_) < counted.finished;
        bool const alone = list_ == answer_tree::none && holder_ != answer_tree::none &&
                           tree_.kind(holder_) == key_kind::documents;
        return is_one_document(alone ? holder_ : list_) && counted.finished > 1;
    }
    // Lists with this name, in the envelope and in the documents.
    double named = 0;
    bool found = false;
    auto const look_into = [&](index object) {
        if (!tree_.is_object(object)) return;
        tree_.for_each_child(object, [&](index c) {
            if (!tree_.is_array(c) || !is_noun(tree_.key(c))) return;
            found = true;
            named += size(c);
        });
    };
    for (step const& s : steps_)
        look_into(s.object);
    if (listed) tree_.for_each_child(list_, look_into);
    if (found) return named < counted.finished;
    // Entries with a page number are pages.
    bool numbered = false;
    if (listed)
        tree_.for_each_child(list_, [&](index d) {
            if (!tree_.is_object(d)) return;
            tree_.for_each_child(d, [&](index c) {
                std::vector<std::string> const words = words_of_status(tree_.key(c));
                numbered |= tree_.type_of(c) == answer_tree::type::number && !words.empty() &&
                            noun_of(words.front()) == counted.noun;
            });
        });
    return numbered && size(list_) < counted.finished;
}

/// Finds an error in the envelope: a member named after one, a flag, or an HTTP error code.
OCRPIPE_DECL void answer_form::find_error()
{
    static constexpr auto codes = std::to_array<std::string_view>(
        {"status", "code", "statuscode", "httpstatus", "httpstatuscode", "httpcode", "errorcode", "errcode"});
    bool waits = false;
    for (step const& s : steps_) {
        if (s.depth > 1) continue;
        tree_.for_each_child(s.object, [&](index c) {
            key_kind const k = tree_.kind(c);
            bool const is_set = tree_.is_container(c) ? tree_.first(c) != answer_tree::none
                                                      : tree_.type_of(c) != answer_tree::type::null &&
                                                            !is_blank(tree_.text(c)) &&
                                                            tree_.text(c) != "false" && tree_.text(c) != "0";
            bool const flag = tree_.type_of(c) == answer_tree::type::truth;
            has_error_ |= k == key_kind::error && is_set;
            has_error_ |= k == key_kind::success && flag && !tree_.is_true(c);
            has_error_ |= k == key_kind::failed && flag && tree_.is_true(c);
            says_failed_ |=
                k == key_kind::failed && flag && tree_.is_true(c) && split_key(tree_.key(c)).last == "failed";
            waits = waits || (k == key_kind::notice && mentions_waiting(tree_.text(c)));
            if (tree_.is_container(c) || !is_called(c, codes)) return;
            std::string const code = tree_.text(c);
            if (code.size() == 3 && (code[0] == '4' || code[0] == '5') &&
                code.find_first_not_of("0123456789") == code.npos) {
                has_error_ = true;
                error_status_ = std::atoi(code.c_str());
            }
        });
    }
    // Some services send "success": false together with "still processing".
    if (waits && error_status_ == 0 && !has_text(answer_tree::root)) {
        has_error_ = false;
        says_pending_ = true;
    }
}

OCRPIPE_DECL std::string answer_form::status_text() const
{
    if (!tree_.is_object(status_)) return tree_.text(status_);
    std::string out;
    tree_.for_each_child(status_, [&](index c) {
        if (tree_.type_of(c) == answer_tree::type::string &&
            status_of(tree_.text(c), profile_) == job_status_at(status_))
            out = tree_.text(c);
    });
    return out;
}

} // namespace detail
} // namespace ocrpipe

#endif
