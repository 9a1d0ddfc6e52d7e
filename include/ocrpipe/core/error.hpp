#ifndef OCRPIPE_CORE_ERROR_HPP
#define OCRPIPE_CORE_ERROR_HPP

#include <ocrpipe/core/config.hpp>

#include <boost/system/error_code.hpp>

#include <optional>
#include <string_view>
#include <type_traits>

namespace ocrpipe
{

using error_code = boost::system::error_code;

/// What went wrong. Grouped by who can fix it: the caller, the network, the service.
enum class errc {
    ok = 0,

    // The caller's side: nothing was sent.
    invalid_argument, ///< an option or request field is out of range; the message names it
    unreadable_file,  ///< the document cannot be opened or read
    empty_document,   ///< the document has no bytes
    /// The first bytes are not PDF, PNG, JPEG or TIFF; give file_type to send it anyway.
    unsupported_file_type,
    file_changed,          ///< the file grew, shrank or vanished while it was being sent
    configuration_changed, ///< the run was started with other options; the reason names them
    unwritable_output,     ///< results cannot be written: disk full, no permission; the cause says which
    ledger_in_use,         ///< another process is using this run's ledger
    /// The ledger cannot be read or written, or is not a ledger; the cause and the reason say why.
    ledger_failed,
    cancelled, ///< the caller cancelled
    /// The caller's deadline passed before the request was sent or the part was available.
    deadline_exceeded,
    too_many_waiting, ///< a bounded queue is full; the message names its bound
    client_closed,    ///< the client was closed while the operation waited

    // The network: transport failures, never reported as an HTTP status.
    resolve_failed,       ///< the host name has no address
    connect_failed,       ///< no address of the host accepted a connection
    connect_timeout,      ///< the TCP connection was not established in time
    proxy_refused,        ///< the HTTP proxy did not pass the request on
    tls_failed,           ///< the TLS handshake failed
    certificate_invalid,  ///< the peer's certificate or host name failed verification
    tls_timeout,          ///< the TLS handshake did not complete in time
    acquire_timeout,      ///< no pooled connection became free in time
    write_failed,         ///< the connection broke while the request was being sent
    write_timeout,        ///< no bytes could be sent for the write timeout
    connection_closed,    ///< the peer closed or reset the connection before the answer
    first_byte_timeout,   ///< no answer began in time
    read_timeout,         ///< no bytes of the answer arrived for the read timeout
    truncated_answer,     ///< the answer ended before its announced length
    malformed_answer,     ///< the answer is not HTTP/1.1, or its framing contradicts itself
    header_too_large,     ///< the answer's header exceeds its limit
    body_too_large,       ///< the answer's body, after decoding, exceeds max_answer_bytes
    unsupported_encoding, ///< the answer's content encoding is neither identity nor gzip/deflate
    redirect_refused,     ///< a redirect to another origin, or too many of them

    // The service.
    unauthorized, ///< 401, 402 or 403, and the probe was refused too: key, user id or permission
    client_certificate_refused, ///< the server requires a client certificate, or refuses the one given
    wrong_base_url,    ///< a gateway's 404, or HTML where the API should be: base URL or user id is wrong
    rejected,          ///< 400, 413, 415, 422 or another 4xx: this document or its parameters are refused
    throttled,         ///< 429 until the attempts or the deadline were used up
    service_error,     ///< 408, 409, 423, 425 or 5xx until the attempts were used up
    unexpected_answer, ///< an answer that fits no row of the decision table
    unreadable_answer, ///< a result that is twice the same invalid JSON; failure::answer holds it
    ambiguous_submit,  ///< the document was sent but no request_id came back; it may be billed
    job_failed,        ///< the service says that the job failed
    job_expired,       ///< 410: the result is gone
    job_lost,          ///< the service no longer knows the request_id; kept, never resubmitted automatically
    still_processing,  ///< the deadline passed, the job continues; ask again with the same request_id
    part_absent,       ///< the service has no such table, signature, stamp or image
    /// An outage lasted for too long, or no result could be read; nothing was sent.
    service_unavailable,

    /// As many documents or bytes are held as saturation_options allows. Nothing was sent; try again after
    /// failure::retry_after.
    saturated,
};

OCRPIPE_DECL boost::system::error_category const& category() noexcept;

inline error_code make_error_code(errc e) noexcept { return error_code(static_cast<int>(e), category()); }

/// The enumerator's own name, such as "ambiguous_submit": stable, used in failures.jsonl and `--class`.
OCRPIPE_DECL std::string_view name(errc e) noexcept;

/// The enumerator with that name, if any.
OCRPIPE_DECL std::optional<errc> errc_named(std::string_view name) noexcept;

/// Whether `e` is an ocrpipe::errc for a transport failure (resolve_failed … redirect_refused).
OCRPIPE_DECL bool is_transport(error_code const& e) noexcept;

} // namespace ocrpipe

namespace boost::system
{

template<>
struct is_error_code_enum<ocrpipe::errc> : std::true_type {
};

} // namespace boost::system

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/core/impl/error.ipp>
#endif

#endif
