#include "report_page.hpp"

#include <ocrpipe/core/atomic_file.hpp>

#include <fmt/format.h>
#include <openssl/evp.h>

#include <cstddef>
#include <initializer_list>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

/// A source of a content security policy that allows exactly the script or style with this hash.
std::string policy_source(std::string_view sha256_hex)
{
    auto const digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string digest;
    for (std::size_t i = 0; i + 1 < sha256_hex.size(); i += 2)
        digest += static_cast<char>(digit(sha256_hex[i]) * 16 + digit(sha256_hex[i + 1]));
    std::string base64(4 * ((digest.size() + 2) / 3), '\0');
    // It appends a NUL, for which a string has room.
    ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                      reinterpret_cast<unsigned char const*>(digest.data()), static_cast<int>(digest.size()));
    return fmt::format("'sha256-{}'", base64);
}

std::string policy()
{
    using namespace report_parts;
    return fmt::format("default-src 'none'; script-src {} {}; style-src {}; img-src data:; base-uri 'none'; "
                       "form-action 'none'",
                       policy_source(chart_sha256), policy_source(script_sha256),
                       policy_source(style_sha256));
}

/// JSON in which no text can end the script element that contains it. `<` occurs only in strings.
std::string inside_script(std::string_view json)
{
    std::string out;
    out.reserve(json.size() + json.size() / 16);
    for (std::size_t at; (at = json.find('<')) != json.npos; json.remove_prefix(at + 1)) {
        out += json.substr(0, at);
        out += "\\u003c";
    }
    return out += json;
}

/// Replaces each {{name}} of the page by its text. The texts are not searched again.
std::string filled(std::string_view page,
                   std::initializer_list<std::pair<std::string_view, std::string_view>> texts)
{
    std::string out;
    for (auto const& [name, text] : texts) {
        std::string const mark = fmt::format("{{{{{}}}}}", name);
        std::size_t const at = page.find(mark);
        out += page.substr(0, at);
        if (at == page.npos) return out;
        out += text;
        page.remove_prefix(at + mark.size());
    }
    out += page;
    return out;
}

} // namespace

std::string report_page(std::string_view report_json)
{
    static std::string const allowed = policy();
    std::string const json = inside_script(report_json);
    using namespace report_parts;
    // In the order of the page.
    return filled(page, {{"policy", allowed},
                         {"style", style},
                         {"licence", licence},
                         {"report", json},
                         {"chart", chart},
                         {"script", script}});
}

error_code write_report_page(std::string const& folder, std::string_view report_json)
{
    return detail::write_file_atomically(folder, "report.html", report_page(report_json),
                                         detail::durability::process);
}

} // namespace ocrpipe::cli
