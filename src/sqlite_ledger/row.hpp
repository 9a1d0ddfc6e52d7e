#ifndef OCRPIPE_SRC_SQLITE_LEDGER_ROW_HPP
#define OCRPIPE_SRC_SQLITE_LEDGER_ROW_HPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>

#include "connection.hpp"

#include <boost/json/parse.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::detail
{

/// 64 lower-case hexadecimal digits as 32 bytes; empty for anything else.
inline std::string bytes_of_hex(std::string_view hex)
{
    auto const digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    std::string out;
    if (hex.size() != 64) return out;
    for (std::size_t i = 0; i != hex.size(); i += 2) {
        int const high = digit(hex[i]);
        int const low = digit(hex[i + 1]);
        if (high < 0 || low < 0) return {};
        out += static_cast<char>(high << 4 | low);
    }
    return out;
}

inline std::string hex_of_bytes(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(2 * bytes.size());
    for (char const c : bytes) {
        auto const byte = static_cast<unsigned char>(c);
        (out += digits[byte >> 4]) += digits[byte & 15];
    }
    return out;
}

/// The columns of a row, in the order in which read_row() expects them; `d` is the table document.
inline constexpr std::string_view row_columns =
    "d.number, d.state, d.id, d.path, d.sha256, d.size, d.mtime, "
    "d.flow, d.doc_type, d.file_type, d.parameters, d.attempts, "
    "d.polls, d.possible_duplicate, d.duplicate_of, "
    "d.failure_class, d.message, d.result_file, d.result_offset, "
    "d.result_length, d.completeness, d.ask_again, d.first_seen_at, d.intent_at, "
    "d.sent_at, d.last_pending_at, d.ready_at, "
    "d.request_id, d.file_ids, d.submitted_at, d.finished_at";
inline constexpr int state_column = 1;
inline constexpr int request_column = 27;

/// The same, for a ledger of an earlier version, which does not know these times.
inline std::string row_columns_before_version_3()
{
    constexpr std::string_view since_3 = "d.sent_at, d.last_pending_at, d.ready_at";
    std::string columns(row_columns);
    return columns.replace(columns.find(since_3), since_3.size(), "NULL, NULL, NULL");
}

inline result_location read_location(statement const& s, int from)
{
    return {static_cast<std::uint64_t>(s.integer(from)), static_cast<std::uint64_t>(s.integer(from + 1)),
            static_cast<std::uint64_t>(s.integer(from + 2))};
}

/// Reads a JSON list of strings. Returns false if it is anything else.
inline bool read_list(std::string_view json, std::vector<std::string>& out)
{
    if (json.empty()) return true;
    boost::json::parse_options options;
    options.allow_invalid_utf8 = true;
    error_code ec;
    boost::json::value const list = boost::json::parse(json, ec, {}, options);
    if (ec || !list.is_array()) return false;
    for (boost::json::value const& v : list.get_array()) {
        if (!v.is_string()) return false;
        out.emplace_back(v.get_string().data(), v.get_string().size());
    }
    return true;
}

/// Returns false if the row contains values that this library never writes.
inline bool read_row(statement const& s, ledger_row& r)
{
    std::optional<document_state> const state = document_state_named(s.bytes(state_column));
    if (!state) return false;
    int at = state_column;
    auto const text = [&] { return std::string(s.bytes(++at)); };
    auto const integer = [&] { return s.integer(++at); };
    r.state = *state;
    r.id = text();
    r.path = s.is_null(++at) ? r.id : std::string(s.bytes(at));
    r.sha256 = hex_of_bytes(s.bytes(++at));
    r.size = static_cast<std::uint64_t>(integer());
    r.mtime_ns = integer();
    r.flow = text();
    r.doc_type = text();
    std::string_view const type = s.bytes(++at);
    for (enum file_type const t : {file_type::pdf, file_type::image})
        if (type == wire_word(t)) r.type = t;
    r.parameters = text();
    r.attempts = static_cast<int>(integer());
    r.polls = static_cast<int>(integer());
    r.possible_duplicate = integer() != 0;
    r.duplicate_of = text();
    r.failure_class = text();
    r.message = text();
    bool const has_result = r.state == document_state::done || r.state == document_state::skipped;
    if (has_result && !s.is_null(at + 1)) r.result = read_location(s, at + 1);
    at += 3;
    r.how_complete = completeness_of(s.bytes(++at));
    r.ask_again = integer() != 0;
    r.first_seen_at = integer();
    r.intent_at = integer();
    r.sent_at = integer();
    r.last_pending_at = integer();
    r.ready_at = integer();
    r.request_id = text();
    if (!read_list(s.bytes(++at), r.file_ids)) return false;
    r.submitted_at = integer();
    r.finished_at = integer();
    return true;
}

} // namespace ocrpipe::detail

#endif
