#ifndef OCRPIPE_HTTP_IMPL_HTTP_TRANSPORT_IPP
#define OCRPIPE_HTTP_IMPL_HTTP_TRANSPORT_IPP

#include <ocrpipe/http/connector.hpp>
#include <ocrpipe/http/exchange.hpp>
#include <ocrpipe/http/deadline.hpp>
#include <ocrpipe/http/http_transport.hpp>
#include <ocrpipe/http/pool_fsm.hpp>
#include <ocrpipe/http/request_head.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <random>

namespace ocrpipe
{

inline constexpr int max_redirects = 3;

class http_transport::impl
{
public:
    impl(asio::io_context& ioc, http_options const& options, origin to, std::optional<proxy_server> proxy,
         std::unique_ptr<detail::tls_context> tls);

    /// A coroutine that keeps `self` alive.
    static task<exchange_result> send(std::shared_ptr<impl> self, http_request request);

    void close();
    pool_statistics statistics() const;

private:
    class lease;
    class waiter;

    /// Progress of an exchange.
    struct course {
        std::string redirected; ///< the path given by a redirect; empty for the original one
        int redirects = 0;
        bool fresh = false;      ///< do not use an idle connection
        bool repeatable = false; ///< the last attempt may be repeated on a fresh connection
        bytes_sent earlier = bytes_sent::none; ///< by the previous attempt
    };

    bool acquire_at_once(lease& l, detail::pool_decision& d, clock::time_point deadline, bool fresh,
                         bool cancelled);
    detail::answer_limits answer_limits() const noexcept;
    void note_failure(http_request const& request, course& c, lease const& l, bool answer_started,
                      transport_failure& failure);
    bool goes_on(http_request& request, course& c, bool answered, http_response const& response,
                 transport_failure& failure);
    task<bool> async_acquire(lease& l, detail::pool_decision d, clock::time_point deadline, bool fresh,
                             transport_failure& failure);
    task<bool> async_open(lease& l, clock::time_point give_up, clock::time_point deadline, bool fresh,
                          transport_failure& failure);

    bool check(http_request const& request, transport_failure& failure) const;
    bool follow(http_request& request, course& c, http_response const& response,
                transport_failure& failure) const;
    bool take_offered(lease& l, detail::pool_decision& d, bool fresh);
    void sweep();

    asio::io_context& ioc_;
    origin origin_;
    timeout_options timeouts_;
    limit_options limits_;
    std::chrono::milliseconds acquire_timeout_;
    detail::watchdog dog_;
    detail::shared_io shared_;
    detail::request_head head_;
    detail::connector connector_;
    detail::pool_fsm fsm_;
    std::vector<std::unique_ptr<detail::connection>> connections_; ///< by connection_id
    pool_statistics counters_;
    std::minstd_rand random_;
};

/// RAII owner of a lane's slot and its connection.
class http_transport::impl::lease
{
public:
    explicit lease(impl& pool, enum lane l) noexcept : pool_(pool), lane_(l) {}
    lease(lease const&) = delete;
    lease& operator=(lease const&) = delete;

    ~lease()
    {
        if (!slot_) return;
        clock::time_point const now = clock::now();
        if (connection_ == nullptr) {
            pool_.fsm_.release_empty(lane_, now);
        } else if (fit_) {
            connection_->clear_deadline();
            pool_.fsm_.release(lane_, id_, now, hint_);
        } else {
            pool_.connections_[id_].reset();
            --pool_.counters_.open;
            pool_.fsm_.release_closed(lane_, id_, now);
        }
        pool_.sweep();
    }

    enum lane lane() const noexcept { return lane_; }
    detail::connection& connection() noexcept { return *connection_; }
    bool reused() const noexcept { return reused_; }

    void hold_slot() noexcept { slot_ = true; }

    void hold(detail::connection_id id, bool reused) noexcept
    {
        id_ = id;
        connection_ = pool_.connections_[id].get();
        reused_ = reused;
    }

