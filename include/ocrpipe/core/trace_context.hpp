#ifndef OCRPIPE_CORE_TRACE_CONTEXT_HPP
#define OCRPIPE_CORE_TRACE_CONTEXT_HPP

#include <ocrpipe/core/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe
{

/// A span of a distributed trace, as the headers traceparent and tracestate carry it.
///
/// Give the span of your own operation to a request. Each HTTP request of that operation is then a child of
/// it, with a span id of its own, and carries both headers. Without one, no such header is sent.
/// Source: W3C Recommendation "Trace Context", level 1.
class trace_context
{
public:
    /// Reads the headers of a request. An invalid `tracestate` is dropped, and so is one of more than 512
    /// characters. Returns nullopt if `traceparent` is invalid, or empty.
    static std::optional<trace_context> parse(std::string_view traceparent, std::string_view tracestate = {});

    /// A span without a parent. The three numbers are random; those that the headers cannot carry, zero ids,
    /// are replaced by 1.
    static trace_context root(std::uint64_t trace_high, std::uint64_t trace_low, std::uint64_t span,
                              bool sampled = true);

    /// A child of this span. `span`: its random id.
    trace_context child(std::uint64_t span) const;

    /// The value of the header, version 00: 55 characters. The parent-id in it is span_id(), because this
    /// span is the parent of what the receiver does.
    std::string traceparent() const;
    std::string const& tracestate() const noexcept { return tracestate_; } ///< often empty

    std::string trace_id() const;  ///< 32 lower-case hexadecimal digits
    std::string span_id() const;   ///< 16 of them; likewise parent_id()
    std::string parent_id() const; ///< of the span of which this is a child; empty if that is not known
    bool sampled() const noexcept { return sampled_; }

    friend bool operator==(trace_context const&, trace_context const&) = default;

private:
    trace_context() = default;

    std::uint64_t trace_high_ = 0;
    std::uint64_t trace_low_ = 0;
    std::uint64_t span_ = 0;
    std::uint64_t parent_ = 0;
    std::string tracestate_;
    bool sampled_ = false;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/core/impl/trace_context.ipp>
#endif

#endif
