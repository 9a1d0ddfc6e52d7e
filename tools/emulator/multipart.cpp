#include "emulator/multipart.hpp"

#include <ocrpipe/core/words.hpp>

#include "emulator/text.hpp"

#include <fmt/format.h>

namespace ocrpipe::emulator
{
namespace
{

using detail::same_letters;
using detail::trim;

/// Removes the next `; name=value` from a header value. The value is unquoted; false at the end or at what is
/// no parameter.
bool next_parameter(std::string_view& rest, std::string& name, std::string& value)
{
    rest = trim(rest);
    if (rest.empty() || rest.front() != ';') return false;
    rest.remove_prefix(1);
    auto const equals = rest.find('=');
    if (equals == std::string_view::npos) return false;
    name = trim(rest.substr(0, equals));
    rest = trim(rest.substr(equals + 1));
    value.clear();
    if (rest.empty() || rest.front() != '"') {
        auto const end = rest.find(';');
        value = trim(rest.substr(0, end));
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end);
        return true;
    }
    rest.remove_prefix(1);
    while (!rest.empty() && rest.front() != '"') {
        if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
        value += rest.front();
        rest.remove_prefix(1);
    }
    if (rest.empty()) return false; // no closing quote
    rest.remove_prefix(1);
    return true;
}

/// The three escapes of the HTML standard; other percent signs are part of the name.
std::string browser_unescaped(std::string_view s)
{
    std::string out;
    while (!s.empty()) {
        std::string_view const three = s.substr(0, 3);
        char const plain = three == "%22" ? '"' : three == "%0D" ? '\r' : three == "%0A" ? '\n' : '\0';
        out += plain != '\0' ? plain : s.front();
        s.remove_prefix(plain != '\0' ? 3 : 1);
    }
    return out;
}

result<std::string> boundary_of(std::string_view content_type)
{
    auto const semicolon = content_type.find(';');
    if (!same_letters(trim(content_type.substr(0, semicolon)), "multipart/form-data"))
        return invalid("content type is not multipart/form-data");
    std::string_view rest = semicolon == std::string_view::npos ? "" : content_type.substr(semicolon);
    std::string name;
    std::string value;
    while (next_parameter(rest, name, value))
        if (same_letters(name, "boundary") && !value.empty() && value.size() <= 70) return value;
    return invalid("content type has no boundary of 1 to 70 characters");
}

/// Reads Content-Disposition into the part; false when it is not form-data with a name.
bool read_disposition(std::string_view value, form_part& part)
{
    auto const semicolon = value.find(';');
    if (!same_letters(trim(value.substr(0, semicolon)), "form-data")) return false;
    std::string_view rest = semicolon == std::string_view::npos ? "" : value.substr(semicolon);
    std::string name;
    std::string text;
    bool named = false;
    bool extended = false;
    while (next_parameter(rest, name, text)) {
        if (same_letters(name, "name")) {
            part.name = browser_unescaped(text);
            named = true;
        } else if (same_letters(name, "filename*") && same_letters(text.substr(0, 7), "utf-8''")) {
            part.file_name = percent_decode(std::string_view(text).substr(7));
            extended = true;
        } else if (same_letters(name, "filename") && !extended) {
            part.file_name = browser_unescaped(text);
        }
    }
    return named && trim(rest).empty();
}

result<form_part> read_part(std::string_view text)
{
    form_part part;
    bool disposed = false;
    for (;;) {
        auto const end = text.find("\r\n");
        if (end == std::string_view::npos) return invalid("a part's header does not end");
        std::string_view const line = text.substr(0, end);
        text.remove_prefix(end + 2);
        if (line.empty()) break;
        auto const colon = line.find(':');
        if (colon == std::string_view::npos) return invalid("a part has a header line without a colon");
        std::string_view const value = trim(line.substr(colon + 1));
        if (same_letters(line.substr(0, colon), "content-disposition"))
            disposed = read_disposition(value, part);
        if (same_letters(line.substr(0, colon), "content-type")) part.content_type = value;
    }
    if (!disposed) return invalid("a part has no Content-Disposition of form-data with a name");
    part.content = text;
    return part;
}

} // namespace

result<std::vector<form_part>> parse_form(std::string_view content_type, std::string_view body)
{
    auto const boundary = boundary_of(content_type);
    if (!boundary) return boundary.error();
    std::string const delimiter = "\r\n--" + *boundary;
    std::vector<form_part> parts;
    // The first delimiter has no line end before it unless there is a preamble.
    std::size_t at = 0;
    if (body.starts_with(std::string_view(delimiter).substr(2))) {
        at = delimiter.size() - 2;
    } else {
        at = body.find(delimiter);
        if (at == std::string_view::npos) return invalid("the body does not contain its boundary");
        at += delimiter.size();
    }
    for (;;) {
        std::string_view rest = body.substr(at);
        if (rest.starts_with("--")) return parts;
        while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t'))
            rest.remove_prefix(1);
        if (!rest.starts_with("\r\n")) return invalid("a boundary is not followed by a line end");
        rest.remove_prefix(2);
        std::size_t const end = rest.find(delimiter);
        if (end == std::string_view::npos) return invalid("the last boundary is missing");
        auto part = read_part(rest.substr(0, end));
        if (!part) return part.error();
        parts.push_back(std::move(*part));
        at = body.size() - rest.size() + end + delimiter.size();
    }
}

} // namespace ocrpipe::emulator
