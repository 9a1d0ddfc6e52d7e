#ifndef OCRPIPE_CLIENT_IMPL_CLIENT_IPP
#define OCRPIPE_CLIENT_IMPL_CLIENT_IPP

#include <ocrpipe/client/client.hpp>
#include <ocrpipe/client/impl/client_core.ipp>
#include <ocrpipe/client/impl/client_jobs.ipp>
#include <ocrpipe/client/impl/client_requests.ipp>
#include <ocrpipe/http/http_transport.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

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
    std::unique_ptr<transport> t = http_transport::make(where.inner(), options).value();
    core_ = detail::closing(std::make_shared<detail::client_core>(where, std::move(options), std::move(t)));
}

OCRPIPE_DECL client::client(executor ex, client_options options, std::unique_ptr<transport> t) : executor_(ex)
{
    options = detail::checked(std::move(options));
    detail::shard const where(std::move(ex), options.thread_safe);
    core_ = detail::closing(std::make_shared<detail::client_core>(where, std::move(options), std::move(t)));
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
