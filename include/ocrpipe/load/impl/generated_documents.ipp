#ifndef OCRPIPE_LOAD_IMPL_GENERATED_DOCUMENTS_IPP
#define OCRPIPE_LOAD_IMPL_GENERATED_DOCUMENTS_IPP

#include <ocrpipe/load/generated_documents.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <numbers>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// The finaliser of splitmix64.
constexpr std::uint64_t mixed(std::uint64_t seed, std::uint64_t number) noexcept
{
    std::uint64_t z = seed * 0x9E3779B97F4A7C15ULL + number + 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

constexpr double unit_of(std::uint64_t h) noexcept { return static_cast<double>(h >> 11) * 0x1.0p-53; }

/// A page of 100 by 100 points with a line of text; `padding` bytes follow the text in its stream.
inline std::string small_pdf(std::string_view text, std::size_t padding)
{
    std::string content = fmt::format("BT /F1 8 Tf 5 50 Td ({}) Tj ET\n%", text);
    content.append(padding, '.');
    content += '\n';
    std::array<std::string, 5> const objects{
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        fmt::format("<</Length {}>>stream\n", content.size()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    };
    std::string out = "%PDF-1.4\n";
    out.reserve(padding + 1024);
    std::string table = "0000000000 65535 f \n";
    for (std::size_t i = 0; i != objects.size(); ++i) {
        fmt::format_to(std::back_inserter(table), "{:010} 00000 n \n", out.size());
        fmt::format_to(std::back_inserter(out), "{} 0 obj{}", i + 1, objects[i]);
        if (i == 3) {
            out += content;
            out += "endstream ";
        }
        out += "endobj\n";
    }
    std::size_t const start = out.size();
    fmt::format_to(std::back_inserter(out),
                   "xref\n0 6\n{}trailer<</Size 6/Root 1 0 R>>\nstartxref\n{}\n%%EOF\n", table, start);
    return out;
}

} // namespace detail

OCRPIPE_DECL std::uint64_t document_generator::size(std::uint64_t number) const
{
    if (sizes_.sigma <= 0) return sizes_.median;
    double const a = 1 - detail::unit_of(detail::mixed(seed_ + 1, 2 * number));
    double const b = detail::unit_of(detail::mixed(seed_ + 1, 2 * number + 1));
    double const normal = std::sqrt(-2 * std::log(a)) * std::cos(2 * std::numbers::pi * b);
    // 64 MiB: what services accept.
    return static_cast<std::uint64_t>(
        std::min(67'000'000.0, static_cast<double>(sizes_.median) * std::exp(sizes_.sigma * normal)));
}

OCRPIPE_DECL std::string document_generator::make(std::uint64_t number) const
{
    std::string const text =
        fmt::format("load test {:016x} document {}", detail::mixed(seed_, number), number);
    std::size_t const wanted = size(number);
    std::size_t const least = detail::small_pdf(text, 0).size();
    if (wanted <= least) return detail::small_pdf(text, 0);
    std::size_t padding = wanted - least;
    // The lengths in the file may have more digits now.
    std::string out = detail::small_pdf(text, padding);
    if (out.size() > wanted) {
        padding -= std::min(padding, out.size() - wanted);
        out = detail::small_pdf(text, padding);
    }
    return out;
}

} // namespace ocrpipe

#endif
