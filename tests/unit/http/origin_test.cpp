#include <ocrpipe/http/origin.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;

namespace
{

std::string refusal(std::string_view url)
{
    auto const parsed = parse_origin(url);
    REQUIRE(parsed.has_error());
    CHECK(parsed.error().is(errc::invalid_argument));
    CHECK(parsed.error().where == phase::prepare);
    return parsed.error().reason;
}

/// Where the port plays no part.
bool bypasses(std::string_view host, std::string_view no_proxy)
{
    return bypasses_proxy(host, "443", no_proxy);
}

} // namespace

TEST_CASE("parse_origin: scheme and host alone -> the scheme's own port")
{
    origin const o = parse_origin("https://OCR.example").value();
    CHECK(o.tls);
    CHECK(o.host == "ocr.example");
    CHECK(o.port == "443");
    CHECK(o.authority() == "ocr.example");
    CHECK(o.host_and_port() == "ocr.example:443");
    CHECK(o.url() == "https://ocr.example");
    CHECK(parse_origin("http://127.0.0.1/").value().port == "80");
}

TEST_CASE("parse_origin: IPv6 address and port -> host without brackets, authority with them")
{
    origin const o = parse_origin("http://[::1]:8080/").value();
    CHECK_FALSE(o.tls);
    CHECK(o.host == "::1");
    CHECK(o.port == "8080");
    CHECK(o.authority() == "[::1]:8080");
    CHECK(o.url() == "http://[::1]:8080");
}

TEST_CASE("parse_origin: a port with leading zeros -> the same origin as without")
{
    CHECK(parse_origin("https://a.example:0443").value() == parse_origin("https://a.example").value());
}

TEST_CASE("parse_origin: what would be dropped silently -> refused with the remedy, and no secret quoted")
{
    CHECK(refusal("https://ocr.example/maas/v1").find("the path follows from portal_user_id") !=
          std::string::npos);
    CHECK(refusal("https://ocr.example?x=1").find("base_url") == 0);
    CHECK(refusal("https://ocr.example#x").find("base_url") == 0);
    std::string const reason = refusal("https://user:hunter2@ocr.example");
    CHECK(reason.find("api_key") != std::string::npos);
    CHECK(reason.find("hunter2") == std::string::npos);
}

TEST_CASE("parse_origin: what is no http URL -> refused")
{
    for (char const* url :
         {"", "ocr.example", "ftp://ocr.example", "https://", "https://:443", "https://a.example:0",
          "https://a.example:65536", "https://a.example:65537", "https://a.example:port",
          "https://a b.example", "https://a%00b.example", "https://a%0d%0ab.example", "https://a%2fb.example",
          "https://a%40b.example", "https://a%3a8443", "https://a%7db.example"}) {
        CAPTURE(url);
        refusal(url);
    }
}

TEST_CASE("is_loopback: this machine's names and addresses -> true, look-alikes -> false")
{
    for (char const* host : {"localhost", "api.localhost", "127.0.0.1", "127.8.9.10", "::1"}) {
        CAPTURE(host);
        CHECK(is_loopback(host));
    }
    for (char const* host :
         {"localhost.example", "notlocalhost", "128.0.0.1", "127.0.0.1.example", "0.0.0.0", "::2"}) {
        CAPTURE(host);
        CHECK_FALSE(is_loopback(host));
    }
}

TEST_CASE("parse_proxy: user information percent-encoded -> decoded into Basic credentials")
{
    proxy_server const p = parse_proxy("http://us%40er:p%3Ass@proxy.example:3128").value();
    CHECK(p.at.host == "proxy.example");
    CHECK(p.at.port == "3128");
    CHECK(p.authorization == "Basic dXNAZXI6cDpzcw==");
    CHECK(parse_proxy("http://proxy.example").value().authorization.empty());
}

TEST_CASE("parse_proxy: no scheme -> http, as curl reads it")
{
    struct row {
        char const* text;
        char const* host;
        char const* port;
    };
    for (row const& r : {row{"proxy.example:3128", "proxy.example", "3128"}, row{"PROXY", "proxy", "80"},
                         row{"10.0.0.1:8080/", "10.0.0.1", "8080"}, row{"[::1]:8080", "::1", "8080"},
                         row{"u:p@proxy.example:1", "proxy.example", "1"},
                         row{"HTTP://proxy.example:1", "proxy.example", "1"}}) {
        CAPTURE(r.text);
        auto const p = parse_proxy(r.text);
        REQUIRE(p.has_value());
        CHECK(p->at.host == r.host);
        CHECK(p->at.port == r.port);
    }
    CHECK(parse_proxy("u:p@proxy.example:1").value().authorization == "Basic dTpw");
}

