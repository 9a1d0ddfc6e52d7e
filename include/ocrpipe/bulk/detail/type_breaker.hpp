#ifndef OCRPIPE_BULK_DETAIL_TYPE_BREAKER_HPP
#define OCRPIPE_BULK_DETAIL_TYPE_BREAKER_HPP

#include <string>
#include <string_view>
#include <unordered_map>

namespace ocrpipe::detail
{

/// Stops a type of document that the service cannot read: the guide answers an unknown one with 500, and each
/// such submit may be billed.
///
/// Source: OCR API Usage Guide, error 500; three in a row for a type that never succeeded. Cost: a record a
/// type, of at most max_types.
class type_breaker
{
public:
    static constexpr int threshold = 3;
    static constexpr std::size_t max_types = 10'000;

    bool is_open(std::string_view type) const
    {
        auto const known = types_.find(std::string(type));
        return known != types_.end() && known->second >= threshold;
    }

    void accepted(std::string_view type)
    {
        if (int* const failures = find(type)) *failures = succeeded;
    }

    /// An error 500; true when it is the one that stops the type.
    bool failed(std::string_view type)
    {
        int* const failures = find(type);
        return failures && *failures != succeeded && ++*failures == threshold;
    }

private:
    static constexpr int succeeded = -1;

    int* find(std::string_view type)
    {
        if (types_.size() >= max_types && !types_.contains(std::string(type))) return nullptr;
        return &types_[std::string(type)];
    }

    std::unordered_map<std::string, int> types_; ///< failures in a row, or succeeded
};

} // namespace ocrpipe::detail

#endif
