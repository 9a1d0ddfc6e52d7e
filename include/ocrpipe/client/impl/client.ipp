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

} // namespace detail

OCRPIPE_DECL client::client(asio::io_context& ioc, client_options options) : ioc_(&ioc)
{
    options = detail::checked(std::move(options));
    std::unique_ptr<transport> t = http_transport::make(ioc, options).value();
    core_ = std::make_shared<detail::client_core>(ioc, std::move(options), std::move(t));
}

OCRPIPE_DECL client::client(asio::io_context& ioc, client_options options, std::unique_ptr<transport> t)
    : ioc_(&ioc)
    , core_(std::make_shared<detail::client_core>(ioc, detail::checked(std::move(options)), std::move(t)))
{
}

OCRPIPE_DECL client::client(client&&) noexcept = default;

OCRPIPE_DECL client& client::operator=(client&& other) noexcept
{
    if (core_ && core_ != other.core_) core_->close();
    ioc_ = other.ioc_;
    core_ = std::move(other.core_);
    return *this;
}

OCRPIPE_DECL client::~client()
{
    if (core_) core_->close();
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

OCRPIPE_DECL void client::start_recognize(core_ptr const& core, submit_request&& r,
                                          detail::completion<ocr_result>&& h)
{
    core->recognize(std::move(r), std::move(h));
}

OCRPIPE_DECL void client::start_part(core_ptr const& core, part_request&& r,
                                     detail::completion<part_data>&& h)
{
    core->part(std::move(r), std::move(h));
}

} // namespace ocrpipe

#endif
