#ifndef OCRPIPE_API_IMPL_ANSWER_IDS_IPP
#define OCRPIPE_API_IMPL_ANSWER_IDS_IPP

// The ids that the answer to a submit gives.

#include <ocrpipe/api/impl/answer_form.hpp>

#include <algorithm>

namespace ocrpipe
{
namespace detail
{

/// The nearest below `from` that `wanted` is true for; lists are looked into, errors are not, and notes about
/// the request only when asked.
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
    // What stands in the data is the job's; what stands at the top, or in notes about the request, may be the
    // request's own.
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
        // The id of the answer itself, or of an object that is called after what was asked for.
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

/// Begins right behind the name of an id: `": "abc"`, `=abc&`, `></td><td>abc<`. Empty unless the id's end is
/// there; `whole` says that the text's end is one.
inline std::string_view id_behind(std::string_view text, bool whole)
{
    bool named = false; // something stands between the name and the id that says that they belong together
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
    // A page or a damaged answer that speaks of an error shows the request's own id.
    for (char const* sign : {"\"error\"", "\"success\":false", "\"success\": false", "<title>4", "<title>5",
                             "Bad Gateway", "Internal Server Error", "Forbidden", "Unauthorized", "Bad Request"})
        if (contains_letters(body, sign)) return {};
    auto const is_letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    auto const matches = [](std::string_view text, std::string_view key) -> std::size_t {
        // "requestId" and "request-id" are "request_id", too.
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
            std::string_view const id = id_behind(body.substr(at + length), whole);
            if (!id.empty()) return std::string(id);
        }
    return {};
}

} // namespace detail
} // namespace ocrpipe

#endif
