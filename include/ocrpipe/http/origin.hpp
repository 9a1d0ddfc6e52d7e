#ifndef OCRPIPE_HTTP_ORIGIN_HPP
#define OCRPIPE_HTTP_ORIGIN_HPP

#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/secret.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe
{

/// Scheme, host and port. Credentials belong to an origin, and redirects to another one are refused.
struct origin {
    bool tls = true;
    std::string host; ///< lower case; an IPv6 address without brackets
    std::string port; ///< decimal, never empty

    /// host, or host:port if the port is not the scheme's default; the value of the Host header.
    std::string authority() const;
    /// host:port, for CONNECT and for messages.
    std::string host_and_port() const;
    /// scheme://authority
    std::string url() const;

    friend bool operator==(origin const&, origin const&) = default;
};

/// Parses a base URL such as `https://ocr.example` or `http://[::1]:8080/`.
///
/// Errors: errc::invalid_argument, with a reason that names `base_url` and the remedy, for anything that is
/// not http or https, and for user information, a path, a query or a fragment, which would be dropped
/// silently.
OCRPIPE_DECL result<origin> parse_origin(std::string_view base_url);

/// Whether `host` always denotes this machine: localhost, 127.0.0.0/8, ::1.
OCRPIPE_DECL bool is_loopback(std::string_view host);

/// Whether `host` is an IPv4 or IPv6 address, for which there is no name resolution and no SNI.
OCRPIPE_DECL bool is_address(std::string_view host);

/// An HTTP proxy, connected to without TLS.
struct proxy_server {
    origin at;
    std::string authorization; ///< value of Proxy-Authorization; empty without user information; a secret
};

/// Parses `http://[user:password@]host:port`. The scheme may be omitted, as in curl. The default port is 80.
/// Percent-encoding in the user information is decoded.
///
/// Errors: errc::invalid_argument, with a reason that names `proxy`, also for another scheme such as socks5
/// or https. The reason never quotes the URL, which may contain a password.
OCRPIPE_DECL result<proxy_server> parse_proxy(std::string_view url);

/// The password in a proxy's URL, up to the last @, even one in the path; empty if there is none. A password
/// that contains an unescaped @ makes the URL invalid but is still a secret.
OCRPIPE_DECL std::string_view password_in(std::string_view proxy_url);

/// The password in a proxy's URL in each of its forms: as typed, decoded, and as Proxy-Authorization holds
/// it.
OCRPIPE_DECL std::vector<secret> secrets_of(std::string_view proxy_url);

/// Whether requests to `host` and `port` bypass the proxy, according to a list such as
/// `localhost,.internal,10.0.0.0/8,[fd00::]/8,ocr.example:8443` or `*`, with commas or blanks between
/// entries.
///
/// A name matches the host itself and all its subdomains, with or without a leading dot. An address matches
/// itself in any notation; an address with a prefix length matches all addresses with that prefix. An
/// IPv4-mapped IPv6 address equals the IPv4 address. Names are not resolved: a host name is matched by names
/// only. An entry with a port matches that port only. Case is ignored, and an invalid entry matches nothing.
///
/// Source: there is no standard; this is what curl and Go agree on.
OCRPIPE_DECL bool bypasses_proxy(std::string_view host, std::string_view port, std::string_view no_proxy);

/// The target of a redirect.
struct redirect_target {
    origin to;
    std::string path; ///< path and query, encoded, beginning with a slash
};

/// Resolves a Location header against the request's URL; nullopt if it is not an http or https URL.
OCRPIPE_DECL std::optional<redirect_target> resolve_redirect(origin const& from, std::string_view path,
                                                             std::string_view location);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/origin.ipp>
#endif

#endif