    /// From now on the connection is closed at the end, unless it is found to be reusable.
    void begin_exchange() noexcept { fit_ = false; }
    void end_exchange(bool fit, std::chrono::seconds hint) noexcept
    {
        fit_ = fit;
        hint_ = hint;
    }

private:
    impl& pool_;
    detail::connection* connection_ = nullptr;
    std::chrono::seconds hint_{0};
    detail::connection_id id_ = 0;
    enum lane lane_;
    bool slot_ = false;
    bool reused_ = false;
    bool fit_ = true;
};

/// A queue entry in the ledger, woken through its own timer. The timer's wait belongs to the io_context,
/// expires at the waiter's deadline, and supports cancellation.
class http_transport::impl::waiter final : public detail::pool_waiter
{
public:
    waiter(impl& pool, enum lane l, clock::time_point until)
        : detail::pool_waiter(l), expiry(pool.ioc_, until), pool_(pool)
    {
    }
    ~waiter() { pool_.fsm_.leave(*this); }

    detail::timer expiry;

private:
    void on_decided() override { expiry.cancel(); }

    impl& pool_;
};

OCRPIPE_DECL http_transport::impl::impl(asio::io_context& ioc, http_options const& options, origin to,
                                        std::optional<proxy_server> proxy,
                                        std::unique_ptr<detail::tls_context> tls)
    : ioc_(ioc)
    , origin_(to)
    , timeouts_(options.timeouts)
    , limits_(options.limits)
    , acquire_timeout_(options.timeouts.acquire)
    , dog_(ioc)
    , shared_(ioc)
    , head_(to, options.endpoint, proxy.has_value() && !to.tls, proxy ? proxy->authorization : std::string())
    , connector_(ioc, dog_, shared_, std::move(to), std::move(proxy), std::move(tls), options.timeouts,
                 options.limits)
    , fsm_(options.pool)
    , random_(options.seed != 0 ? static_cast<unsigned>(options.seed) : std::random_device()())
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
    course c;
    bool again = self->check(request, failure);
    while (again) {
        bool answered = false;
        {
            lease l(*self, request.lane());
            detail::pool_decision d;
            bool acquired =
                self->acquire_at_once(l, d, request.deadline, c.fresh, detail::is_cancelled(state));
            if (!acquired) acquired = co_await self->async_acquire(l, d, request.deadline, c.fresh, failure);
            if (acquired) {
                ++self->counters_.exchanges;
                detail::answer_reader& answer = l.connection().answer();
                detail::pooled_buffer buffer(self->shared_);
                self->head_.render(request, c.redirected, *buffer);
                body_source* const body = request.method() == http_method::post ? request.body : nullptr;
                detail::exchange exchange(l.connection(), self->shared_, self->answer_limits(),
                                          self->timeouts_, request.deadline);
                l.begin_exchange();
                answered = co_await exchange.run(buffer, body, failure);
                l.end_exchange(exchange.reusable(), answer.keep_alive_hint());
                if (answered)
                    *outcome = std::move(answer.response());
                else
                    self->note_failure(request, c, l, answer.started(), failure);
            }
        }
        again = self->goes_on(request, c, answered, *outcome, failure);
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (failure.code) outcome = std::move(failure);
    co_return outcome;
}

OCRPIPE_DECL bool http_transport::impl::check(http_request const& request, transport_failure& failure) const
{
    auto const is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    bool const clean_type =
        std::none_of(request.content_type.begin(), request.content_type.end(), is_control);
    if (detail::is_request_text(request.target) && clean_type) return true;
    failure = transport_failure(errc::invalid_argument, phase::prepare, bytes_sent::none,
                                clean_type ? "target: not percent-encoded"
                                           : "content_type: holds a control character");
    return false;
}

/// Whether another attempt follows: after a redirect, or on a fresh connection.
OCRPIPE_DECL bool http_transport::impl::goes_on(http_request& request, course& c, bool answered,
                                                http_response const& response, transport_failure& failure)
{
    if (answered) return follow(request, c, response, failure);
    failure.sent = std::max(failure.sent, c.earlier);
    if (!c.repeatable || c.fresh) return false;
    c.earlier = failure.sent;
    c.fresh = true;
    ++counters_.repeats;
    if (request.body != nullptr) request.body->rewind();
    return true;
}

/// The usual case: a connection is available without waiting.
OCRPIPE_DECL bool http_transport::impl::acquire_at_once(lease& l, detail::pool_decision& d,
                                                        clock::time_point deadline, bool fresh,
                                                        bool cancelled)
{
    clock::time_point const now = clock::now();
    d = fsm_.acquire(l.lane(), now, fresh);
    sweep();
    if (d.what == detail::pool_outcome::reuse || d.what == detail::pool_outcome::open) l.hold_slot();
    return !cancelled && now < deadline && take_offered(l, d, fresh);
}

OCRPIPE_DECL detail::answer_limits http_transport::impl::answer_limits() const noexcept
{
    detail::answer_limits limits;
    limits.max_header = limits_.max_header;
    limits.max_body = limits_.max_body;
    return limits;
}

OCRPIPE_DECL void http_transport::impl::note_failure(http_request const& request, course& c, lease const& l,
                                                     bool answer_started, transport_failure& failure)
{
    if (failure.detail.empty()) failure.detail = origin_.host_and_port();
    bool const died = failure.code == errc::connection_closed || failure.code == errc::write_failed;
    bool const harmless = failure.sent == bytes_sent::none || request.method() == http_method::get;
    c.repeatable = l.reused() && died && harmless && !answer_started;
}

/// Whether `response` is a redirect, to a path that `c` now holds. If not, `failure` is set when the
/// redirect is refused.
OCRPIPE_DECL bool http_transport::impl::follow(http_request& request, course& c,
                                               http_response const& response,
                                               transport_failure& failure) const
{
    int const status = response.status;
    bool const redirect = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    failure = transport_failure();
    if (!redirect || response.location.empty()) return false;
    // 303 means that the POST was carried out and that its outcome is elsewhere (RFC 9110, 15.4.4).
    if (status == 303 && request.method() == http_method::post) return false;
    auto const refuse = [&](std::string why) {
        failure = transport_failure(errc::redirect_refused, phase::body, bytes_sent::all, std::move(why));
        return false;
    };
    std::string const from = c.redirected.empty() ? head_.path_of(request) : c.redirected;
    std::optional<redirect_target> target = resolve_redirect(origin_, from, response.location);
    if (!target) return refuse(fmt::format("{} to something that is not http or https", status));
    if (target->to != origin_)
        return refuse(fmt::format("{} to another origin, {}", status, target->to.url()));
    if (c.redirects == max_redirects) return refuse(fmt::format("more than {} redirects", max_redirects));
    if (request.method() == http_method::post && status != 307 && status != 308)
        return refuse(fmt::format("{} would turn POST into GET", status));
    if (request.body != nullptr) request.body->rewind();
    c.redirected = std::move(target->path);
    ++c.redirects;
    c.earlier = bytes_sent::none;
    return true;
}

/// Handles a ledger decision other than an immediately usable connection.
OCRPIPE_DECL task<bool> http_transport::impl::async_acquire(lease& l, detail::pool_decision d,
                                                            clock::time_point deadline, bool fresh,
                                                            transport_failure& failure)
{
    clock::time_point now = clock::now();
    clock::time_point const give_up = std::min(deadline, detail::later(now, acquire_timeout_));
    bool cancelled = detail::is_cancelled(co_await asio::this_coro::cancellation_state);
    if (d.what == detail::pool_outcome::pending && !cancelled) {
        ++counters_.waits;
        waiter w(*this, l.lane(), give_up);
        fsm_.enqueue(w);
        error_code ec;
        co_await w.expiry.async_wait(detail::await_into(ec));
        cancelled = detail::is_cancelled(co_await asio::this_coro::cancellation_state);
        d = w.decision();
        now = clock::now();
    }
    errc refusal = errc::ok;
    switch (d.what) {
    case detail::pool_outcome::pending:
        refusal = detail::timeout_code(errc::acquire_timeout, now, deadline);
        break;
    case detail::pool_outcome::full:
        refusal = errc::too_many_waiting;
        break;
    case detail::pool_outcome::closed:
        refusal = errc::client_closed;
        break;
    case detail::pool_outcome::reuse:
    case detail::pool_outcome::open:
        l.hold_slot();
        break;
    }
    if (refusal == errc::ok && take_offered(l, d, fresh) && !cancelled && now < deadline) co_return true;
    if (cancelled)
        refusal = errc::cancelled;
    else if (refusal == errc::ok && now >= deadline)
        refusal = errc::deadline_exceeded;
    if (refusal == errc::ok) co_return co_await async_open(l, give_up, deadline, fresh, failure);
    failure = transport_failure(refusal, phase::acquire, bytes_sent::none);
    co_return false;
}

/// Takes the first live connection among the one offered and its replacements. If there is none, `d` is no
/// longer an offer.
OCRPIPE_DECL bool http_transport::impl::take_offered(lease& l, detail::pool_decision& d, bool fresh)
{
    clock::time_point const now = clock::now();
    while (d.what == detail::pool_outcome::reuse) {
        if (fresh) {
            fsm_.discard(d.id);
            d.what = detail::pool_outcome::open;
        } else if (connections_[d.id]->is_quiet()) {
            fsm_.reused(d.id, now);
            ++counters_.reuses;
            l.hold(d.id, true);
            return true;
        } else {
            ++counters_.stale_closed;
            d = fsm_.replace(d.id, now);
        }
        sweep();
    }
    return false;
}

OCRPIPE_DECL task<bool> http_transport::impl::async_open(lease& l, clock::time_point give_up,
                                                         clock::time_point deadline, bool fresh,
                                                         transport_failure& failure)
{
    clock::time_point const start = fsm_.reserve_open(clock::now());
    while (clock::now() < start) {
        waiter w(*this, l.lane(), std::min(start, give_up));
        if (!fresh) fsm_.enqueue_opener(w);
        error_code ec;
        co_await w.expiry.async_wait(detail::await_into(ec));
        bool const cancelled = detail::is_cancelled(co_await asio::this_coro::cancellation_state);
        detail::pool_decision d = w.decision();
        bool const taken = take_offered(l, d, fresh);
        errc refusal = errc::ok;
        if (cancelled)
            refusal = errc::cancelled;
        else if (d.what == detail::pool_outcome::closed)
            refusal = errc::client_closed;
        else if (taken)
            co_return true;
        else if (clock::now() >= give_up)
            refusal = detail::timeout_code(errc::acquire_timeout, clock::now(), deadline);
        if (refusal == errc::ok) continue;
        failure = transport_failure(refusal, phase::acquire, bytes_sent::none);
        co_return false;
    }
    std::unique_ptr<detail::connection> c = co_await connector_.async_open(deadline, failure);
    if (!c) {
        ++counters_.connect_failures;
        co_return false;
    }
    ++counters_.connects;
    ++counters_.open;
    if (c->tls() != nullptr) {
        ++counters_.handshakes;
        if (c->tls()->resumed()) ++counters_.resumptions;
    }
    double const jitter = std::uniform_real_distribution<>(0, 1)(random_);
    detail::connection_id const id = fsm_.opened(clock::now(), jitter);
    if (id >= connections_.size()) connections_.resize(id + 1);
    connections_[id] = std::move(c);
    l.hold(id, false);
    co_return true;
}

OCRPIPE_DECL void http_transport::impl::sweep()
{
    for (detail::connection_id const id : fsm_.pop_retired()) {
        connections_[id].reset();
        --counters_.open;
    }
}

OCRPIPE_DECL void http_transport::impl::close()
{
    fsm_.close();
    sweep();
}

OCRPIPE_DECL pool_statistics http_transport::impl::statistics() const
{
    pool_statistics s = counters_;
    s.idle = fsm_.idle();
    s.idle_limit = std::chrono::duration_cast<std::chrono::milliseconds>(fsm_.idle_limit());
    for (enum lane l : {lane::submit, lane::poll, lane::part}) {
        s.in_use[static_cast<std::size_t>(l)] = fsm_.in_use(l);
        s.waiting[static_cast<std::size_t>(l)] = fsm_.waiting(l);
    }
    return s;
}

OCRPIPE_DECL http_transport::http_transport(std::shared_ptr<impl> i) : impl_(std::move(i)) {}
OCRPIPE_DECL http_transport::~http_transport() { impl_->close(); }
OCRPIPE_DECL void http_transport::close() { impl_->close(); }
OCRPIPE_DECL pool_statistics http_transport::statistics() const { return impl_->statistics(); }

OCRPIPE_DECL task<exchange_result> http_transport::send(http_request request)
{
    return impl::send(impl_, std::move(request));
}

OCRPIPE_DECL result<std::unique_ptr<http_transport>> http_transport::make(asio::io_context& ioc,
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
    auto i = std::make_shared<impl>(ioc, options, std::move(to), std::move(proxy), std::move(tls));
    return std::unique_ptr<http_transport>(new http_transport(std::move(i)));
}

} // namespace ocrpipe

#endif