TEST_CASE("parse_proxy: SOCKS of any version -> refused with the remedy")
{
    for (char const* url :
         {"socks://p:1", "socks4://p:1", "socks4a://p:1", "socks5://p:1", "SOCKS5H://p:1"}) {
        CAPTURE(url);
        auto const p = parse_proxy(url);
        REQUIRE(p.has_error());
        CHECK(p.error().reason == "proxy: SOCKS is not supported: give an HTTP proxy as http://host:port");
    }
}

TEST_CASE("parse_proxy: a URL that cannot be used -> refused without quoting its password")
{
    for (char const* url : {"https://u:hunter2@proxy.example", "socks5://u:hunter2@proxy.example:1080",
                            "http://u:hunter2@proxy.example/path", "u:hunter2@proxy.example/path",
                            "u:hunter2@", "http://u:hunter2@proxy.example:port", "ftp://u:hunter2@p:1"}) {
        CAPTURE(url);
        auto const p = parse_proxy(url);
        REQUIRE(p.has_error());
        CHECK(p.error().reason.find("proxy") == 0);
        CHECK(p.error().reason.find("hunter2") == std::string::npos);
    }
}

TEST_CASE("bypasses_proxy: a name -> matches itself and what is below it")
{
    CHECK(bypasses("ocr.example", "ocr.example"));
    CHECK(bypasses("OCR.example.", "ocr.EXAMPLE"));
    CHECK(bypasses("ocr.example", "example"));
    CHECK(bypasses("ocr.example", ".example"));
    CHECK(bypasses("ocr.example", "*.example"));
    CHECK(bypasses("ocr.example", " other.example , ocr.example\t"));
    CHECK_FALSE(bypasses("ocr.example", "cr.example"));
    CHECK_FALSE(bypasses("example", "ocr.example"));
    CHECK_FALSE(bypasses("ocr.example.com", "ocr.example"));
}

TEST_CASE("bypasses_proxy: an address -> matches itself only")
{
    CHECK(bypasses("10.0.0.7", "10.0.0.7"));
    CHECK(bypasses("::1", "::1"));
    CHECK(bypasses("::1", "[::1]"));
    CHECK_FALSE(bypasses("10.0.0.7", "0.7"));
    CHECK_FALSE(bypasses("10.0.0.7", ".7"));
}

TEST_CASE("bypasses_proxy: an entry with a port -> matches that port only")
{
    CHECK(bypasses_proxy("ocr.example", "8443", "ocr.example:8443"));
    CHECK(bypasses_proxy("::1", "8443", "[::1]:8443"));
    CHECK_FALSE(bypasses_proxy("ocr.example", "443", "ocr.example:8443"));
    CHECK_FALSE(bypasses_proxy("::1", "443", "[::1]:8443"));
}

TEST_CASE("bypasses_proxy: an address with a prefix length -> the addresses that begin so")
{
    struct row {
        char const* host;
        char const* list;
        bool bypasses;
    };
    for (row const& r : {
             row{"10.200.3.4", "10.0.0.0/8", true},
             row{"10.200.3.4", "10.9.9.9/8", true},
             row{"11.0.0.1", "10.0.0.0/8", false},
             row{"192.168.17.9", "192.168.16.0/23", true},
             row{"192.168.18.9", "192.168.16.0/23", false},
             row{"10.0.0.7", "10.0.0.7/32", true},
             row{"10.0.0.6", "10.0.0.7/32", false},
             row{"1.2.3.4", "0.0.0.0/0", true},
             row{"::1", "0.0.0.0/0", false},
             row{"fd12::1", "fd00::/8", true},
             row{"fd12::1", "[fd00::]/8", true},
             row{"fd12::1", "[fd00::/8]", true},
             row{"fe80::1", "fd00::/8", false},
             row{"::1", "::1/128", true},
             row{"fd12::1", "::/0", true},
             row{"10.0.0.7", "::/0", false},
             row{"10.0.0.7", "::ffff:10.0.0.0/104", true},
             row{"::ffff:10.0.0.7", "10.0.0.0/8", true},
             row{"::ffff:10.0.0.7", "10.0.0.7", true},
             row{"10.0.0.7", "[::ffff:10.0.0.7]", true},
             row{"0:0:0:0:0:0:0:1", "::1", true},
             row{"FD12:0::1", "fd12::1", true},
             row{"10.0.0.7", "10.0.0.0/33", false},
             row{"10.0.0.7", "10.0.0.0/", false},
             row{"10.0.0.7", "10.0.0.0/x", false},
             row{"10.0.0.7", "10.0.0.0/-8", false},
             row{"10.0.0.7", "10/8", false},
             row{"ten.example", "0.0.0.0/0,::/0", false},
             row{"a.example", "a.example/8", false},
         }) {
        CAPTURE(r.host);
        CAPTURE(r.list);
        CHECK(bypasses(r.host, r.list) == r.bypasses);
    }
    CHECK(bypasses_proxy("10.0.0.7", "8443", "10.0.0.0/8:8443"));
    CHECK_FALSE(bypasses_proxy("10.0.0.7", "443", "10.0.0.0/8:8443"));
}

