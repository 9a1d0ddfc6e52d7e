#include "emulator/reply.hpp"

#include "emulator/text.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <stdexcept>

namespace ocrpipe::emulator
{
namespace
{

using kind = wire_step::kind;

std::string_view reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 202:
        return "Accepted";
    case 204:
        return "No Content";
    case 304:
        return "Not Modified";
    case 307:
        return "Temporary Redirect";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 410:
        return "Gone";
    case 413:
        return "Content Too Large";
    case 429:
        return "Too Many Requests";
    case 500:
        return "Internal Server Error";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    default:
        return "Status";
    }
}

std::string gzipped(std::string_view plain)
{
    ::z_stream z{};
    // 16 asks zlib for the gzip wrapper around the largest window.
    if (::deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc();
    std::string out(::deflateBound(&z, plain.size()) + 32, '\0');
    z.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(plain.data()));
    z.avail_in = static_cast<unsigned>(plain.size());
    z.next_out = reinterpret_cast<unsigned char*>(out.data());
    z.avail_out = static_cast<unsigned>(out.size());
    int const outcome = ::deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    ::deflateEnd(&z);
    if (outcome != Z_STREAM_END) throw std::runtime_error("gzip did not end");
    return out;
}

std::string in_chunks(std::string_view body)
{
    std::string out;
    std::size_t const piece = std::max<std::size_t>(1, body.size() / 3);
    while (!body.empty()) {
        std::string_view const chunk = body.substr(0, piece);
        // A chunk extension and upper-case digits are legal, and rare enough to find weak parsers.
        out += fmt::format("{:X};part=yes\r\n{}\r\n", chunk.size(), chunk);
        body.remove_prefix(chunk.size());
    }
    out += "0\r\nX-Checksum: none\r\nX-Trailer: last\r\n\r\n";
    return out;
}

/// The header with its blank line. `framing` is the line that tells the body's length, or nothing.
std::string head_of(reply const& r, std::string_view framing, bool keep_alive,
                    std::chrono::system_clock::time_point now)
{
    std::string const type = r.body.empty() ? "" : fmt::format("Content-Type: {}\r\n", r.content_type);
    return fmt::format(
        "HTTP/1.1 {} {}\r\nServer: ocrpipe-emulator\r\nDate: {}\r\n{}{}{}Connection: {}\r\n\r\n", r.status,
        reason_of(r.status), http_date(now + r.date_skew), type, framing, r.headers,
        keep_alive ? "keep-alive" : "close");
}

} // namespace

bool arrives_whole(delivery how) noexcept
{
    switch (how) {
    case delivery::reset_upload:
    case delivery::reset:
    case delivery::truncate:
    case delivery::reset_mid_body:
    case delivery::not_http:
        return false;
    default:
        return true;
    }
}

std::vector<wire_step> wire_plan(reply& r, bool keep_alive, std::chrono::system_clock::time_point now)
{
    std::vector<wire_step> steps;
    auto const write = [&steps](std::string bytes) { steps.push_back({kind::write, std::move(bytes), {}}); };
    auto const end = [&steps](kind what) { steps.push_back({what, {}, {}}); };
    bool const bodiless = r.status == 204 || r.status == 304;
    if (bodiless) r.body.clear();
    std::string const length = bodiless ? "" : fmt::format("Content-Length: {}\r\n", r.body.size());
    auto const part = static_cast<std::size_t>(std::min<std::uint64_t>(r.bytes, r.body.size()));

    switch (r.how) {
    case delivery::reset:
    case delivery::reset_upload:
        end(kind::reset);
        return steps;
    case delivery::not_http:
        write("ICY 200 OK this is no HTTP\n\n" + r.body);
        end(kind::close);
        return steps;
    case delivery::truncate:
    case delivery::reset_mid_body:
        write(head_of(r, length, keep_alive, now) + r.body.substr(0, part));
        // A pause, so that the client reads what was written before it learns of the reset.
        if (r.how == delivery::reset_mid_body)
            steps.push_back({kind::wait, {}, std::chrono::milliseconds(20)});
        end(r.how == delivery::truncate ? kind::close : kind::reset);
        return steps;
    case delivery::close_delimited:
        write(head_of(r, "", false, now) + r.body);
        end(kind::close);
        return steps;
    case delivery::early:
        keep_alive = false;
        write(head_of(r, length, keep_alive, now) + r.body);
        break;
    case delivery::close_after:
        write(head_of(r, length, true, now) + r.body);
        end(kind::close);
        return steps;
    case delivery::drip: {
        write(head_of(r, length, keep_alive, now));
        std::size_t const piece = std::max<std::size_t>(1, (r.body.size() + 15) / 16);
        for (std::size_t at = 0; at < r.body.size(); at += piece) {
            steps.push_back({kind::wait, {}, r.ms / 16});
            write(r.body.substr(at, piece));
        }
        break;
    }
    case delivery::gzip:
        r.body = gzipped(r.body);
        r.headers += "Content-Encoding: gzip\r\n";
        write(head_of(r, fmt::format("Content-Length: {}\r\n", r.body.size()), keep_alive, now) + r.body);
        break;
    case delivery::chunked:
        write(
            head_of(r, "Transfer-Encoding: chunked\r\nTrailer: X-Checksum, X-Trailer\r\n", keep_alive, now) +
            in_chunks(r.body));
        break;
    case delivery::interim:
        write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" +
              head_of(r, length, keep_alive, now) + r.body);
        break;
    case delivery::huge_header:
        r.headers += fmt::format("X-Huge: {}\r\n", std::string(static_cast<std::size_t>(r.bytes), 'x'));
        write(head_of(r, length, keep_alive, now) + r.body);
        break;
    case delivery::stall:
        steps.push_back({kind::wait, {}, r.ms});
        [[fallthrough]];
    case delivery::plain:
        write(head_of(r, length, keep_alive, now) + r.body);
        break;
    }
    if (!keep_alive) end(kind::close);
    return steps;
}

} // namespace ocrpipe::emulator
