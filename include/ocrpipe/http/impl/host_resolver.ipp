#ifndef OCRPIPE_HTTP_IMPL_HOST_RESOLVER_IPP
#define OCRPIPE_HTTP_IMPL_HOST_RESOLVER_IPP

#include <ocrpipe/http/host_resolver.hpp>

#include <charconv>

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
};

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
    auto const flags = asio::ip::resolver_base::numeric_service;
    to->resolver.async_resolve(
        host, port, flags, [to](error_code ec, tcp::resolver::results_type const& found) {
            to->running = false;
            to->cause = ec;
            to->addresses.clear();
            for (auto const& entry : found)
                to->addresses.push_back(entry.endpoint());
            to->addresses = interleave_families(to->addresses);
            // A failure is reported to the current waiters and not cached.
            to->until = to->addresses.empty() ? clock::time_point::min() : clock::now() + keep;
            for (timer* const t : to->waiting)
                t->cancel();
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
        std::uint16_t number = 0;
        std::from_chars(port.data(), port.data() + port.size(), number);
        out.emplace_back(address, number);
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
