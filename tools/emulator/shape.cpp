#include "emulator/shape.hpp"

#include "emulator/text.hpp"

#include <fmt/format.h>

namespace ocrpipe::emulator
{
namespace
{

bool set_flag(response_shape& s, std::string_view word)
{
    if (word == "enveloped")
        s.submit_enveloped = true;
    else if (word == "top-level")
        s.submit_enveloped = false;
    else if (word == "top-level-result")
        s.result_enveloped = false;
    else if (word == "no-file-ids")
        s.file_ids = false;
    else if (word == "no-status")
        s.status = false;
    else if (word == "no-progress")
        s.progress = false;
    else
        return false;
    return true;
}

bool set_value(response_shape& s, std::string_view key, std::string_view value)
{
    if (value.empty()) return false;
    if (key == "values" && value == "objects")
        s.values = response_shape::value_style::objects;
    else if (key == "values" && value == "strings")
        s.values = response_shape::value_style::strings;
    else if (key == "ids" && value == "text")
        s.ids = response_shape::id_style::text;
    else if (key == "ids" && value == "numbers")
        s.ids = response_shape::id_style::numbers;
    else if (key == "ids" && value == "reserved")
        s.ids = response_shape::id_style::reserved;
    else if (key == "document-id-key")
        s.document_id_key = value;
    else if (key == "pending")
        s.pending_word = value;
    else if (key == "done")
        s.done_word = value;
    else if (auto const code = parse_number(value, 200, 299); key == "submit-status" && code)
        s.submit_status = static_cast<int>(*code);
    else
        return false;
    return true;
}

} // namespace

result<response_shape> parse_shape(std::string_view text)
{
    response_shape s;
    if (text.empty()) return s;
    for (std::string_view const word : split(text, ',')) {
        auto const equals = word.find('=');
        bool const read = equals == std::string_view::npos
                              ? set_flag(s, word)
                              : set_value(s, word.substr(0, equals), word.substr(equals + 1));
        if (!read) return invalid(fmt::format("'{}' is no part of a shape: use {}", word, shape_help()));
    }
    return s;
}

std::string_view shape_help() noexcept
{
    return "enveloped, top-level, top-level-result, no-file-ids, no-status, no-progress, "
           "values=objects|strings, "
           "ids=text|numbers|reserved, document-id-key=NAME, pending=WORD, done=WORD, submit-status=2xx";
}

} // namespace ocrpipe::emulator
