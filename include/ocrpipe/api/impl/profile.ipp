#ifndef OCRPIPE_API_IMPL_PROFILE_IPP
#define OCRPIPE_API_IMPL_PROFILE_IPP

#include <ocrpipe/api/profile.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace ocrpipe
{
namespace detail
{

/// In bytes. Longer keys are most likely a mistake.
inline constexpr std::size_t max_profile_key = 64;

struct profile_list {
    std::string_view name;
    response_profile::words response_profile::*list;
    enum { words, keys } kind;
};

inline constexpr std::array profile_lists{
    profile_list{"success_words", &response_profile::success_words, profile_list::words},
    profile_list{"partial_words", &response_profile::partial_words, profile_list::words},
    profile_list{"pending_words", &response_profile::pending_words, profile_list::words},
    profile_list{"failure_words", &response_profile::failure_words, profile_list::words},
    profile_list{"throttle_texts", &response_profile::throttle_texts, profile_list::words},
    profile_list{"gateway_texts", &response_profile::gateway_texts, profile_list::words},
    profile_list{"data_keys", &response_profile::data_keys, profile_list::keys},
    profile_list{"request_id_keys", &response_profile::request_id_keys, profile_list::keys},
    profile_list{"file_ids_keys", &response_profile::file_ids_keys, profile_list::keys},
    profile_list{"status_keys", &response_profile::status_keys, profile_list::keys},
    profile_list{"progress_keys", &response_profile::progress_keys, profile_list::keys},
    profile_list{"total_keys", &response_profile::total_keys, profile_list::keys},
    profile_list{"ignored_keys", &response_profile::ignored_keys, profile_list::keys},
    profile_list{"finished_keys", &response_profile::finished_keys, profile_list::keys},
    profile_list{"documents_keys", &response_profile::documents_keys, profile_list::keys},
    profile_list{"document_id_keys", &response_profile::document_id_keys, profile_list::keys},
    profile_list{"document_type_keys", &response_profile::document_type_keys, profile_list::keys},
    profile_list{"classification_keys", &response_profile::classification_keys, profile_list::keys},
    profile_list{"content_keys", &response_profile::content_keys, profile_list::keys},
    profile_list{"name_keys", &response_profile::name_keys, profile_list::keys},
    profile_list{"values_keys", &response_profile::values_keys, profile_list::keys},
    profile_list{"text_keys", &response_profile::text_keys, profile_list::keys},
    profile_list{"probability_keys", &response_profile::probability_keys, profile_list::keys},
    profile_list{"coordinates_keys", &response_profile::coordinates_keys, profile_list::keys},
    profile_list{"schema_keys", &response_profile::schema_keys, profile_list::keys},
    profile_list{"table_keys", &response_profile::table_keys, profile_list::keys},
    profile_list{"error_keys", &response_profile::error_keys, profile_list::keys},
    profile_list{"code_keys", &response_profile::code_keys, profile_list::keys},
};

struct profile_time {
    std::string_view name;
    std::chrono::milliseconds response_profile::*time;
};
inline constexpr std::array profile_times{
    profile_time{"settle_seconds", &response_profile::settle_time},
    profile_time{"lost_seconds", &response_profile::lost_time},
};

struct profile_count {
    std::string_view name;
    int response_profile::*count;
};
inline constexpr std::array profile_counts{
    profile_count{"settle_reads", &response_profile::settle_reads},
    profile_count{"lost_reads", &response_profile::lost_reads},
};

inline constexpr std::string_view profile_flag = "content_without_status_is_final";
inline constexpr std::string_view profile_fields = "extra_fields";

template<class Table>
auto const* find_member(Table const& table, std::string_view name)
{
    auto const at =
        std::find_if(table.begin(), table.end(), [name](auto const& row) { return row.name == name; });
    return at == table.end() ? nullptr : &*at;
}

inline std::string profile_members()
{
    std::vector<std::string_view> names;
    for (auto const& row : profile_lists)
        names.push_back(row.name);
    for (auto const& row : profile_times)
        names.push_back(row.name);
    for (auto const& row : profile_counts)
        names.push_back(row.name);
    names.push_back(profile_flag);
    names.push_back(profile_fields);
    return fmt::format("{}", fmt::join(names, ", "));
}

/// Sets one member; returns the problem, or an empty string on success.
inline std::string set_profile_member(response_profile& p, std::string_view name, boost::json::value const& v)
{
    if (auto const* row = find_member(profile_lists, name)) {
        auto const* a = v.if_array();
        if (!a) return "must be an array of strings";
        response_profile::words list;
        for (auto const& element : *a) {
            if (!element.is_string()) return "must be an array of strings";
            list.emplace_back(element.get_string());
        }
        p.*row->list = std::move(list);
        return {};
    }
    if (auto const* row = find_member(profile_times, name)) {
        boost::system::error_code ec;
        double const seconds = v.is_number() ? v.to_number<double>(ec) : -1;
        if (ec || !(seconds >= 0 && seconds <= 3600)) return "must be a number of seconds from 0 to 3600";
        p.*row->time = std::chrono::milliseconds(std::llround(seconds * 1000));
        return {};
    }
    if (auto const* row = find_member(profile_counts, name)) {
        if (!v.is_int64() || v.get_int64() < 1 || v.get_int64() > 1000)
            return "must be a whole number from 1 to 1000";
        p.*row->count = static_cast<int>(v.get_int64());
        return {};
    }
    if (name == profile_flag) {
        if (!v.is_bool()) return "must be true or false";
        p.content_without_status_is_final = v.get_bool();
        return {};
    }
    if (name == profile_fields) {
        auto const* o = v.if_object();
        if (!o) return "must be an object of strings, such as {\"model\": \"idp\"}";
        p.extra_fields.clear();
        for (auto const& field : *o) {
            if (!field.value().is_string())
                return "must be an object of strings, such as {\"model\": \"idp\"}";
            p.extra_fields.emplace_back(field.key(), field.value().get_string());
        }
        return {};
    }
    return "is not a member of a profile: known are " + profile_members();
}

inline failure profile_failure(std::string reason)
{
    return failure(errc::invalid_argument, phase::prepare, "profile: " + std::move(reason));
}

} // namespace detail

OCRPIPE_DECL response_profile const& default_profile()
{
    static response_profile const instance;
    return instance;
}

OCRPIPE_DECL result<response_profile> parse_profile(std::string_view json)
{
    boost::system::error_code ec;
    boost::json::value const root = boost::json::parse({json.data(), json.size()}, ec);
    if (ec) return detail::profile_failure("not valid JSON (" + ec.message() + ")");
    auto const* members = root.if_object();
    if (!members) return detail::profile_failure("must be a JSON object");
    response_profile profile;
    for (auto const& member : *members) {
        std::string_view const name(member.key().data(), member.key().size());
        std::string const wrong = detail::set_profile_member(profile, name, member.value());
        if (!wrong.empty()) return detail::profile_failure(printable_excerpt(name, 64) + " " + wrong);
    }
    std::vector<std::string> const found = problems(profile);
    if (!found.empty()) return detail::profile_failure(fmt::format("{}", fmt::join(found, "; ")));
    return profile;
}

OCRPIPE_DECL std::string to_json(response_profile const& p)
{
    namespace json = boost::json;
    std::string out = "{";
    auto const add = [&out](std::string_view name, json::value const& v) {
        out += fmt::format("{}\n  \"{}\": {}", out.size() == 1 ? "" : ",", name, json::serialize(v));
    };
    auto const seconds = [](std::chrono::milliseconds t) -> json::value {
        if (t.count() % 1000 == 0) return t.count() / 1000;
        return static_cast<double>(t.count()) / 1000;
    };
    for (auto const& row : detail::profile_lists)
        add(row.name, json::array((p.*row.list).begin(), (p.*row.list).end()));
    for (auto const& row : detail::profile_times)
        add(row.name, seconds(p.*row.time));
    for (auto const& row : detail::profile_counts)
        add(row.name, p.*row.count);
    add(detail::profile_flag, p.content_without_status_is_final);
    json::object fields;
    for (auto const& [name, value] : p.extra_fields)
        fields.emplace(name, value);
    add(detail::profile_fields, fields);
    return out + "\n}\n";
}

OCRPIPE_DECL std::vector<std::string> problems(response_profile const& profile)
{
    std::vector<std::string> found;
    for (auto const& row : detail::profile_lists) {
        bool const is_key = row.kind == detail::profile_list::keys;
        for (std::string const& entry : profile.*row.list) {
            std::string const shown = printable_excerpt(entry, 64);
            if (entry.empty() || entry == "*")
                found.push_back(fmt::format("{}: an entry is empty: it would match everything", row.name));
            else if (is_key && entry.size() > detail::max_profile_key)
                found.push_back(fmt::format("{}: {} is too long: at most {} bytes", row.name, shown,
                                            detail::max_profile_key));
            else if (!is_key && entry.find('*') < entry.size() - 1)
                found.push_back(
                    fmt::format("{}: {} has a * inside: only one at its end has a meaning", row.name, shown));
        }
    }
    if (profile.request_id_keys.empty())
        found.emplace_back("request_id_keys: empty: no submit could ever be accepted");
    if (profile.documents_keys.empty() || profile.content_keys.empty())
        found.emplace_back("documents_keys, content_keys: empty: no result could ever be found");
    auto const hour = std::chrono::milliseconds(3'600'000);
    auto const time = [&](std::chrono::milliseconds t, std::string_view name) {
        if (t.count() < 0 || t > hour)
            found.push_back(fmt::format("{}: {} ms is out of range: 0 to 1 h", name, t.count()));
    };
    auto const reads = [&](int n, std::string_view name) {
        if (n < 1 || n > 1000) found.push_back(fmt::format("{}: {} is out of range: 1 to 1000", name, n));
    };
    time(profile.settle_time, "settle_time");
    time(profile.lost_time, "lost_time");
    reads(profile.settle_reads, "settle_reads");
    reads(profile.lost_reads, "lost_reads");
    for (auto const& [name, value] : profile.extra_fields) {
        if (name.empty()) found.emplace_back("extra_fields: a field has no name: name it");
        if (name == "flow" || name == "doc_type" || name == "file_type" || name == "file")
            found.push_back(fmt::format("extra_fields: {} is set per document: leave it out here", name));
    }
    return found;
}

} // namespace ocrpipe

#endif
