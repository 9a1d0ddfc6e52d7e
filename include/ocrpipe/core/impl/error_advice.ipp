#ifndef OCRPIPE_CORE_IMPL_ERROR_ADVICE_IPP
#define OCRPIPE_CORE_IMPL_ERROR_ADVICE_IPP

#include <ocrpipe/core/error_advice.hpp>

namespace ocrpipe
{

OCRPIPE_DECL error_advice advice_on(errc e) noexcept
{
    using enum retry_advice;
    using enum fault;
    switch (e) { // no default: the compiler names an enumerator that is missing
    case errc::ok:
        return {no, nobody, 200};

    case errc::invalid_argument:
    case errc::empty_document:
        return {no, caller, 400};
    case errc::unsupported_file_type:
        return {no, caller, 415};
    case errc::unreadable_file:
        return {no, configuration, 500};
    case errc::file_changed:
        return {yes, configuration, 500};
    case errc::configuration_changed:
    case errc::unwritable_output:
    case errc::ledger_failed:
        return {no, configuration, 500};
    case errc::ledger_in_use:
        return {yes, configuration, 500};
    case errc::cancelled:
    case errc::client_closed:
    case errc::too_many_waiting:
    case errc::acquire_timeout:
    case errc::saturated:
        return {yes, caller, 503};
    case errc::deadline_exceeded:
        return {yes, caller, 504};

    case errc::resolve_failed:
    case errc::connect_failed:
    case errc::tls_failed:
    case errc::write_failed:
    case errc::connection_closed:
    case errc::truncated_answer:
        return {yes, network, 502};
    case errc::connect_timeout:
    case errc::tls_timeout:
    case errc::write_timeout:
    case errc::first_byte_timeout:
    case errc::read_timeout:
        return {yes, network, 504};
    case errc::proxy_refused:
    case errc::certificate_invalid:
    case errc::redirect_refused:
    case errc::header_too_large:
    case errc::body_too_large:
        return {no, configuration, 500};
    case errc::malformed_answer:
        return {yes, service, 502};
    case errc::unsupported_encoding:
        return {no, service, 502};

    case errc::unauthorized:
    case errc::client_certificate_refused:
    case errc::wrong_base_url:
        return {no, configuration, 500};
    case errc::rejected:
        return {no, caller, 422};
    case errc::throttled:
    case errc::service_unavailable:
        return {yes, service, 503};
    case errc::service_error:
        return {yes, service, 502};
    case errc::unexpected_answer:
    case errc::unreadable_answer:
    case errc::job_failed:
    case errc::job_expired:
    case errc::job_lost:
        return {no, service, 502};
    case errc::ambiguous_submit:
        return {may_bill_twice, service, 502};
    case errc::still_processing:
        return {ask_again, service, 504};
    case errc::part_absent:
        return {no, nobody, 404};
    }
    return {};
}

OCRPIPE_DECL error_advice advice_on(failure const& f) noexcept
{
    error_advice advice;
    if (f.code.category() == category()) advice = advice_on(static_cast<errc>(f.code.value()));
    if (advice.retry == retry_advice::yes && !f.request_id.empty()) advice.retry = retry_advice::ask_again;
    return advice;
}

OCRPIPE_DECL std::string_view name(retry_advice r) noexcept
{
    switch (r) {
    case retry_advice::no:
        return "no";
    case retry_advice::yes:
        return "yes";
    case retry_advice::ask_again:
        return "ask_again";
    case retry_advice::may_bill_twice:
        return "may_bill_twice";
    }
    return "unknown";
}

OCRPIPE_DECL std::string_view name(fault f) noexcept
{
    switch (f) {
    case fault::nobody:
        return "nobody";
    case fault::caller:
        return "caller";
    case fault::configuration:
        return "configuration";
    case fault::network:
        return "network";
    case fault::service:
        return "service";
    }
    return "unknown";
}

} // namespace ocrpipe

#endif
