#ifndef OCRPIPE_CORE_ERROR_ADVICE_HPP
#define OCRPIPE_CORE_ERROR_ADVICE_HPP

#include <ocrpipe/core/result.hpp>

#include <string_view>

namespace ocrpipe
{

/// Whether the operation that failed may be started again. The attempts of retry_policy have already been
/// made.
enum class retry_advice {
    no,             ///< it would fail again, unless something else is changed first
    yes,            ///< nothing was accepted, so the same call may succeed later and pays for nothing twice
    ask_again,      ///< the document was accepted: call client::async_wait with failure::request_id
    may_bill_twice, ///< the document may have been accepted: another submit may be billed, too
};

/// Where the cause of an error is.
enum class fault {
    nobody,        ///< there is nothing to fix
    caller,        ///< in the call: its document, its parameters, its time, or the number of calls
    configuration, ///< in the options, the credentials or the machine of this program
    network,       ///< between this program and the service
    service,       ///< in the service, or in how it processed the document
};

/// What a program can do about an error.
struct error_advice {
    retry_advice retry = retry_advice::no;
    fault whose = fault::nobody;
    /// The HTTP status with which a server answers its own caller. A fault of the configuration is a 500: the
    /// caller can do nothing about it. It is 504 for a job that continues, and never a success, except for
    /// errc::ok.
    int http_status = 500;

    bool operator==(error_advice const&) const = default;
};

/// The advice for an error code, without the facts of a failure.
///
/// Returns: for a value that is no enumerator, `no`, `nobody` and 500. Thread safety: any thread.
OCRPIPE_DECL error_advice advice_on(errc e) noexcept;

/// The advice for a failure. As for its code; but if the code says `yes` and the failure has a request_id,
/// the document was accepted, so the advice is `ask_again`.
OCRPIPE_DECL error_advice advice_on(failure const& f) noexcept;

/// The enumerator's own name, such as "ask_again".
OCRPIPE_DECL std::string_view name(retry_advice r) noexcept;
OCRPIPE_DECL std::string_view name(fault f) noexcept;

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/core/impl/error_advice.ipp>
#endif

#endif
