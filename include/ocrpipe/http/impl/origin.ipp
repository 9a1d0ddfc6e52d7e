#ifndef OCRPIPE_HTTP_IMPL_ORIGIN_IPP
#define OCRPIPE_HTTP_IMPL_ORIGIN_IPP

#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/core/words.hpp>
#include <ocrpipe/http/origin.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace ocrpipe
{
namespace detail
{

inline std::string_view default_port(bool tls) { return tls ? "443" : "80"; }

/// Scheme, host and port of an absolute URL; nullopt for other schemes, a missing host, and an invalid port.
inline std::optional<origin> origin_of(boost::urls::url_view const& url)
{
    origin o;
    if (url.scheme_id() != boost::urls::scheme::https && url.scheme_id() != boost::urls::scheme::http)
        return std::nullopt;
    o.tls = url.scheme_id() == boost::urls::scheme::https;
    o.host = lower_case(url.host_address());
    // The host was percent-decoded above and may contain anything. Accept only characters that a URL's host
    // can contain unencoded (RFC 3986, 3.2.2). This also excludes zone ids, which are meaningful on one
    // machine only.
    std::string_view const others =
        url.host_type() == boost::urls::host_type::ipv6 ? ":." : "-._~!$&'()*+,;=";
    bool const usable = std::all_of(o.host.begin(), o.host.end(), [others](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || others.find(c) != std::string_view::npos;
    });
    // 253 is the maximum length of a DNS name, and so of SNI.
    if (o.host.empty() || o.host.size() > 253 || !usable) return std::nullopt;
    o.port = default_port(o.tls);
    if (url.has_port() && !url.port().empty()) {
        // Not port_number(), which in Boost 1.81 reduces values that do not fit in 16 bits modulo 65536.
        std::string_view const digits = url.port();
        std::uint16_t port = 0;
        auto const [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
        if (ec != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
        o.port = std::to_string(port);
    }
    return o;
}

inline std::string base64(std::string_view text)
{
    std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
    int const n =
        ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                          reinterpret_cast<unsigned char const*>(text.data()), static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(n));
    return out;
}

inline std::string bracketed(std::string const& host)
{
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// The bytes of an IPv6 address, or of the mapped form of an IPv4 address; nullopt for a name.
inline std::optional<boost::asio::ip::address_v6::bytes_type> address_bytes(std::string_view host)
{
    namespace ip = boost::asio::ip;
    error_code ec;
    auto const address = ip::make_address(std::string(host), ec);
    if (ec) return std::nullopt;
    if (address.is_v4()) return ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes();
    return address.to_v6().to_bytes();
}

/// A parsed NO_PROXY entry.
struct no_proxy_entry {
    std::string_view host;   ///< without brackets
    std::string_view prefix; ///< length, without its slash
    bool port_fits = true;
};

inline no_proxy_entry split_entry(std::string_view text, std::string_view port)
{
    no_proxy_entry e;
    std::string_view rest;
    if (text.starts_with('[')) {
        std::size_t const close = std::min(text.find(']'), text.size());
        e.host = text.substr(1, close - 1);
        rest = text.substr(std::min(close + 1, text.size()));
    } else {
        // More than one colon: an address without brackets, and without a port.
        std::size_t const colon = text.find(':');
        bool const has_port = colon != text.npos && text.find(':', colon + 1) == text.npos;
        e.host = text.substr(0, has_port ? colon : text.npos);
        rest = text.substr(has_port ? colon : text.size());
    }
    for (std::string_view* part : {&e.host, &rest}) {
        std::size_t const slash = part->find('/');
        if (slash == part->npos) continue;
        e.prefix = part->substr(slash + 1);
        *part = part->substr(0, slash);
    }
    e.port_fits = rest.empty() || (rest.front() == ':' && rest.substr(1) == port);
    return e;
}

inline bool covers_address(std::string_view entry, boost::asio::ip::address_v6::bytes_type const& address,
                           std::string_view port)
{
    no_proxy_entry const e = split_entry(entry, port);
    if (!e.port_fits) return false;
    if (e.host == "*") return true;
    auto const network = address_bytes(e.host);
    if (!network) return false;
    unsigned const offset = e.host.find(':') == e.host.npos ? 96 : 0; // of IPv4 in its mapped form
    unsigned bits = 128 - offset;
    if (entry.find('/') != entry.npos) {
        char const* const end = e.prefix.data() + e.prefix.size();
        unsigned length = 0;
        auto const [stop, error] = std::from_chars(e.prefix.data(), end, length);
        if (error != std::errc() || stop != end || length > bits) return false;
        bits = length;
    }
    // An IPv4 address matches no IPv6 network other than those of its mapped form.
    if (offset == 0 && bits < 96 && boost::asio::ip::address_v6(address).is_v4_mapped()) return false;
    bits += offset;
    for (std::size_t i = 0; i != bits / 8; ++i)
        if (address[i] != (*network)[i]) return false;
    unsigned const last = bits % 8;
    return last == 0 || (address[bits / 8] ^ (*network)[bits / 8]) >> (8 - last) == 0;
}

inline bool covers_name(std::string_view entry, std::string_view name, std::string_view port)
{
    no_proxy_entry const e = split_entry(entry, port);
    std::string_view domain = e.host;
    if (!e.port_fits || entry.find('/') != entry.npos) return false;
    if (domain == "*") return true;
    if (domain.starts_with("*.")) domain.remove_prefix(1);
    if (domain.starts_with('.')) domain.remove_prefix(1);
    if (domain.ends_with('.')) domain.remove_suffix(1);
    if (domain.empty() || !name.ends_with(domain)) return false;
    return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

} // namespace detail

OCRPIPE_DECL std::string origin::authority() const
{
    return port == detail::default_port(tls) ? detail::bracketed(host) : host_and_port();
}

OCRPIPE_DECL std::string origin::host_and_port() const { return detail::bracketed(host) + ":" + port; }

OCRPIPE_DECL std::string origin::url() const { return (tls ? "https://" : "http://") + authority(); }

OCRPIPE_DECL result<origin> parse_origin(std::string_view base_url)
{
    auto const refuse = [&](std::string_view what) {
        return failure(errc::invalid_argument, phase::prepare, fmt::format("base_url: {}", what));
    };
    auto const url = boost::urls::parse_uri(base_url);
    if (url.has_error()) return refuse("not a URL: give scheme, host and port, such as https://ocr.example");
    if (url->has_userinfo())
        return refuse("user information is not sent: remove it and give the key as api_key");
    if ((!url->encoded_path().empty() && url->encoded_path() != "/") || url->has_query() ||
        url->has_fragment())
        return refuse("give scheme, host and port only: the path follows from portal_user_id");
    std::optional<origin> o = detail::origin_of(*url);
    if (!o) return refuse("needs http or https, a host, and a port from 1 to 65535 or none");
    return *std::move(o);
}

OCRPIPE_DECL bool is_address(std::string_view host)
{
    error_code ec;
    boost::asio::ip::make_address(std::string(host), ec);
    return !ec;
}

OCRPIPE_DECL bool is_loopback(std::string_view host)
{
    if (host == "localhost" || host.ends_with(".localhost")) return true; // RFC 6761, section 6.3
    error_code ec;
    auto const address = boost::asio::ip::make_address(std::string(host), ec);
    return !ec && address.is_loopback();
}

OCRPIPE_DECL result<proxy_server> parse_proxy(std::string_view text)
{
    auto const refuse = [](std::string_view what) {
        return failure(errc::invalid_argument, phase::prepare, fmt::format("proxy: {}", what));
    };
    // Checked before parsing as a URL, which would take "proxy:3128" for the scheme "proxy".
    std::size_t const colon = text.find("://");
    std::string_view const scheme = colon == text.npos ? std::string_view("http") : text.substr(0, colon);
    if (detail::lower_case(scheme).starts_with("socks"))
        return refuse("SOCKS is not supported: give an HTTP proxy as http://host:port");
    std::string const whole = (colon == text.npos ? "http://" : "") + std::string(text);
    auto const url = boost::urls::parse_uri(whole);
    if (url.has_error()) return refuse("not a URL: give http://[user:password@]host:port");
    std::optional<origin> at = detail::origin_of(*url);
    if (!at || at->tls)
        return refuse("needs the form http://[user:password@]host:port; https is not supported");
    if ((!url->encoded_path().empty() && url->encoded_path() != "/") || url->has_query() ||
        url->has_fragment())
        return refuse("a path, query or fragment has no meaning: give host and port only");
    proxy_server p;
    p.at = *std::move(at);
    if (url->has_userinfo()) p.authorization = "Basic " + detail::base64(url->user() + ":" + url->password());
    return p;
}

OCRPIPE_DECL std::string_view password_in(std::string_view proxy_url)
{
    std::size_t const scheme = proxy_url.find("://");
    std::string_view const rest = scheme == proxy_url.npos ? proxy_url : proxy_url.substr(scheme + 3);
    std::size_t const at = rest.rfind('@');
    std::size_t const colon = rest.find(':');
    if (at == rest.npos || colon == rest.npos || colon > at) return {};
    return rest.substr(colon + 1, at - colon - 1);
}

OCRPIPE_DECL std::vector<secret> secrets_of(std::string_view proxy_url)
{
    std::string const password(password_in(proxy_url));
    if (password.empty()) return {};
    std::vector<secret> out{secret(password)};
    if (auto const meant = detail::percent_decoded(password); meant && *meant != password)
        out.emplace_back(*meant);
    constexpr std::string_view scheme = "Basic ";
    auto const proxy = parse_proxy(proxy_url);
    if (!proxy || !proxy->authorization.starts_with(scheme)) return out;
    std::string sent = proxy->authorization.substr(scheme.size());
    sent.resize(sent.find_last_not_of('=') + 1); // an echo may lack the padding
    out.emplace_back(std::move(sent));
    return out;
}

OCRPIPE_DECL bool bypasses_proxy(std::string_view host, std::string_view port, std::string_view no_proxy)
{
    std::string wanted = detail::lower_case(host);
    if (wanted.ends_with('.')) wanted.pop_back();
    auto const address = detail::address_bytes(wanted);
    constexpr std::string_view separators = ", \t\r\n";
    for (std::size_t at = 0; (at = no_proxy.find_first_not_of(separators, at)) != no_proxy.npos;) {
        std::size_t const end = std::min(no_proxy.find_first_of(separators, at), no_proxy.size());
        std::string const entry = detail::lower_case(no_proxy.substr(at, end - at));
        at = end;
        if (address ? detail::covers_address(entry, *address, port)
                    : detail::covers_name(entry, wanted, port))
            return true;
    }
    return false;
}

OCRPIPE_DECL std::optional<redirect_target> resolve_redirect(origin const& from, std::string_view path,
                                                             std::string_view location)
{
    std::string const here = from.url() + std::string(path);
    auto const base = boost::urls::parse_uri(here);
    auto const reference = boost::urls::parse_uri_reference(location);
    if (base.has_error() || reference.has_error()) return std::nullopt;
    boost::urls::url url(*base);
    if (url.resolve(*reference).has_error() || url.has_userinfo()) return std::nullopt;
    std::optional<origin> to = detail::origin_of(url);
    if (!to) return std::nullopt;
    redirect_target target;
    target.to = *std::move(to);
    target.path = std::string(url.encoded_path());
    if (target.path.empty()) target.path = "/";
    // Boost 1.81 takes "http://host:1x" for a host, an empty port and the path "1x", which behind the
    // authority of the absolute form would become a part of it. Remove when parse_uri_reference() rejects
    // that.
    if (target.path.front() != '/') return std::nullopt;
    if (url.has_query()) target.path += "?" + std::string(url.encoded_query());
    return target;
}

} // namespace ocrpipe

#endif
