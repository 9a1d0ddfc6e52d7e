#ifndef OCRPIPE_API_IMPL_ANSWER_IDS_IPP
#define OCRPIPE_API_IMPL_ANSWER_IDS_IPP

// How answer_form finds the ids in the answer to a submit.

#include <ocrpipe/api/impl/answer_form.hpp>

#include <algorithm>

namespace ocrpipe
{
namespace detail
{

/// The node nearest to `from`, at or below it, for which `wanted` returns true. Searches arrays too, but not
/// errors and notices. `notes`: also searches notes about the request.
template<class Wanted>
answer_form::index answer_form::nearest(index from, Wanted wanted, bool notes) const
{
    std::vector<index> all{from};
    for (std::size_t i = 0; i != all.size(); ++i) {
        if (wanted(all[i])) return all[i];
        key_kind const k = tree_.kind(all[i]);
        bool const closed =
            k == key_kind::error || k == key_kind::notice || (k == key_kind::doubtful && !notes);
        if (tree_.is_container(all[i]) && (i == 0 || !closed))
            tree_.for_each_child(all[i], [&](index c) { all.push_back(c); });
    }
    return answer_tree::none;
}

OCRPIPE_DECL void answer_form::complete_submit(body_facts& facts) const
{
    if (tree_.empty()) return;
    if (is_error() && facts.error_status == 0) facts.error_status = error_status_;
    bool const error = is_error() || status_ != answer_tree::none
                           ? is_error() || job_status_at(status_) == job_status::failure
                           : false;
    auto const is_id = [this](index i) {
        answer_tree::type const t = tree_.type_of(i);
        if (t != answer_tree::type::string && t != answer_tree::type::number) return false;
        std::string const text = tree_.text(i);
        return !is_blank(text) && may_be_id(text);
    };
    auto const is_named = [&](index i) { return is_id(i) && is_key(i, profile_.request_id_keys); };
    auto const is_likely = [&](index i) { return is_id(i) && tree_.kind(i) == key_kind::request_id; };
    // An id in the data is the job's. An id at the top level, or in notes about the request, may be that of
    // the HTTP request.
    std::vector<index> roots;
    for (step const& s : steps_)
        tree_.for_each_child(s.object, [&](index c) {
            bool const data = is_key(c, profile_.data_keys) || tree_.kind(c) == key_kind::documents ||
                              is_called(c, std::to_array<std::string_view>({"job", "task", "request"}));
            if (tree_.is_container(c) && data) roots.push_back(c);
        });
    index found = answer_tree::none;
    auto const look = [&](index from, auto const& wanted, bool notes) {
        if (found == answer_tree::none) found = nearest(from, wanted, notes);
    };
    for (index const data : roots)
        look(data, is_named, false);
    facts.request_id_in_data |= found != answer_tree::none;
    if (!error) {
        for (index const data : roots)
            look(data, is_likely, false);
        look(answer_tree::root, is_named, false);
        look(answer_tree::root, is_likely, false);
        look(answer_tree::root, is_named, true);
        // Last, a plain "id" of the data or of the answer itself.
        for (index const data : roots)
            if (index const id = tree_.is_object(data) ? tree_.member(data, "id") : answer_tree::none;
                found == answer_tree::none && id != answer_tree::none && is_id(id))
                found = id;
        index const id =
            tree_.is_object(answer_tree::root) ? tree_.member(answer_tree::root, "id") : answer_tree::none;
        if (found == answer_tree::none && id != answer_tree::none && is_id(id)) found = id;
    }
    facts.request_id = found != answer_tree::none ? tree_.text(found) : std::string();
    index const files = nearest(
        answer_tree::root,
        [this](index i) {
            return tree_.is_array(i) &&
                   (is_key(i, profile_.file_ids_keys) || split_key(tree_.key(i)).joined == "fileids");
        },
        true);
    if (facts.file_ids.empty() && files != answer_tree::none)
        tree_.for_each_child(files, [&](index c) {
            if (is_id(c)) facts.file_ids.push_back(tree_.text(c));
        });
}

/// The id in a text that begins right after the id's name, such as `": "abc"`, `=abc&` or `></td><td>abc<`.
/// Empty if the end of the id is missing. `whole`: the end of the text is also the end of an id.
inline std::string_view id_after_name(std::string_view text, bool whole)
{
    bool named = false; // the characters so far connect the name with a value
    bool quoted = false;
    for (std::size_t steps = 0; !text.empty() && steps != 32; ++steps) {
        char const c = text.front();
        if (text.starts_with("&quot;")) {
            text.remove_prefix(6);
        } else if (c == '<') {
            std::size_t const end = text.find('>');
            if (end == text.npos) return {};
            text.remove_prefix(end + 1);
            named = true;
        } else if (c == ':' || c == '=' || c == '>') {
            text.remove_prefix(1);
            named = true;
        } else if (std::string_view("\"' \t\r\n\\").find(c) != std::string_view::npos) {
            quoted = named && (c == '"' || c == '\'');
            text.remove_prefix(1);
        } else {
            break;
        }
    }
    std::size_t end = text.find_first_of("\"' \t\r\n,;&<>{}[]()\\");
    if (end == text.npos && whole && !quoted) end = text.size();
    if (!named || end == text.npos) return {};
    std::string_view const id = text.substr(0, end);
    bool const plain = std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7F; });
    return plain && may_be_id(id) ? id : std::string_view();
}

OCRPIPE_DECL std::string visible_request_id(std::string_view body, response_profile const& profile,
                                            bool whole)
{
    // The id in an error page, or in a damaged error, is that of the HTTP request.
    for (char const* sign :
         {"\"error\"", "\"success\":false", "\"success\": false", "<title>4", "<title>5", "Bad Gateway",
          "Internal Server Error", "Forbidden", "Unauthorized", "Bad Request"})
        if (contains_letters(body, sign)) return {};
    auto const is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    auto const matches = [](std::string_view text, std::string_view key) -> std::size_t {
        // "requestId" and "request-id" match "request_id".
        std::size_t i = 0;
        for (char const k : key) {
            if (k == '_') {
                if (i != text.size() && (text[i] == '_' || text[i] == '-' || text[i] == ' ')) ++i;
            } else if (i == text.size() || lower(text[i]) != lower(k)) {
                return 0;
            } else {
                ++i;
            }
        }
        return i;
    };
    for (std::string const& key : profile.request_id_keys)
        for (std::size_t at = 0; at != body.size(); ++at) {
            if (at != 0 && is_letter(body[at - 1])) continue;
            std::size_t const length = matches(body.substr(at), key);
            if (length == 0 || (at + length != body.size() && is_letter(body[at + length]))) continue;
            std::string_view const id = id_after_name(body.substr(at + length), whole);
            if (!id.empty()) return std::string(id);
        }
    return {};
}

} // namespace detail
} // namespace ocrpipe

#endif
