#ifndef OCRPIPE_CLIENT_IMPL_CLIENT_IPP
#define OCRPIPE_CLIENT_IMPL_CLIENT_IPP

#include <ocrpipe/client/client.hpp>
#include <ocrpipe/client/impl/client_core.ipp>
#include <ocrpipe/client/impl/client_jobs.ipp>
#include <ocrpipe/client/impl/client_requests.ipp>
#include <ocrpipe/http/http_transport.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <deque>

namespace ocrpipe
{
namespace detail
{

inline client_options checked(client_options options)
{
    std::vector<std::string> const problems = options.validate();
    if (problems.empty()) return options;
    throw error(
        failure(errc::invalid_argument, phase::prepare, fmt::format("{}", fmt::join(problems, "; "))));
}

/// The secrets of a client's options, and the newest keys of its provider.
struct known_secrets {
    static constexpr std::size_t kept_keys = 16; ///< an answer may still echo an older one

    explicit known_secrets(client_options const& o) : fixed(o.secrets()), mask(fixed) {}

    void add(secret const& key)
    {
        keys.push_back(key);
        if (keys.size() > kept_keys) keys.pop_front();
        mask = fixed;
        for (secret const& k : keys)
            mask.add(k);
    }

    secret_mask const fixed;
    std::deque<secret> keys;
    secret_mask mask;
};

/// The mask for what a client quotes. It follows the keys that the provider in `options` gives from now on.
inline std::shared_ptr<secret_mask const> mask_of(client_options& options)
{
    auto const known = std::make_shared<known_secrets>(options);
    auto& provider = options.endpoint.api_key_provider;
    if (provider) {
        provider = [ask = std::move(provider), known]() -> task<result<secret>> {
            result<secret> key = co_await ask();
            if (key) known->add(*key);
            co_return key;
        };
    }
    return std::shared_ptr<secret_mask const>(known, &known->mask);
}

/// A handle whose last copy closes the core. Operations share the core itself.
inline std::shared_ptr<client_core> closing(std::shared_ptr<client_core> core)
{
    client_core* const p = core.get();
    return std::shared_ptr<client_core>(p, [c = std::move(core)](client_core*) { c->close(); });
}

} // namespace detail

OCRPIPE_DECL client::client(executor ex, client_options options) : executor_(ex)
{
    options = detail::checked(std::move(options));
    detail::shard const where(std::move(ex), options.thread_safe);
    std::shared_ptr<secret_mask const> mask = detail::mask_of(options);
    std::unique_ptr<transport> t = http_transport::make(where.inner(), options).value();
    core_ = detail::closing(
        std::make_shared<detail::client_core>(where, std::move(options), std::move(mask), std::move(t)));
}

OCRPIPE_DECL client::client(executor ex, client_options options, std::unique_ptr<transport> t) : executor_(ex)
{
    options = detail::checked(std::move(options));
    detail::shard const where(std::move(ex), options.thread_safe);
    std::shared_ptr<secret_mask const> mask = detail::mask_of(options);
    core_ = detail::closing(
        std::make_shared<detail::client_core>(where, std::move(options), std::move(mask), std::move(t)));
}

OCRPIPE_DECL client::client(client const& connections, client_options options)
    : executor_(connections.executor_)
{
    detail::client_core const& from = *connections.core_;
    http_options http = from.options();
    http.endpoint = options.endpoint;
    http.endpoint.base_url = from.options().endpoint.base_url;
    http.endpoint.allow_plain_http = from.options().endpoint.allow_plain_http;
    http.seed = options.seed;
    static_cast<http_options&>(options) = std::move(http);
    options.thread_safe = from.options().thread_safe;
    options = detail::checked(std::move(options));
    auto const* const shared = dynamic_cast<http_transport const*>(&from.used_transport());
    if (shared == nullptr)
        throw error(failure(errc::invalid_argument, phase::prepare,
                            "connections: this client was made with a transport of its own"));
    std::shared_ptr<secret_mask const> mask = detail::mask_of(options);
    std::unique_ptr<transport> t = shared->for_tenant(options.endpoint);
    core_ = detail::closing(std::make_shared<detail::client_core>(from.where(), std::move(options),
                                                                  std::move(mask), std::move(t)));
}

OCRPIPE_DECL client_statistics client::statistics() const { return core_->statistics(); }

OCRPIPE_DECL response_profile const& client::profile() const noexcept { return core_->profile(); }

OCRPIPE_DECL void client::remember(service_knowledge const& known) { core_->remember(known); }
OCRPIPE_DECL void client::observe(std::shared_ptr<client_observer> observer)
{
    core_->observe(std::move(observer));
}
OCRPIPE_DECL void client::stop_submits() { core_->stop_submits(); }
OCRPIPE_DECL void client::close() { core_->close(); }

OCRPIPE_DECL void client::start_submit(core_ptr const& core, hooked_submit&& r,
                                       detail::completion<submitted_job>&& h)
{
    core->submit(std::move(r.request), std::move(r.hooks), std::move(h));
}

OCRPIPE_DECL void client::start_result(core_ptr const& core, std::string&& id,
                                       detail::completion<ocr_result>&& h)
{
    core->read_once(std::move(id), std::move(h));
}

OCRPIPE_DECL void client::start_wait(core_ptr const& core, wait_request&& r,
                                     detail::completion<ocr_result>&& h)
{
    core->wait(std::move(r), std::move(h));
}

OCRPIPE_DECL void client::start_recognize(core_ptr const& core, hooked_submit&& r,
                                          detail::completion<ocr_result>&& h)
{
    core->recognize(std::move(r.request), std::move(r.hooks), std::move(h));
}

OCRPIPE_DECL void client::start_part(core_ptr const& core, part_request&& r,
                                     detail::completion<part_data>&& h)
{
    core->part(std::move(r), std::move(h));
}

} // namespace ocrpipe

#endif