TEST_CASE("bypasses_proxy: blanks, tabs and commas between entries -> each is an entry")
{
    for (char const* list : {"a.example ocr.example", "a.example,ocr.example", "a.example ,\tocr.example ",
                             "\nocr.example\r\n", ",,OCR.Example,,"}) {
        CAPTURE(list);
        CHECK(bypasses("ocr.example", list));
        CHECK_FALSE(bypasses("other.example", list));
    }
}

TEST_CASE("bypasses_proxy: star, and lists without an entry -> everything, and nothing")
{
    CHECK(bypasses("ocr.example", "*"));
    CHECK(bypasses("ocr.example", "a.example,*"));
    CHECK(bypasses("10.0.0.7", "* a.example"));
    CHECK(bypasses_proxy("ocr.example", "8443", "*:8443"));
    CHECK_FALSE(bypasses_proxy("ocr.example", "443", "*:8443"));
    for (char const* list : {"", ",", " , ,", ".", "[", "*."}) {
        CAPTURE(list);
        CHECK_FALSE(bypasses("ocr.example", list));
    }
}

TEST_CASE("resolve_redirect: every form of a reference -> its absolute target")
{
    origin const here = parse_origin("https://ocr.example").value();
    auto const path = [&](std::string_view location) {
        auto const t = resolve_redirect(here, "/a/b/c?q=1", location);
        return t && t->to == here ? t->path : std::string("elsewhere");
    };
    CHECK(path("/x?y=2#z") == "/x?y=2");
    CHECK(path("d") == "/a/b/d");
    CHECK(path("../d") == "/a/d");
    CHECK(path("?r=2") == "/a/b/c?r=2");
    CHECK(path("https://ocr.example") == "/");
    CHECK(path("HTTPS://OCR.example:443/x") == "/x");
    CHECK(path("//ocr.example/x") == "/x");
}

TEST_CASE("resolve_redirect: another scheme, host or port -> another origin")
{
    origin const here = parse_origin("https://ocr.example").value();
    for (char const* location :
         {"http://ocr.example/x", "https://ocr.example:8443/x", "https://evil.example/x", "//evil.example/x",
          "https://ocr.example.evil.example/"}) {
        CAPTURE(location);
        auto const t = resolve_redirect(here, "/a", location);
        REQUIRE(t);
        CHECK(t->to != here);
    }
}

TEST_CASE("resolve_redirect: no http URL, or one with user information -> nothing")
{
    origin const here = parse_origin("https://ocr.example").value();
    for (char const* location : {"ftp://ocr.example/x", "javascript:alert(1)",
                                 "https://ocr.example@evil.example/", "https://u:p@ocr.example/x", "http://[",
                                 "\r\nx", "https://ocr.example:1x", "https://ocr.example::8443/x"}) {
        CAPTURE(location);
        CHECK_FALSE(resolve_redirect(here, "/a", location));
    }
}

TEST_CASE("secrets_of: a proxy's password -> as typed, decoded, and as it is sent")
{
    auto const revealed = [](std::string_view url) {
        std::vector<std::string> out;
        for (secret const& s : secrets_of(url))
            out.push_back(s.reveal());
        return out;
    };
    CHECK(revealed("http://me:open%20sesame@p:1") ==
          std::vector<std::string>{"open%20sesame", "open sesame", "bWU6b3BlbiBzZXNhbWU"});
    CHECK(revealed("me:sesame@p:1") == std::vector<std::string>{"sesame", "bWU6c2VzYW1l"});
    CHECK(revealed("me:ses@me@p:1") ==
          std::vector<std::string>{"ses@me"}); // is refused, and masked all the same
    for (char const* without : {"", "http://p:1", "http://me@p:1", "http://me:@p:1"})
        CHECK_MESSAGE(revealed(without).empty(), without);
}
