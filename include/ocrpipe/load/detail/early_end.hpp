#ifndef OCRPIPE_LOAD_DETAIL_EARLY_END_HPP
#define OCRPIPE_LOAD_DETAIL_EARLY_END_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/result.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace ocrpipe::detail
{

/// Decides from the failures of a load test whether all further documents would fail, too. Pure.
///
/// They would if the credentials, the certificate or the address are refused, or if the service was never
/// reached. A later outage is something that the test measures.
class early_end
{
public:
    /// `most`: the number of documents of the test, if it is known.
    explicit early_end(std::optional<std::uint64_t> most)
        : enough_silence_(std::min<std::uint64_t>(3, most.value_or(3)))
    {
    }

    void accepted() noexcept { was_reached_ = true; }

    /// A document failed. Returns whether the test should end.
    bool failed(failure const& f) noexcept
    {
        switch (static_cast<errc>(f.code.value())) {
        case errc::unauthorized: // the client has tried more than once
        case errc::client_certificate_refused:
        case errc::wrong_base_url:
        case errc::proxy_refused:
        case errc::certificate_invalid:
            return true;
        case errc::resolve_failed:
        case errc::connect_failed:
        case errc::connect_timeout:
        case errc::tls_failed:
        case errc::tls_timeout:
            return !was_reached_ && ++unreached_ >= enough_silence_;
        default:
            was_reached_ = true;
            return false;
        }
    }

private:
    std::uint64_t enough_silence_; // documents, each after all its attempts
    std::uint64_t unreached_ = 0;
    bool was_reached_ = false;
};

} // namespace ocrpipe::detail

#endif
