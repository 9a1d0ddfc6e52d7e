#ifndef OCRPIPE_BULK_OUTPUT_IMPL_RESULT_LINE_IPP
#define OCRPIPE_BULK_OUTPUT_IMPL_RESULT_LINE_IPP

#include <ocrpipe/api/json_events.hpp>
#include <ocrpipe/bulk/output/result_line.hpp>
#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/json_text.hpp>

#include <charconv>
#include <cstddef>
#include <utility>

namespace ocrpipe
{
namespace detail
{

inline void append_parts(std::string& out, std::span<part_entry const> parts)
{
    if (parts.empty()) return;
    out += ",\"parts\":";
    char before = '[';
    for (part_entry const& p : parts) {
        append_json_string((out += std::exchange(before, ',')) += "{\"kind\":", name(p.kind));
        append_json_string(out += p.kind == operation::image ? ",\"file_id\":" : ",\"document_id\":",
                           p.sub_id);
        append_json_string(out += p.file.empty() ? ",\"error\":" : ",\"file\":",
                           p.file.empty() ? p.error : p.file);
        out += '}';
    }
    out += ']';
}

/// A valid JSON string contains no raw line break, so these are between tokens.
inline void append_json_in_one_line(std::string& out, std::string_view json)
{
    std::size_t const from = out.size();
    out += json;
    for (char const line_break : {'\n', '\r'})
        for (std::size_t at = out.find(line_break, from); at != out.npos; at = out.find(line_break, at + 1))
            out[at] = ' ';
}

/// Parses the members of "parts".
struct part_entries : no_json_events {
    std::vector<part_entry>& parts;
    std::string last_key = {};

    explicit part_entries(std::vector<part_entry>& into) : parts(into) {}

    bool open(bool is_object)
    {
        if (is_object) parts.emplace_back();
        return true;
    }
    void key(json_string const& s) { last_key = s.raw; }
    void string(json_string const& s)
    {
        if (parts.empty()) return;
        part_entry& p = parts.back();
        if (last_key == "kind") {
            for (operation const o :
                 {operation::table, operation::signature, operation::stamp, operation::image})
                if (s.raw == name(o)) p.kind = o;
        } else if (last_key == "document_id" || last_key == "file_id") {
            p.sub_id = unescaped(s);
        } else if (last_key == "file") {
            p.file = unescaped(s);
        } else if (last_key == "error") {
            p.error = unescaped(s);
        }
    }
};

/// Parses a member that is a string, a number or a boolean.
struct lone_scalar : no_json_events {
    std::string text = {};
    bool is_string = false;

    void string(json_string const& s)
    {
        text = unescaped(s);
        is_string = true;
    }
    void number(std::string_view n) { text = n; }
    void truth(bool t) { text = t ? "true" : "false"; }
    bool open(bool) noexcept { return false; }

