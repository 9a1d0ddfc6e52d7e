// The path that was asked for, and a Location, a line each: what a redirect makes of them can stand in a
// request line, and names an origin that is one.

#include <ocrpipe/http/origin.hpp>
#include <ocrpipe/http/request_head.hpp>

#include "fuzz_input.hpp"

#include <charconv>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    fuzz_input input(data, size);
    std::string path = "/" + std::string(input.line());
    std::string_view const location = input.rest();
    ocrpipe::origin const from{true, "ocr.example", "443"};
    auto const target = ocrpipe::resolve_redirect(from, path, location);
    if (!target) return 0;
    require(target->path.starts_with('/'), "a path begins with a slash");
    require(ocrpipe::detail::is_request_text(target->path), "a path can stand in a request line");
    require(target->path.find('#') == std::string::npos, "a fragment is not sent");

    ocrpipe::origin const& to = target->to;
    require(!to.host.empty() && ocrpipe::detail::is_request_text(to.host),
            "a host can stand in a Host field");
    require(to.host.find_first_of("/?#@[]") == std::string::npos, "a host is only a host");
    unsigned port = 0;
    auto const parsed = std::from_chars(to.port.data(), to.port.data() + to.port.size(), port);
    require(parsed.ptr == to.port.data() + to.port.size() && port >= 1 && port <= 65535, "a port is one");
    auto const again = ocrpipe::parse_origin(to.url());
    require(again.has_value() && *again == to, "an origin is read again from its URL");
    auto const absolute = ocrpipe::resolve_redirect(from, "/", to.url() + target->path);
    require(absolute && absolute->to == to && absolute->path == target->path,
            "a target is found again by its absolute URL");
    return 0;
}
