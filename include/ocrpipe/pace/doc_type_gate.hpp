#ifndef OCRPIPE_PACE_DOC_TYPE_GATE_HPP
#define OCRPIPE_PACE_DOC_TYPE_GATE_HPP

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace ocrpipe
{

/// Stops a doc_type that the service seems not to know: it was never accepted and got three 500s in a row.
/// Each such 500 leaves a document ambiguous, so a typo in an option could otherwise affect a million
/// documents.
///
/// Tracks the first `max_watched` doc_types and lets all others pass. A document without a doc_type, whose
/// type follows from its flow, passes too.
///
/// Thread safety: none; a gate belongs to one thread.
/// Source: observed, the service answers an unknown doc_type with 500.
class doc_type_gate
{
public:
    static constexpr int max_failures = 3;
    static constexpr std::size_t max_watched = 1'000;

    /// A submit of this doc_type was answered with 500.
    void failed(std::string_view doc_type)
    {
        int* const failures = watched(doc_type);
        if (failures && *failures != known && *failures < max_failures) ++*failures;
    }

    /// A submit of this doc_type was accepted: it stays known from now on.
    void accepted(std::string_view doc_type)
    {
        if (int* const failures = watched(doc_type)) *failures = known;
    }

    /// A submit of this doc_type got another answer: resets its count of consecutive 500s.
    void answered(std::string_view doc_type)
    {
        auto const found = failures_.find(doc_type);
        if (found != failures_.end() && found->second > 0 && found->second < max_failures) found->second = 0;
    }

    bool is_stopped(std::string_view doc_type) const
    {
        auto const found = failures_.find(doc_type);
        return found != failures_.end() && found->second >= max_failures;
    }

private:
    static constexpr int known = -1;

    int* watched(std::string_view doc_type)
    {
        if (doc_type.empty()) return nullptr;
        auto found = failures_.find(doc_type);
        if (found == failures_.end()) {
            if (failures_.size() >= max_watched) return nullptr;
            found = failures_.emplace(std::string(doc_type), 0).first;
        }
        return &found->second;
    }

    std::map<std::string, int, std::less<>> failures_; ///< in a row, or `known`
};

} // namespace ocrpipe

#endif
