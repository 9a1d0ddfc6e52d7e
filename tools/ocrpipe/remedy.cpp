#include "remedy.hpp"

#include <boost/system/errc.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace ocrpipe::cli
{
namespace
{

/// Whether the service keeps processing although we stopped polling.
bool goes_on(failure const& f) noexcept
{
    if (f.request_id.empty() || f.is(errc::body_too_large) || f.is(errc::header_too_large)) return false;
    return f.is(errc::still_processing) || f.is(errc::cancelled) || f.is(errc::client_closed) ||
           is_transport(f.code);
}

bool is_full_disk(failure const& f) noexcept
{
    return (f.is(errc::ledger_failed) || f.is(errc::unwritable_output)) &&
           f.cause == boost::system::errc::no_space_on_device;
}

/// A command line to copy must not contain characters that a shell would interpret; the id comes from the
/// service.
bool is_plain_word(std::string_view text) noexcept
{
    return !text.empty() && text.front() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
               c == '_' || c == '.';
    });
}

} // namespace

std::string_view remedy(error_code const& code) noexcept
{
    if (code.category() != category()) return {};
    switch (static_cast<errc>(code.value())) {
    case errc::unsupported_file_type:
        return "convert it, or give --file-type to send it anyway";
    case errc::configuration_changed:
        return "repeat the last run's options, choose another directory, or give --accept-changes";
    case errc::ledger_in_use:
        return "wait for the other process, or stop it";
    case errc::ledger_failed:
        return "repair the disk or restore ledger.db, then run the same command again";
    case errc::unwritable_output:
        return "repair the disk or choose another directory, then run the same command again";
    case errc::resolve_failed:
        return "check --base-url, the network and --proxy";
    case errc::connect_failed:
    case errc::connect_timeout:
        return "check --base-url, the network, the firewall and --proxy";
    case errc::proxy_refused:
        return "check --proxy, its user and password, and NO_PROXY";
    case errc::tls_failed:
    case errc::tls_timeout:
        return "check --base-url, --client-cert and --proxy";
    case errc::certificate_invalid:
        return "give the issuer's certificate with --ca-file";
    case errc::body_too_large:
        return "raise --max-answer, then give the same command again";
    case errc::header_too_large:
        return "raise --max-header, then give the same command again";
    case errc::unauthorized:
        return "check the key and --portal-user-id";
    case errc::client_certificate_refused:
        return "give a client certificate that the server accepts with --client-cert and --client-key";
    case errc::wrong_base_url:
        return "check --base-url and --portal-user-id";
    case errc::rejected:
        return "check --doc-type, --flow and --file-type";
    case errc::service_unavailable:
        return "run the same command again when the service works";
    case errc::throttled:
        return "give --submit-rate and --poll-rate, or try later";
    case errc::ambiguous_submit:
        return "ask the service's support whether it has the document";
    case errc::job_lost:
        return "give the request id to the service's support";
    case errc::still_processing:
        return "ask again later";
    default:
        return {};
    }
}

exit_code exit_code_of(failure const& f) noexcept
{
    if (f.is(errc::unauthorized) || f.is(errc::wrong_base_url) || f.is(errc::certificate_invalid) ||
        f.is(errc::client_certificate_refused) || f.is(errc::proxy_refused))
        return exit_code::refused;
    if (f.is(errc::configuration_changed)) return exit_code::refused;
    if (f.is(errc::ledger_in_use)) return exit_code::ledger_in_use;
    if (f.is(errc::unwritable_output) || f.is(errc::ledger_failed)) return exit_code::disk_error;
    if (f.is(errc::invalid_argument)) return exit_code::usage;
    if (f.is(errc::unreadable_file) || f.is(errc::empty_document) || f.is(errc::unsupported_file_type) ||
        f.is(errc::file_changed))
        return exit_code::inputs_unreadable;
    return exit_code::documents_failed;
}

exit_code refuse(failure const& f, std::string_view what, logger& log)
{
    log.write(describe(level::error, "refused", what, f));
    return exit_code_of(f);
}

message describe(input_problem const& p)
{
    return message(level::warn, "input_problem",
                   fmt::format("{}{}{}", p.where.empty() ? "" : p.where + ": ",
                               p.path.empty() ? "" : p.path + ": ",
                               p.message.empty() ? p.code.message() : p.message),
                   {{"path", p.path}, {"where", p.where}, {"reason", p.message}});
}

message describe(level l, std::string_view event, std::string_view what, failure const& f)
{
    std::string text = fmt::format("{}: {}", what, to_string(f));
    if (f.is(errc::still_processing) && f.http_status == 404)
        text += ": the service does not know this request id, at least not yet: check it";
    else if (goes_on(f))
        text += fmt::format(": the job continues; to wait for it: ocrpipe result {} --wait",
                            is_plain_word(f.request_id) ? f.request_id : "ID");
    else if (is_full_disk(f))
        text += ": make room on the disk, then run the same command again";
    else if (auto const advice = remedy(f.code); !advice.empty())
        text += fmt::format(": {}", advice);
    message m(l, event, std::move(text));
    m.fields.push_back({"code", f.code.category() == category()
                                    ? std::string(name(static_cast<errc>(f.code.value())))
                                    : f.code.message()});
    if (f.where != phase::none) m.fields.push_back({"phase", std::string(name(f.where))});
    if (f.http_status != 0) m.fields.push_back({"http_status", std::int64_t(f.http_status)});
    if (f.attempts != 0) m.fields.push_back({"attempts", std::int64_t(f.attempts)});
    if (!f.request_id.empty()) m.fields.push_back({"request_id", f.request_id});
    if (!f.reason.empty()) m.fields.push_back({"reason", f.reason});
    return m;
}

} // namespace ocrpipe::cli
