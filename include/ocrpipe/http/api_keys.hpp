#ifndef OCRPIPE_HTTP_API_KEYS_HPP
#define OCRPIPE_HTTP_API_KEYS_HPP

#include <ocrpipe/core/secret.hpp>
#include <ocrpipe/core/task.hpp>
#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <chrono>
#include <cstdint>
#include <memory>

namespace ocrpipe
{
namespace detail
{

/// The API key of a transport, which endpoint_options::api_key_provider may replace.
///
/// Thread safety: none.
class api_keys
{
public:
    /// `patience`: how long a request waits for the provider.
    api_keys(executor const& ex, endpoint_options const& endpoint, std::chrono::milliseconds patience);

    secret const& key() const noexcept;
    /// Increases with each new key; 0 while there is none.
    std::uint64_t version() const noexcept;
    bool can_change() const noexcept;

    /// Asks the provider, unless there is a version above `version`. Returns whether there is one in the end;
    /// `failure` is set if the provider failed or took too long, or the caller was cancelled.
    task<bool> async_renew(std::uint64_t version, clock::time_point deadline, transport_failure& failure);

private:
    struct state;

    static task<void> ask(std::shared_ptr<state> s);

    executor executor_;
    std::chrono::milliseconds patience_;
    std::shared_ptr<state> state_; ///< shared with a call of the provider
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/api_keys.ipp>
#endif

#endif
