#ifndef OCRPIPE_HTTP_IMPL_API_KEYS_IPP
#define OCRPIPE_HTTP_IMPL_API_KEYS_IPP

#include <ocrpipe/http/api_keys.hpp>
#include <ocrpipe/http/deadline.hpp>
#include <ocrpipe/http/request_head.hpp>
#include <ocrpipe/http/tcp_types.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

struct api_keys::state {
    std::function<task<result<secret>>()> provider;
    secret key;
    std::uint64_t version = 0;
    bool asking = false;
    transport_failure why; ///< of the last call, if it failed
    std::vector<timer*> waiting;

    void failed(error_code const& code, std::string const& reason, error_code const& cause = {})
    {
        why = transport_failure(code, phase::prepare, bytes_sent::none,
                                reason.empty() ? "api_key_provider" : "api_key_provider: " + reason, cause);
    }
};

OCRPIPE_DECL api_keys::api_keys(executor const& ex, endpoint_options const& endpoint,
                                std::chrono::milliseconds patience)
    : executor_(ex), patience_(patience), state_(std::make_shared<state>())
{
    state_->provider = endpoint.api_key_provider;
    state_->key = endpoint.api_key;
    state_->version = endpoint.api_key.empty() ? 0 : 1;
}

OCRPIPE_DECL secret const& api_keys::key() const noexcept { return state_->key; }
OCRPIPE_DECL std::uint64_t api_keys::version() const noexcept { return state_->version; }
OCRPIPE_DECL bool api_keys::can_change() const noexcept { return static_cast<bool>(state_->provider); }

OCRPIPE_DECL task<void> api_keys::ask(std::shared_ptr<state> s)
{
    s->why = transport_failure();
    try {
        result<secret> given = co_await s->provider();
        if (!given)
            s->failed(given.error().code, given.error().reason, given.error().cause);
        else if (given->empty() || !is_request_text(given->reveal()))
            s->failed(errc::invalid_argument,
                      "the key is empty or contains a blank, control or non-ASCII character");
        else if (given->reveal() != s->key.reveal()) {
            s->key = *std::move(given);
            ++s->version;
        }
    } catch (std::exception const& e) {
        s->failed(errc::invalid_argument, e.what());
    } catch (...) {
        s->failed(errc::invalid_argument, "it threw something that is not a std::exception");
    }
    s->asking = false;
    for (timer* const t : s->waiting)
        t->cancel();
}

OCRPIPE_DECL task<bool> api_keys::async_renew(std::uint64_t version, clock::time_point deadline,
                                              transport_failure& failure)
{
    std::shared_ptr<state> const s = state_;
    if (s->version > version) co_return true;
    if (!std::exchange(s->asking, true)) asio::co_spawn(executor_, ask(s), asio::detached);
    if (s->asking) {
        timer expiry(executor_, std::min(deadline, later(clock::now(), patience_)));
        s->waiting.push_back(&expiry);
        error_code ec;
        co_await expiry.async_wait(await_into(ec));
        std::erase(s->waiting, &expiry);
    }
    asio::cancellation_state const cancelled = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(cancelled))
        failure = transport_failure(errc::cancelled, phase::prepare, bytes_sent::none);
    else if (s->asking)
        failure = transport_failure(timeout_code(errc::acquire_timeout, clock::now(), deadline),
                                    phase::prepare, bytes_sent::none, "api_key_provider gave no key in time");
    else
        failure = s->why;
    co_return s->version > version;
}

} // namespace detail
} // namespace ocrpipe

#endif
