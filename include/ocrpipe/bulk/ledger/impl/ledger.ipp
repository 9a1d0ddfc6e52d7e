#ifndef OCRPIPE_BULK_LEDGER_IMPL_LEDGER_IPP
#define OCRPIPE_BULK_LEDGER_IMPL_LEDGER_IPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/core/sha256.hpp>

namespace ocrpipe
{
namespace detail
{

inline constexpr std::array<std::string_view, document_state_count> document_state_names{
    "new", "intent", "submitted", "done", "failed", "ambiguous", "stuck", "expired", "lost", "skipped"};

/// Legal state transitions of a document.
enum class transition : char { never = ' ', if_changed = 'c', always = 'x' };

/// One row per old state and one column per new state, both in the order of the enumeration.
inline constexpr std::array<std::string_view, document_state_count> transitions{
    // n i s d f a s e l s
    // e n u o a m t x o k
    // w t b n i b u p s i
    "  x               x", // new
    "x   x   x x        ", // intent: sent, rejected or ambiguous
    "      x x   x x x  ", // submitted: only the service can end it
    "  c               c", // done
    "  x               x", // failed
    "  x x             x", // ambiguous: its request_id may turn up
    "  c   x x   x x x c", // stuck: asked again with the same request_id
    "  x               x", // expired
    "  x               x", // lost
    "  x               c", // skipped: its original's result may have gone
};

} // namespace detail

OCRPIPE_DECL std::string_view name(document_state s) noexcept
{
    auto const i = static_cast<std::size_t>(s);
    return i < document_state_count ? detail::document_state_names[i] : "unknown";
}

OCRPIPE_DECL std::optional<document_state> document_state_named(std::string_view name) noexcept
{
    for (std::size_t i = 0; i != document_state_count; ++i)
        if (detail::document_state_names[i] == name) return static_cast<document_state>(i);
    return std::nullopt;
}

OCRPIPE_DECL bool may_become(document_state from, document_state to, bool changed) noexcept
{
    auto const when = static_cast<detail::transition>(
        detail::transitions[static_cast<std::size_t>(from)][2 * static_cast<std::size_t>(to)]);
    return when == detail::transition::always || (when == detail::transition::if_changed && changed);
}

OCRPIPE_DECL std::string
parameters_fingerprint(std::string_view flow, std::string_view doc_type, enum file_type type,
                       std::span<std::pair<std::string, std::string> const> extra_fields)
{
    sha256_stream hash;
    // Each field is prefixed with its length, so that different lists never give the same bytes.
    auto const add = [&hash](std::string_view field) {
        std::string const length = std::to_string(field.size()) + ':';
        hash.update(length);
        hash.update(field);
    };
    add(flow);
    add(doc_type);
    add(wire_word(type));
    for (auto const& [key, value] : extra_fields) {
        add(key);
        add(value);
    }
    return hash.hex().substr(0, 16);
}

} // namespace ocrpipe

#endif
