#ifndef OCRPIPE_CORE_IMPL_ERROR_IPP
#define OCRPIPE_CORE_IMPL_ERROR_IPP

#include <ocrpipe/core/error.hpp>

#include <array>
#include <string>

namespace ocrpipe
{
namespace detail
{

struct errc_text {
    errc code;
    std::string_view name;
    std::string_view message;
};

inline constexpr std::array errc_texts{
    errc_text{errc::ok, "ok", "no error"},
    errc_text{errc::invalid_argument, "invalid_argument", "an option or field is out of range"},
    errc_text{errc::unreadable_file, "unreadable_file", "the document cannot be read"},
    errc_text{errc::empty_document, "empty_document", "the document has no bytes"},
    errc_text{errc::unsupported_file_type, "unsupported_file_type",
              "the first bytes are not PDF, PNG, JPEG or TIFF (set file_type to send it anyway)"},
    errc_text{errc::file_changed, "file_changed", "the file changed while it was being sent"},
    errc_text{errc::configuration_changed, "configuration_changed", "the run was started with other options"},
    errc_text{errc::unwritable_output, "unwritable_output", "the results cannot be written"},
    errc_text{errc::ledger_in_use, "ledger_in_use", "another process works on this ledger"},
    errc_text{errc::ledger_failed, "ledger_failed", "the ledger cannot be read or written"},
    errc_text{errc::cancelled, "cancelled", "cancelled by the caller"},
    errc_text{errc::deadline_exceeded, "deadline_exceeded",
              "the deadline passed before the request was sent"},
    errc_text{errc::too_many_waiting, "too_many_waiting", "too many operations are waiting"},
    errc_text{errc::client_closed, "client_closed", "the client was closed"},
    errc_text{errc::resolve_failed, "resolve_failed", "the host name could not be resolved"},
    errc_text{errc::connect_failed, "connect_failed", "no address accepted the connection"},
    errc_text{errc::connect_timeout, "connect_timeout", "the connection was not established in time"},
    errc_text{errc::proxy_refused, "proxy_refused", "the proxy did not pass the request on"},
    errc_text{errc::tls_failed, "tls_failed", "the TLS handshake failed"},
    errc_text{errc::certificate_invalid, "certificate_invalid",
              "the server's certificate could not be verified"},
    errc_text{errc::tls_timeout, "tls_timeout", "the TLS handshake did not finish in time"},
    errc_text{errc::acquire_timeout, "acquire_timeout", "no pooled connection became free in time"},
    errc_text{errc::write_failed, "write_failed", "the connection broke while sending"},
    errc_text{errc::write_timeout, "write_timeout", "sending made no progress in time"},
    errc_text{errc::connection_closed, "connection_closed", "the connection closed before the answer"},
    errc_text{errc::first_byte_timeout, "first_byte_timeout", "the answer did not begin in time"},
    errc_text{errc::read_timeout, "read_timeout", "the answer stalled"},
    errc_text{errc::truncated_answer, "truncated_answer", "the answer ended early"},
    errc_text{errc::malformed_answer, "malformed_answer", "the answer is not valid HTTP/1.1"},
    errc_text{errc::header_too_large, "header_too_large", "the answer's header exceeds the limit"},
    errc_text{errc::body_too_large, "body_too_large", "the answer's body exceeds the limit"},
    errc_text{errc::unsupported_encoding, "unsupported_encoding", "the answer's content encoding is unknown"},
    errc_text{errc::redirect_refused, "redirect_refused", "a redirect was not followed"},
    errc_text{errc::unauthorized, "unauthorized", "the service refuses the credentials"},
    errc_text{errc::client_certificate_refused, "client_certificate_refused",
              "the server requires a client certificate, or refuses the given one"},
    errc_text{errc::wrong_base_url, "wrong_base_url", "there is no OCR API at this base URL and user id"},
    errc_text{errc::rejected, "rejected", "the service refuses the request"},
    errc_text{errc::throttled, "throttled", "the service keeps throttling"},
    errc_text{errc::service_error, "service_error", "the service keeps failing"},
    errc_text{errc::unexpected_answer, "unexpected_answer", "the answer is not understood"},
    errc_text{errc::unreadable_answer, "unreadable_answer", "the service's result is not JSON"},
    errc_text{errc::ambiguous_submit, "ambiguous_submit",
              "the document went out but no request_id came back; it may have been accepted and billed"},
    errc_text{errc::job_failed, "job_failed", "the service reports that the job failed"},
    errc_text{errc::job_expired, "job_expired", "the result has expired at the service"},
    errc_text{errc::job_lost, "job_lost", "the service no longer knows this request_id"},
    errc_text{errc::still_processing, "still_processing", "the job was not finished at the deadline"},
    errc_text{errc::part_absent, "part_absent", "the service has no such part"},
    errc_text{errc::service_unavailable, "service_unavailable",
              "the service cannot be used; nothing was sent"},
    errc_text{errc::saturated, "saturated", "as many documents are held as the options allow"},
};

constexpr bool errc_texts_in_order()
{
    for (std::size_t i = 0; i != errc_texts.size(); ++i)
        if (static_cast<std::size_t>(errc_texts[i].code) != i) return false;
    return errc_texts.size() == static_cast<std::size_t>(errc::saturated) + 1;
}
static_assert(errc_texts_in_order(), "errc_texts must list every errc in the order of the enumeration");

class ocrpipe_category final : public boost::system::error_category
{
public:
    char const* name() const noexcept override { return "ocrpipe"; }
    std::string message(int value) const override
    {
        if (value < 0 || static_cast<std::size_t>(value) >= errc_texts.size()) return "unknown error";
        return std::string(errc_texts[static_cast<std::size_t>(value)].message);
    }
};

} // namespace detail

OCRPIPE_DECL boost::system::error_category const& category() noexcept
{
    static detail::ocrpipe_category const instance;
    return instance;
}

OCRPIPE_DECL std::string_view name(errc e) noexcept
{
    auto const i = static_cast<std::size_t>(e);
    return i < detail::errc_texts.size() ? detail::errc_texts[i].name : "unknown";
}

OCRPIPE_DECL std::optional<errc> errc_named(std::string_view name) noexcept
{
    for (detail::errc_text const& t : detail::errc_texts)
        if (t.name == name) return t.code;
    return std::nullopt;
}

OCRPIPE_DECL bool is_transport(error_code const& e) noexcept
{
    return e.category() == category() && e.value() >= static_cast<int>(errc::resolve_failed) &&
           e.value() <= static_cast<int>(errc::redirect_refused);
}

} // namespace ocrpipe

#endif
