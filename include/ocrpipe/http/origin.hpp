#ifndef OCRPIPE_HTTP_ORIGIN_HPP
#define OCRPIPE_HTTP_ORIGIN_HPP

#include <ocrpipe/core/result.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe
{

/// Scheme, host and port: what credentials belong to, and what a redirect must not leave.
struct origin {
    bool tls = true;
    std::string host; ///< lower case; an IPv6 address without brackets
    std::string port; ///< decimal, never empty

    /// host, or host:port when the port is not the scheme's own; what the Host header says.
    std::string authority() const;
    /// host:port, as CONNECT wants it and people read it.
    std::string host_and_port() const;
    /// scheme://authority
    std::string url() const;

    friend bool operator==(origin const&, origin const&) = default;
};

/// Reads a base URL such as `https://ocr.example` or `http://[::1]:8080/`.
///
/// Errors: errc::invalid_argument, with a reason that names `base_url` and the remedy, for anything that is
/// not http or https, and for user information, a path, a query or a fragment, which would be dropped
/// silently.
OCRPIPE_DECL result<origin> parse_origin(std::string_view base_url);

/// Whether `host` can only be this machine: localhost, 127.0.0.0/8, ::1.
OCRPIPE_DECL bool is_loopback(std::string_view host);

/// Whether `host` is an IPv4 or IPv6 address, for which no name is looked up and no SNI is sent.
OCRPIPE_DECL bool is_address(std::string_view host);

/// An HTTP proxy, reached in clear text.
struct proxy_server {
    origin at;
    std::string authorization; ///< value of Proxy-Authorization; empty without user information; a secret
};

/// Reads `http://[user:password@]host:port`; without a scheme, as curl does, `host:port` is the same. A port
/// that is left out is 80. Percent-encoding in the user information is decoded.
///
/// Errors: errc::invalid_argument, with a reason that names `proxy`, for another scheme such as socks5 or
/// https, too; it never quotes the URL, which may hold a password.
OCRPIPE_DECL result<proxy_server> parse_proxy(std::string_view url);

/// Whether requests to `host` and `port` go direct, by a list such as
/// `localhost,.internal,10.0.0.0/8,[fd00::]/8,ocr.example:8443` or `*`, with commas or blanks between
/// entries.
///
/// A name matches the host itself and everything below it, with or without a leading dot. An address matches
/// itself, however it is written, and an address with a prefix length the addresses that begin so; an IPv4
/// address in IPv6 (::ffff:10.0.0.7) is the IPv4 address. No name is looked up: a host that is a name is
/// matched by names only. An entry with a port matches that port only. Letter case does not matter, and an
/// entry that is none of this matches nothing.
/// Source: there is no standard; this is what curl and Go agree on.
OCRPIPE_DECL bool bypasses_proxy(std::string_view host, std::string_view port, std::string_view no_proxy);

/// Where a redirect leads.
struct redirect_target {
    origin to;
    std::string path; ///< path and query, encoded, beginning with a slash
};

/// Resolves a Location header against the request's URL; nullopt when it is not an http or https URL.
OCRPIPE_DECL std::optional<redirect_target> resolve_redirect(origin const& from, std::string_view path,
                                                             std::string_view location);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/origin.ipp>
#endif

#endif
