#ifndef OCRPIPE_CORE_SECRET_HPP
#define OCRPIPE_CORE_SECRET_HPP

#include <string>
#include <utility>

namespace ocrpipe
{

/// A secret that cannot be printed by accident. Access is explicit, at the one place that sends it.
class secret
{
public:
    secret() = default;
    explicit secret(std::string value) : value_(std::move(value)) {}
    bool empty() const noexcept { return value_.empty(); }
    std::string const& reveal() const noexcept { return value_; }

private:
    std::string value_;
};

} // namespace ocrpipe

#endif
