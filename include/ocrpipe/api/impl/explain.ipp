#ifndef OCRPIPE_API_IMPL_EXPLAIN_IPP
#define OCRPIPE_API_IMPL_EXPLAIN_IPP

#include <ocrpipe/api/explain.hpp>
#include <ocrpipe/api/impl/answer_form.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Finds the members that were used to interpret an answer, with their paths.
class member_finder
{
public:
    using index = answer_tree::index;

    member_finder(answer_tree const& tree, response_profile const& profile, answer_form const& form)
        : tree_(tree), profile_(profile), form_(form)
    {
    }

    std::vector<found_member> find()
    {
        walk(answer_tree::root, "");
        return std::move(found_);
    }

    /// The key of the member that holds a document's content: the first text, otherwise the first content.
    std::string content_key() const
    {
        for (index const d : form_.documents()) {
            if (!tree_.is_object(d)) continue;
            std::string best;
            bool best_is_text = false;
            tree_.for_each_child(d, [&](index c) {
                if (form_.content_of(c) < content_kind::unfamiliar) return;
                bool const text = tree_.kind(c) == key_kind::text;
                if (best.empty() || (text && !best_is_text)) best = tree_.key(c);
                best_is_text = best_is_text || text;
            });
            if (!best.empty()) return best;
        }
        return {};
    }

private:
    bool among(index i, response_profile::words const& keys) const
    {
        return std::find(keys.begin(), keys.end(), tree_.key(i)) != keys.end();
    }

    void add(std::string_view what, std::string const& where, std::string value)
    {
        auto const same = std::find_if(found_.begin(), found_.end(), [&](found_member const& m) {
            return m.what == what && m.where == where;
        });
        if (same != found_.end())
            ++same->count;
        else
            found_.push_back({std::string(what), where, printable_excerpt(value, 64), 1});
    }

    void walk(index i, std::string const& where)
    {
        std::string const shown = where.empty() ? "the answer itself" : where;
        std::string const value = tree_.is_container(i) ? std::string() : tree_.text(i);
        if (i == form_.status())
            add("status", shown, value);
        else if (among(i, profile_.request_id_keys) || tree_.kind(i) == key_kind::request_id)
            add("request id", shown, value);
        else if (among(i, profile_.file_ids_keys))
            add("file ids", shown, value);
        else if (tree_.kind(i) == key_kind::progress)
            add("progress", shown, value);
        else if (tree_.kind(i) == key_kind::finished && tree_.type_of(i) == answer_tree::type::truth)
            add("finished", shown, value);
        else if (tree_.kind(i) == key_kind::error)
            add("error", shown, value);
        else if (i == form_.list())
            add("documents", shown, value);
        else if (!tree_.is_container(i) && form_.content_of(i) == content_kind::unfamiliar)
            add("content", shown, value);
        auto const documents = form_.documents();
        bool const is_document = std::find(documents.begin(), documents.end(), i) != documents.end();
        tree_.for_each_child(i, [&](index c) {
            std::string const key = tree_.key(c);
            std::string const path = tree_.is_array(i) ? where + "[]"
                                     : where.empty()   ? key
                                                       : where + "." + key;
            if (is_document && among(c, profile_.document_id_keys) && !tree_.is_container(c))
                add("document id", path, tree_.text(c));
            else
                walk(c, path);
        });
    }

    answer_tree const& tree_;
    response_profile const& profile_;
    answer_form const& form_;
    std::vector<found_member> found_;
};

/// Adds an entry to a list of the profile, and the new list to `lines`.
inline void extend(response_profile& p, response_profile::words response_profile::*list,
                   std::string_view name, std::string entry, std::vector<std::string>& lines)
{
    response_profile::words& words = p.*list;
    if (entry.empty() || std::find(words.begin(), words.end(), entry) != words.end()) return;
    words.push_back(std::move(entry));
    boost::json::array const all(words.begin(), words.end());
    lines.push_back(fmt::format("\"{}\": {}", name, boost::json::serialize(all)));
}

/// Finds the profile members that describe the form of an answer.
inline void describe_form(std::string_view body, answer_tree const& tree, answer_form const& form,
                          response_profile const& profile, answer_explanation& out)
{
    response_profile p = profile;
    std::vector<std::string>& lines = out.profile_lines;
    if (form.status() != answer_tree::none) {
        std::string const word = tree.text(form.status());
        extend(p, &response_profile::status_keys, "status_keys", tree.key(form.status()), lines);
        bool const known = is_word_of(word, p.success_words) || is_word_of(word, p.pending_words) ||
                           is_word_of(word, p.failure_words);
        if (!known && out.facts.content >= content_kind::unfamiliar)
            extend(p, &response_profile::success_words, "success_words", word, lines);
        else if (!known)
            extend(p, &response_profile::pending_words, "pending_words", word, lines);
    }
    if (out.facts.content == content_kind::unfamiliar) {
        answer_tree::index const holder = form.holder();
        if (holder != answer_tree::none && holder != answer_tree::root)
            extend(p, &response_profile::data_keys, "data_keys", tree.key(holder), lines);
        if (form.list() != answer_tree::none && !tree.key(form.list()).empty() &&
            std::find(p.data_keys.begin(), p.data_keys.end(), tree.key(form.list())) == p.data_keys.end())
            extend(p, &response_profile::documents_keys, "documents_keys", tree.key(form.list()), lines);
        extend(p, &response_profile::content_keys, "content_keys",
               member_finder(tree, profile, form).content_key(), lines);
    }
    bool const undecided = out.facts.status.empty() && !out.facts.progress && !out.facts.says_finished;
    if (undecided && out.facts.content >= content_kind::unfamiliar && !p.content_without_status_is_final)
        lines.emplace_back("\"content_without_status_is_final\": true");
    out.described = read_body_facts(body, p).content == content_kind::known;
}

} // namespace detail

OCRPIPE_DECL answer_explanation explain_answer(http_response const& answer, response_profile const& profile)
{
    using std::chrono::seconds;
    answer_explanation out;
    out.facts = read_body_facts(answer.body, profile);
    result_history history;
    exchange_result const got(answer);
    for (seconds at{0}; at <= seconds(600); at += seconds(2)) {
        out.last = read_result(got, history, profile, out.facts.request_id, true,
                               clock::time_point(seconds(1000) + at));
        if (out.reads++ == 0) out.first = out.last;
        out.after = at;
        if (out.last.what != result_verdict::pending && out.last.what != result_verdict::retry) break;
    }
    auto const tree = detail::answer_tree::read(answer.body);
    if (!tree || tree->empty()) return out;
    detail::answer_form const form(*tree, profile);
    out.found = detail::member_finder(*tree, profile, form).find();
    out.documents = form.typed_documents();
    out.text = form.text();
    detail::describe_form(answer.body, *tree, form, profile, out);
    return out;
}

} // namespace ocrpipe

#endif
