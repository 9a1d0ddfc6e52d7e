#include <ocrpipe/http/request_head.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;
using ocrpipe::detail::byte_buffer;
using ocrpipe::detail::connect_head;
using ocrpipe::detail::is_request_text;
using ocrpipe::detail::request_head;

namespace
{

class sized_body final : public body_source
{
public:
    std::uint64_t size() const noexcept override { return 12'345; }
    std::size_t read(std::span<char>, error_code&) override { return 0; }
    void rewind() override {}
};

endpoint_options endpoint()
{
    endpoint_options e;
    e.portal_user_id = "42";
    e.api_key = secret("key");
    return e;
}

std::string render(request_head const& head, http_request const& request)
{
    byte_buffer out;
    head.render(request, head.path_of(request), out);
    return std::string(out.view());
}

} // namespace

TEST_CASE("request_head: GET -> one head, no framing of a body")
{
    request_head const head(parse_origin("https://ocr.test").value(), endpoint(), false, "Basic x");
    CHECK(render(head, http_request(lane::poll, http_method::get, "ingest/1")) ==
          "GET /maas/user-42/greennode/idp/v1/ocr/ingest/1 HTTP/1.1\r\n"
          "Host: ocr.test\r\n"
          "Authorization: Bearer key\r\n"
          "portal-user-id: 42\r\n"
          "User-Agent: ocrpipe/" OCRPIPE_VERSION_STRING "\r\n"
          "Accept: */*\r\n"
          "Accept-Encoding: identity\r\n"
          "\r\n");
}

TEST_CASE("request_head: a traced request -> traceparent, and tracestate when there is one")
{
    request_head const head(parse_origin("https://ocr.test").value(), endpoint(), false, "");
    http_request request(lane::poll, http_method::get, "ingest/1");
    std::string const plain = render(head, request);
    CHECK(plain.find("trace") == std::string::npos);
    std::string const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (std::string const state : {"", "congo=t61rcWkgMzE"}) {
        auto const span = trace_context::parse(parent, state);
        request.trace = &*span;
        CHECK(render(head, request) == plain.substr(0, plain.size() - 2) + "traceparent: " + parent + "\r\n" +
                                           (state.empty() ? "" : "tracestate: " + state + "\r\n") + "\r\n");
    }
}

TEST_CASE("request_head: POST -> content type when there is one, and always a length")
{
    request_head const head(parse_origin("http://[::1]:8080").value(), endpoint(), false, "");
    http_request request(lane::submit, http_method::post, "ingest");
    CHECK(render(head, request).ends_with("\r\nContent-Length: 0\r\n\r\n"));
    sized_body body;
    request.body = &body;
    request.content_type = "multipart/form-data; boundary=x";
    std::string const text = render(head, request);
    CHECK(
        text.ends_with("\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 12345\r\n\r\n"));
    CHECK(text.find("\r\nHost: [::1]:8080\r\n") != std::string::npos);
}

TEST_CASE("request_head: to a proxy that does not tunnel -> absolute form and the proxy's credentials")
{
    request_head const head(parse_origin("http://ocr.test").value(), endpoint(), true, "Basic x");
    std::string const text = render(head, http_request(lane::poll, http_method::get, "ingest/1"));
    CHECK(text.find("GET http://ocr.test/maas/user-42/") == 0);
    CHECK(text.find("\r\nProxy-Authorization: Basic x\r\n") != std::string::npos);
}

TEST_CASE("connect_head: a tunnel -> host and port always, the service's key never")
{
    CHECK(connect_head(parse_origin("https://ocr.test").value(), "Basic x") ==
          "CONNECT ocr.test:443 HTTP/1.1\r\nHost: ocr.test:443\r\nUser-Agent: ocrpipe/" OCRPIPE_VERSION_STRING
          "\r\n"
          "Proxy-Authorization: Basic x\r\n\r\n");
}

TEST_CASE("is_request_text: blanks, controls and non-ASCII -> no")
{
    CHECK(is_request_text("ingest/a%20b?c=d"));
    for (char const* text : {"a b", "a\tb", "a\r\nb", "a\x7f", "\xC3\xA9"})
        CHECK_FALSE(is_request_text(text));
}
