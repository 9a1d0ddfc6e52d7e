#ifndef OCRPIPE_HTTP_IMPL_HTTP_TRANSPORT_IPP
#define OCRPIPE_HTTP_IMPL_HTTP_TRANSPORT_IPP

#include <ocrpipe/http/api_keys.hpp>
#include <ocrpipe/http/connection_pool.hpp>
#include <ocrpipe/http/exchange.hpp>
#include <ocrpipe/http/http_transport.hpp>
#include <ocrpipe/http/request_head.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace ocrpipe
{

inline constexpr int max_redirects = 3;

/// What the transports of several tenants may share.
class http_transport::connections
{
public:
    connections(executor const& ex, http_options const& options, origin at,
                std::optional<proxy_server> through, std::unique_ptr<detail::tls_context> tls);

    executor const where;
    origin const to;
    timeout_options const timeouts;
    detail::answer_limits limits;
    detail::shared_io shared;
    std::string proxy; ///< the proxy that requests without TLS are sent to; empty if there is none
    std::string proxy_authorization;
    detail::connection_pool pool;
};

class http_transport::impl
{
public:
    /// `use`: of the connections; when its last copy goes, they are closed.
    impl(std::shared_ptr<connections> c, std::shared_ptr<void> use, endpoint_options const& tenant);

    /// A coroutine that keeps `self` alive.
    static task<exchange_result> send(std::shared_ptr<impl> self, http_request request);

    /// A transport that shares the connections. Their events go to this one's observer.
    std::shared_ptr<impl> for_tenant(endpoint_options const& tenant) const
    {
        auto made = std::make_shared<impl>(connections_, use_, tenant);
        made->is_tenant_ = true;
        return made;
    }

    void close()
    {
        closed_ = true;
        use_.reset();
    }

    void observe(connection_observer observer)
    {
        if (!is_tenant_) connections_->pool.observe(std::move(observer));
    }

private:
    /// Progress of a request over its attempts.
    struct progress {
        std::string redirected; ///< the path given by a redirect; empty for the original one
        int redirects = 0;
        bool fresh = false;                    ///< do not use an idle connection
        bool repeatable = false;               ///< the last attempt may be repeated on a fresh connection
        bytes_sent earlier = bytes_sent::none; ///< by the previous attempt
        clock::time_point sent_at{};           ///< of the last attempt that sent anything
        bool key_renewed = false;              ///< after an answer 401
    };

    bool check(http_request const& request, transport_failure& failure) const;
    /// After an answer 401: whether there is another key than that of `version`, so that the request may be
    /// sent again.
    task<bool> has_newer_key(std::uint64_t version, http_request& request, progress& p);
    void use_newest_key();
    /// Returns whether the connection may have been closed before the request arrived.
    bool note_failure(http_request const& request, progress& p, bool reused, bool answer_started,
                      transport_failure& failure) const;
    bool needs_another_attempt(http_request& request, progress& p, bool answered,
                               http_response const& response, transport_failure& failure) const;
    bool follow_redirect(http_request& request, progress& p, http_response const& response,
                         transport_failure& failure) const;

    std::shared_ptr<connections> const connections_;
    std::shared_ptr<void> use_;
    bool closed_ = false;
    bool is_tenant_ = false;
    detail::request_head head_;
    detail::api_keys keys_;
    std::uint64_t key_in_head_; ///< its version
};

OCRPIPE_DECL http_transport::connections::connections(executor const& ex, http_options const& options,
                                                      origin at, std::optional<proxy_server> through,
                                                      std::unique_ptr<detail::tls_context> tls)
    : where(ex)
    , to(at)
    , timeouts(options.timeouts)
    , shared(ex)
    , proxy(through && !at.tls ? through->at.host_and_port() : std::string())
    , proxy_authorization(through && !at.tls ? through->authorization : std::string())
    , pool(ex, options, shared, std::move(at), std::move(through), std::move(tls))
{
    limits.max_header = options.limits.max_header_bytes;
    limits.max_body = options.limits.max_answer_bytes;
    constexpr std::uint64_t least_share = 64 * 1024;
    std::size_t const most =
        options.pool.submit_connections + options.pool.poll_connections + options.pool.part_connections;
    limits.share = std::max(least_share, limits.max_body / most);
}

OCRPIPE_DECL http_transport::impl::impl(std::shared_ptr<connections> c, std::shared_ptr<void> use,
                                        endpoint_options const& tenant)
    : connections_(std::move(c))
    , use_(std::move(use))
    , head_(connections_->to, tenant, !connections_->proxy.empty(), connections_->proxy_authorization)
    , keys_(connections_->where, tenant, connections_->timeouts.acquire)
    , key_in_head_(keys_.version())
{
}

OCRPIPE_DECL task<exchange_result> http_transport::impl::send(std::shared_ptr<impl> self,
                                                              http_request request)
{
    // Cancellation is reported as a failure here, not thrown as an exception in the middle of a step.
    bool const throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
    exchange_result outcome;
    transport_failure failure;
    progress p;
    connections& at = *self->connections_;
    bool again = self->check(request, failure);
    if (again && self->keys_.version() == 0)
        again = co_await self->keys_.async_renew(0, request.deadline, failure);
    while (again) {
        bool answered = false;
        std::uint64_t key = 0;
        {
            detail::connection_lease lease(at.pool, request.lane(), request.deadline, p.fresh);
            bool acquired = lease.acquire_idle(state);
            if (!acquired) acquired = co_await lease.async_acquire(failure);
            if (acquired) {
                detail::answer_reader& answer = lease.connection().answer();
                detail::pooled_buffer buffer(at.shared);
                self->use_newest_key();
                key = self->key_in_head_;
                self->head_.render(request, p.redirected, *buffer);
                body_source* const body = request.method() == http_method::post ? request.body : nullptr;
                bool const get = request.method() == http_method::get;
                detail::exchange exchange(lease.connection(), at.shared, at.limits, at.timeouts,
                                          get ? request.deadline : clock::time_point::max());
                lease.begin_exchange();
                answered = co_await exchange.run(buffer, body, failure);
                lease.end_exchange(exchange.reusable(), answer);
                if (is_known(exchange.sent_at())) p.sent_at = exchange.sent_at();
                if (answered)
                    *outcome = std::move(answer.response());
                else if (self->note_failure(request, p, lease.reused(), answer.started(), failure))
                    lease.died();
            }
        }
        again = self->needs_another_attempt(request, p, answered, *outcome, failure);
        if (answered && outcome->status == 401 && self->keys_.can_change() && !p.key_renewed)
            again = co_await self->has_newer_key(key, request, p);
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (failure.code) {
        failure.sent_at = p.sent_at;
        outcome = std::move(failure);
    } else {
        outcome->sent_at = p.sent_at;
    }
    co_return outcome;
}

OCRPIPE_DECL bool http_transport::impl::check(http_request const& request, transport_failure& failure) const
{
    if (closed_) {
        failure = transport_failure(errc::client_closed, phase::acquire, bytes_sent::none);
        return false;
    }
    auto const is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    bool const clean_type =
        std::none_of(request.content_type.begin(), request.content_type.end(), is_control);
    if (detail::is_request_text(request.target) && clean_type) return true;
    failure = transport_failure(errc::invalid_argument, phase::prepare, bytes_sent::none,
                                clean_type ? "target: not percent-encoded"
                                           : "content_type: contains a control character");
    return false;
}

OCRPIPE_DECL task<bool> http_transport::impl::has_newer_key(std::uint64_t version, http_request& request,
                                                            progress& p)
{
    p.key_renewed = true;
    if (request.body != nullptr && !request.body->can_rewind()) co_return false;
    transport_failure ignored; // the answer 401 is the outcome
    bool const newer = co_await keys_.async_renew(version, request.deadline, ignored);
    if (newer && request.body != nullptr) request.body->rewind();
    co_return newer;
}

OCRPIPE_DECL void http_transport::impl::use_newest_key()
{
    if (key_in_head_ == keys_.version()) return;
    head_.set_key(keys_.key());
    key_in_head_ = keys_.version();
}

OCRPIPE_DECL bool http_transport::impl::note_failure(http_request const& request, progress& p, bool reused,
                                                     bool answer_started, transport_failure& failure) const
{
    if (failure.detail.empty()) failure.detail = connections_->to.host_and_port();
    bool const died = failure.code == errc::connection_closed || failure.code == errc::write_failed;
    bool const harmless = failure.sent != bytes_sent::all || request.method() == http_method::get;
    bool const stale = reused && died && !answer_started;
    p.repeatable = stale && harmless;
    return stale;
}

/// Whether another attempt follows: after a redirect, or on a fresh connection.
OCRPIPE_DECL bool http_transport::impl::needs_another_attempt(http_request& request, progress& p,
                                                              bool answered, http_response const& response,
                                                              transport_failure& failure) const
{
    if (answered && response.status == 407 && !connections_->proxy.empty()) {
        // As for a tunnel: the proxy did not pass the request on.
        failure = transport_failure(errc::proxy_refused, phase::connect, bytes_sent::none,
                                    "proxy " + connections_->proxy + ": it answered 407");
        failure.status = response.status;
        return false;
    }
    if (answered) return follow_redirect(request, p, response, failure);
    failure.sent = std::max(failure.sent, p.earlier);
    if (!p.repeatable || p.fresh) return false;
    if (request.body != nullptr && !request.body->can_rewind()) return false;
    p.earlier = failure.sent;
    p.fresh = true;
    if (request.body != nullptr) request.body->rewind();
    return true;
}

/// Whether `response` is a redirect, to a path that `p` now holds. If not, `failure` is set when the redirect
/// is refused.
OCRPIPE_DECL bool http_transport::impl::follow_redirect(http_request& request, progress& p,
                                                        http_response const& response,
                                                        transport_failure& failure) const
{
    int const status = response.status;
    bool const redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    failure = transport_failure();
    if (!redirect || response.location.empty()) return false;
    // These would turn the POST into a GET, and it may have been carried out already (RFC 9110, 15.4.2 to
    // 15.4.4).
    if (request.method() == http_method::post && status <= 303) return false;
    auto const refuse = [&](std::string why) {
        failure = transport_failure(errc::redirect_refused, phase::body, bytes_sent::all, std::move(why));
        return false;
    };
    std::string const from = p.redirected.empty() ? head_.path_of(request) : p.redirected;
    std::optional<redirect_target> target = resolve_redirect(connections_->to, from, response.location);
    if (!target) return refuse(fmt::format("{} to something that is not http or https", status));
    if (target->to != connections_->to)
        return refuse(fmt::format("{} to another origin, {}", status, target->to.url()));
    if (p.redirects == max_redirects) return refuse(fmt::format("more than {} redirects", max_redirects));
    if (request.body != nullptr && !request.body->can_rewind())
        return refuse(fmt::format("{} of a document whose source cannot rewind", status));
    if (request.body != nullptr) request.body->rewind();
    p.redirected = std::move(target->path);
    ++p.redirects;
    p.earlier = bytes_sent::none;
    return true;
}

OCRPIPE_DECL http_transport::http_transport(std::shared_ptr<impl> i) : impl_(std::move(i)) {}
OCRPIPE_DECL http_transport::~http_transport() { impl_->close(); }
OCRPIPE_DECL void http_transport::close() { impl_->close(); }
OCRPIPE_DECL void http_transport::observe_connections(connection_observer observer)
{
    impl_->observe(std::move(observer));
}

OCRPIPE_DECL task<exchange_result> http_transport::send(http_request request)
{
    return impl::send(impl_, std::move(request));
}

OCRPIPE_DECL result<std::unique_ptr<http_transport>> http_transport::make(executor const& ex,
                                                                          http_options const& options)
{
    if (std::vector<std::string> const problems = options.validate(); !problems.empty())
        return failure(errc::invalid_argument, phase::prepare, fmt::format("{}", fmt::join(problems, "; ")));
    origin to = parse_origin(options.endpoint.base_url).value();
    std::optional<proxy_server> proxy;
    if (!options.proxy.url.empty() && !bypasses_proxy(to.host, to.port, options.proxy.no_proxy))
        proxy = parse_proxy(options.proxy.url).value();
    std::unique_ptr<detail::tls_context> tls;
    if (to.tls) {
        auto made = detail::tls_context::make(options.tls);
        if (!made) return made.error();
        tls = *std::move(made);
    }
    auto const c =
        std::make_shared<connections>(ex, options, std::move(to), std::move(proxy), std::move(tls));
    std::shared_ptr<void> use(nullptr, [c](void*) { c->pool.close(); });
    auto i = std::make_shared<impl>(c, std::move(use), options.endpoint);
    return std::unique_ptr<http_transport>(new http_transport(std::move(i)));
}

OCRPIPE_DECL std::unique_ptr<http_transport> http_transport::for_tenant(endpoint_options const& tenant) const
{
    return std::unique_ptr<http_transport>(new http_transport(impl_->for_tenant(tenant)));
}

} // namespace ocrpipe

#endif