    int count() const
    {
        int n = 0;
        std::from_chars(text.data(), text.data() + text.size(), n);
        return n;
    }
    std::optional<std::chrono::system_clock::time_point> time() const
    {
        return is_string ? parse_time(text) : std::nullopt;
    }
};

/// The times in the order of the line, with the text before each.
inline constexpr std::pair<std::string_view, result_times::time result_times::*> times_in_line[] = {
    {",\"sent_at\":", &result_times::sent_at},
    {",\"submitted_at\":", &result_times::submitted_at},
    {",\"last_pending_at\":", &result_times::last_pending_at},
    {",\"ready_at\":", &result_times::ready_at},
    {",\"finished_at\":", &result_times::finished_at},
};

/// Parses a name written by append_json_name(): if it is not plain text, its exact bytes follow in a second
/// member.
inline void read_name(std::string& to, std::string_view key, std::string_view of, lone_scalar const& value)
{
    if (key == of) {
        to = value.text;
    } else if (key.size() == of.size() + 6 && key.starts_with(of) && key.ends_with("_bytes")) {
        if (std::optional<std::string> bytes = percent_decoded(value.text)) to = std::move(*bytes);
    }
}

inline void read_member(result_line& line, std::string_view key, lone_scalar const& value)
{
    read_name(line.id, key, "id", value);
    read_name(line.path, key, "path", value);
    read_name(line.duplicate_of, key, "duplicate_of", value);
    read_name(line.text, key, "text", value);
    read_name(line.answer, key, "answer", value);
    if (key == "sha256") line.sha256 = value.text;
    if (key == "request_id") line.request_id = value.text;
    if (key == "status") line.status = value.text;
    for (auto const& [member, time] : times_in_line)
        if (key.size() + 4 == member.size() && member.substr(2, key.size()) == key)
            line.times.*time = value.time();
    if (key == "attempts") line.attempts = value.count();
    if (key == "polls") line.polls = value.count();
    if (key == "possible_duplicate") line.possible_duplicate = value.text == "true";
    if (key == "recognized") line.recognized = value.text != "false";
    if (key == "file_changed") line.file_changed = value.text == "true";
}

/// Returns the text before the closing brace of the line.
inline std::string_view up_to_last_brace(std::string_view rest)
{
    std::size_t const brace = rest.find_last_of('}');
    return brace == std::string_view::npos ? std::string_view() : rest.substr(0, brace);
}

} // namespace detail

OCRPIPE_DECL bool is_missing(part_entry const& p) noexcept
{
    return p.file.empty() && p.error != name(errc::part_absent);
}

OCRPIPE_DECL void append_result_line(std::string& out, result_record const& r)
{
    detail::append_json_name(out += '{', "id", r.id);
    detail::append_json_name(out += ',', "path", r.path);
    detail::append_json_string(out += ",\"sha256\":", r.sha256);
    detail::append_json_string(out += ",\"request_id\":", r.request_id);
    if (!r.duplicate_of.empty()) detail::append_json_name(out += ',', "duplicate_of", r.duplicate_of);
    detail::append_json_string(out += ",\"status\":", r.status);
    for (auto const& [member, time] : detail::times_in_line)
        detail::append_json_time(out += member, r.times.*time);
    (out += ",\"attempts\":") += std::to_string(r.attempts);
    (out += ",\"polls\":") += std::to_string(r.polls);
    (out += ",\"possible_duplicate\":") += r.possible_duplicate ? "true" : "false";
    if (!r.recognized) out += ",\"recognized\":false";
    detail::append_parts(out, r.parts);
    if (!r.text.empty()) detail::append_json_name(out += ',', "text", r.text);
    if (!r.answer.empty()) detail::append_json_name(out += ',', "answer", r.answer);
    if (r.file_changed) out += ",\"file_changed\":true";
    out += ",\"result\":";
    constexpr std::string_view end = "}\n";
    // Otherwise, the end of a long line might double its memory.
    out.reserve(out.size() + r.result_json.size() + std::string_view("null").size() + end.size());
    detail::append_json_in_one_line(out, r.result_json.empty() ? "null" : r.result_json);
    out += end;
}

OCRPIPE_DECL result_record result_line::record() const
{
    result_record r;
    r.id = id;
    r.path = path;
    r.sha256 = sha256;
    r.request_id = request_id;
    r.duplicate_of = duplicate_of;
    r.status = status;
    r.times = times;
    r.attempts = attempts;
    r.polls = polls;
    r.possible_duplicate = possible_duplicate;
    r.recognized = recognized;
    r.parts = parts;
    r.text = text;
    r.answer = answer;
    r.file_changed = file_changed;
    r.result_json = result_json;
    return r;
}

OCRPIPE_DECL std::optional<result_line> read_result_line(std::string_view line)
{
    using namespace detail;
    char const* const end = line.data() + line.size();
    json_notes notes;
    json_scanner const text(end, notes);
    char const* p = text.space(line.data());
    if (!text.is('{', p)) return std::nullopt;
    std::optional<result_line> out(std::in_place);
    bool has_id = false;
    do {
        json_string key;
        p = text.space(p + 1);
        if (!text.is('"', p) || (p = text.string(p + 1, key)) == nullptr) return std::nullopt;
        if (!text.is(':', p = text.space(p))) return std::nullopt;
        p = text.space(p + 1);
        if (text.at_end(p)) return std::nullopt;
        if (key.raw == "result") {
            no_json_events nobody;
            char const* const after = read_json_value(p, text, nobody, max_json_depth);
            // Our lines put this member last, so if it does not parse, the rest of the line is used as is.
            out->result_json = after ? std::string_view(p, static_cast<std::size_t>(after - p))
                                     : up_to_last_brace({p, static_cast<std::size_t>(end - p)});
            out->result_is_json = after != nullptr && !notes.lenient;
            p = after ? after : p + out->result_json.size();
        } else if (key.raw == "parts") {
            part_entries parts(out->parts);
            if ((p = read_json_value(p, text, parts, max_json_depth)) == nullptr) return std::nullopt;
        } else {
            lone_scalar value;
            if ((p = read_json_value(p, text, value, max_json_depth)) == nullptr) return std::nullopt;
            read_member(*out, key.raw, value);
            has_id = has_id || (key.raw == "id" && value.is_string);
        }
        p = text.space(p);
    } while (text.is(',', p));
    if (!has_id || !text.is('}', p) || !text.at_end(text.space(p + 1))) return std::nullopt;
    return out;
}

} // namespace ocrpipe

#endif
