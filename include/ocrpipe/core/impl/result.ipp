#ifndef OCRPIPE_CORE_IMPL_RESULT_IPP
#define OCRPIPE_CORE_IMPL_RESULT_IPP

#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/utf8.hpp>

#include <boost/throw_exception.hpp>

#include <fmt/format.h>

#include <array>

namespace ocrpipe
{

OCRPIPE_DECL std::string_view name(phase p) noexcept
{
    static constexpr std::array<std::string_view, 12> names{"none",       "prepare", "pace",     "acquire",
                                                            "resolve",    "connect", "tls",      "write",
                                                            "first_byte", "body",    "classify", "wait"};
    auto const i = static_cast<std::size_t>(p);
    return i < names.size() ? names[i] : "unknown";
}

OCRPIPE_DECL std::string to_string(failure const& f)
{
    std::string out = f.code.message();
    if (!f.reason.empty()) out += ": " + f.reason;
    std::string facts;
    auto const add = [&facts](std::string const& fact) { facts += (facts.empty() ? "" : ", ") + fact; };
    if (f.where != phase::none) add(fmt::format("phase {}", name(f.where)));
    if (f.http_status != 0) add(fmt::format("HTTP {}", f.http_status));
    if (f.attempts != 0) add(fmt::format("attempts {}", f.attempts));
    if (!f.request_id.empty()) add(fmt::format("request_id {}", printable_excerpt(f.request_id, 128)));
    if (f.cause.failed()) add(fmt::format("cause: {}", f.cause.message()));
    if (!facts.empty()) out += " (" + facts + ")";
    if (!f.excerpt.empty()) out += fmt::format("; the answer began: {}", f.excerpt);
    return out;
}

OCRPIPE_DECL std::string printable_excerpt(std::string_view body, std::size_t limit)
{
    std::string out;
    while (!body.empty() && out.size() < limit) {
        std::size_t const n = detail::utf8_sequence_length(body);
        auto const c = static_cast<unsigned char>(body.front());
        if (n != 0 && detail::is_unseen(body.substr(0, n))) {
            out += '?';
            body.remove_prefix(n);
            continue;
        }
        if (n == 0 || (n == 1 && (c < 0x20 || c == 0x7F))) {
            bool const space = c == '\n' || c == '\r' || c == '\t';
            out += space ? ' ' : '?';
            body.remove_prefix(1);
            continue;
        }
        if (out.size() + n > limit) break;
        out.append(body.substr(0, n));
        body.remove_prefix(n);
    }
    return out;
}

OCRPIPE_DECL void throw_exception_from_error(failure const& f, boost::source_location const& where)
{
    boost::throw_exception(error(f), where);
}

} // namespace ocrpipe

#endif
