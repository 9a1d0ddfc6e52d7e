#include "report_page.hpp"

#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/core/sha256.hpp>

#include <fmt/format.h>
#include <openssl/evp.h>

#include <initializer_list>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

/// A source of a content security policy that allows exactly this script or style.
std::string policy_source(std::string_view inline_text)
{
    sha256_digest const digest = sha256(inline_text);
    std::string base64(4 * ((digest.size() + 2) / 3), '\0');
    // It appends a NUL, for which a string has room.
    ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()), digest.data(),
                      static_cast<int>(digest.size()));
    return fmt::format("'sha256-{}'", base64);
}

std::string policy()
{
    using namespace report_parts;
    return fmt::format("default-src 'none'; script-src {} {}; style-src {}; img-src data:; base-uri 'none'; "
                       "form-action 'none'",
                       policy_source(chart), policy_source(script), policy_source(style));
}

/// JSON in which no text can end the script element that contains it. `<` occurs only in strings.
std::string inside_script(std::string_view json)
{
    std::string out;
    out.reserve(json.size());
    for (char const c : json)
        if (c == '<')
            out += "\\u003c";
        else
            out += c;
    return out;
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
