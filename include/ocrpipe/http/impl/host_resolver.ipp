#ifndef OCRPIPE_HTTP_IMPL_HOST_RESOLVER_IPP
#define OCRPIPE_HTTP_IMPL_HOST_RESOLVER_IPP

#include <ocrpipe/http/host_resolver.hpp>

#include <boost/asio/co_spawn.hpp>

#include <charconv>
#include <exception>
#include <utility>

namespace ocrpipe
{
namespace detail
{

struct host_resolver::lookup {
    explicit lookup(executor const& ex) : resolver(ex) {}

    tcp::resolver resolver;
    bool running = false;
    error_code cause;
    endpoints addresses;
    clock::time_point until = clock::time_point::min();
    std::vector<timer*> waiting;

    void found(error_code ec, endpoints in_order)
    {
        running = false;
        cause = ec;
        addresses = std::move(in_order);
        // A failure is reported to the current waiters and not cached.
        until = addresses.empty() ? clock::time_point::min() : clock::now() + keep;
        for (timer* const t : waiting)
            t->cancel();
    }
};

inline std::uint16_t port_number(std::string_view port) noexcept
{
    std::uint16_t number = 0;
    std::from_chars(port.data(), port.data() + port.size(), number);
    return number;
}

OCRPIPE_DECL endpoints interleave_families(std::span<tcp::endpoint const> in)
{
    endpoints first;
    endpoints second;
    for (tcp::endpoint const& e : in)
        (e.address().is_v6() == in.front().address().is_v6() ? first : second).push_back(e);
    endpoints out;
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) out.push_back(first[i]);
        if (i < second.size()) out.push_back(second[i]);
    }
    return out;
}

OCRPIPE_DECL void host_resolver::start(std::string const& host, std::string const& port,
                                       std::shared_ptr<lookup> const& to)
{
    to->running = true;
    if (*find_) {
        // The function outlives its coroutine.
        asio::co_spawn(executor_, (*find_)(host),
                       [to, keep_alive = find_, number = port_number(port)](
                           std::exception_ptr e, result<std::vector<asio::ip::address>> found) {
                           endpoints at;
                           if (!e && found)
                               for (asio::ip::address const& a : *found)
                                   at.emplace_back(a, number);
                           to->found(!e && !found ? found.error().code : error_code(), std::move(at));
                       });
        return;
    }
    auto const flags = asio::ip::resolver_base::numeric_service;
    to->resolver.async_resolve(host, port, flags,
                               [to](error_code ec, tcp::resolver::results_type const& found) {
                                   endpoints at;
                                   for (auto const& entry : found)
                                       at.push_back(entry.endpoint());
                                   to->found(ec, interleave_families(at));
                               });
}

OCRPIPE_DECL task<endpoints> host_resolver::async_resolve(std::string const& host, std::string const& port,
                                                          clock::time_point deadline, error_code& cause,
                                                          error_code& ec)
{
    ec = {};
    endpoints out;
    auto const address = asio::ip::make_address(host, cause);
    if (!cause) {
        out.emplace_back(address, port_number(port));
        co_return out;
    }
    std::shared_ptr<lookup>& known = lookups_[host + ":" + port];
    if (!known) known = std::make_shared<lookup>(executor_);
    std::shared_ptr<lookup> const l = known;
    if (!l->running && l->until <= clock::now()) {
        l->addresses.clear();
        start(host, port, l);
    }
    if (l->running) {
        timer expiry(executor_, deadline);
        l->waiting.push_back(&expiry);
        co_await expiry.async_wait(await_into(ec));
        std::erase(l->waiting, &expiry);
        bool const cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
        if (cancelled)
            ec = asio::error::operation_aborted;
        else if (l->running)
            ec = asio::error::timed_out;
        else
            ec = {};
        if (ec) co_return out;
    }
    cause = l->cause;
    out = l->addresses;
    if (out.empty()) ec = make_error_code(errc::resolve_failed);
    co_return out;
}

} // namespace detail
} // namespace ocrpipe

#endif
