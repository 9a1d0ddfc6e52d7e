#ifndef OCRPIPE_CORE_IMPL_TRACE_CONTEXT_IPP
#define OCRPIPE_CORE_IMPL_TRACE_CONTEXT_IPP

#include <ocrpipe/core/trace_context.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Removes `2 * Bytes` lower-case hexadecimal digits from the front of `text`.
template<int Bytes>
std::optional<std::uint64_t> take_hex(std::string_view& text)
{
    std::uint64_t value = 0;
    if (text.size() < 2 * Bytes) return std::nullopt;
    for (char const c : text.substr(0, 2 * Bytes)) {
        bool const is_digit = c >= '0' && c <= '9';
        if (!is_digit && (c < 'a' || c > 'f')) return std::nullopt;
        value = value << 4 | static_cast<std::uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
    }
    text.remove_prefix(2 * Bytes);
    return value;
}

inline bool take_dash(std::string_view& text)
{
    if (!text.starts_with('-')) return false;
    text.remove_prefix(1);
    return true;
}

} // namespace detail

OCRPIPE_DECL std::optional<trace_context> trace_context::parse(std::string_view traceparent,
                                                               std::string_view tracestate)
{
    constexpr std::uint64_t no_version = 0xff;
    constexpr std::uint64_t sampled_flag = 1;
    std::string_view rest = traceparent;
    trace_context c;
    auto const version = detail::take_hex<1>(rest);
    if (!version || *version == no_version || !detail::take_dash(rest)) return std::nullopt;
    auto const high = detail::take_hex<8>(rest);
    auto const low = detail::take_hex<8>(rest);
    if (!high || !low || (*high | *low) == 0 || !detail::take_dash(rest)) return std::nullopt;
    auto const span = detail::take_hex<8>(rest);
    if (!span || *span == 0 || !detail::take_dash(rest)) return std::nullopt;
    auto const flags = detail::take_hex<1>(rest);
    // A later version may have more members, which only it knows.
    bool const is_all = rest.empty() || (*version != 0 && rest.front() == '-');
    if (!flags || !is_all) return std::nullopt;
    c.trace_high_ = *high;
    c.trace_low_ = *low;
    c.span_ = *span;
    c.sampled_ = (*flags & sampled_flag) != 0;
    constexpr std::size_t longest_state = 512;
    bool const is_clean = std::all_of(tracestate.begin(), tracestate.end(),
                                      [](char ch) { return ch == '\t' || (ch >= ' ' && ch < 0x7F); });
    if (is_clean && tracestate.size() <= longest_state) c.tracestate_ = tracestate;
    return c;
}

OCRPIPE_DECL trace_context trace_context::root(std::uint64_t trace_high, std::uint64_t trace_low,
                                               std::uint64_t span, bool sampled)
{
    trace_context c;
    c.trace_high_ = trace_high;
    c.trace_low_ = (trace_high | trace_low) == 0 ? 1 : trace_low;
    c.span_ = std::max<std::uint64_t>(span, 1);
    c.sampled_ = sampled;
    return c;
}

OCRPIPE_DECL trace_context trace_context::child(std::uint64_t span) const
{
    trace_context c = *this;
    c.parent_ = span_;
    c.span_ = std::max<std::uint64_t>(span, 1);
    return c;
}

OCRPIPE_DECL std::string trace_context::traceparent() const
{
    return fmt::format("00-{:016x}{:016x}-{:016x}-{:02x}", trace_high_, trace_low_, span_, sampled_ ? 1 : 0);
}

OCRPIPE_DECL std::string trace_context::trace_id() const
{
    return fmt::format("{:016x}{:016x}", trace_high_, trace_low_);
}

OCRPIPE_DECL std::string trace_context::span_id() const { return fmt::format("{:016x}", span_); }

OCRPIPE_DECL std::string trace_context::parent_id() const
{
    return parent_ == 0 ? std::string() : fmt::format("{:016x}", parent_);
}

} // namespace ocrpipe

#endif
