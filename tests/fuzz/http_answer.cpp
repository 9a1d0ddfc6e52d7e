// "<seed> <header limit> <body limit> <1 for an answer to CONNECT>" on the first line, then the bytes of an
// answer. However they are cut, the same answer or the same failure comes out, within the limits; and an
// answer without its last byte is never taken for another one.

#include <ocrpipe/http/answer_reader.hpp>

#include "fuzz_input.hpp"

#include <optional>

namespace
{

using namespace ocrpipe;
using detail::answer_limits;
using detail::answer_reader;

struct outcome {
    error_code ec;
    http_response response;
    bool complete = false;
    bool keep_alive = false;
    bool surplus = false;
    /// Bytes after which it was complete, when the end of the stream was not needed.
    std::size_t whole_at = 0;
};

outcome read(std::string_view bytes, answer_limits const& limits, std::optional<cutter> cut)
{
    answer_reader reader;
    reader.start(limits);
    outcome o;
    std::size_t at = 0;
    while (at != bytes.size() && !o.ec) {
        std::size_t const n = cut ? cut->next(bytes.size() - at) : bytes.size();
        reader.put(bytes.substr(at, n), o.ec);
        at += n;
        require(reader.started(), "a byte starts an answer");
        require(reader.response().body.size() <= limits.max_body, "a body keeps its limit");
        if (reader.complete() && o.whole_at == 0) o.whole_at = at;
        require(!o.ec || !reader.complete(), "a failure is not complete");
    }
    if (!o.ec) reader.put_eof(o.ec);
    require(o.ec.failed() != reader.complete(), "at the end an answer is complete or failed");
    require(!o.ec || o.ec.category() == category(), "a failure is one of ours");
    o.complete = reader.complete();
    o.keep_alive = reader.keep_alive();
    o.surplus = reader.surplus();
    o.response = std::move(reader.response());
    if (!o.complete) return o;
    http_response const& r = o.response;
    require(reader.has_header(), "a complete answer has a header");
    require(r.status / 100 != 1, "an interim answer is not the answer");
    require(!o.keep_alive || o.whole_at != 0, "a connection that ended is not kept");
    require(reader.keep_alive_hint() >= std::chrono::seconds(0) &&
                reader.keep_alive_hint() <= std::chrono::hours(24),
            "a hint is bounded");
    for (std::string const* field : {&r.content_type, &r.retry_after, &r.date, &r.location}) {
        require(field->size() <= limits.max_header, "a field keeps the header's limit");
        require(field->find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
                "a field is one line");
    }
    return o;
}

void check_same(outcome const& a, outcome const& b)
{
    // Trailers and extensions of chunks that go a little beyond the header's limit are let pass when they
    // come at once.
    bool const at_limit = a.ec == errc::header_too_large || b.ec == errc::header_too_large;
    require(a.complete == b.complete || at_limit, "the cuts do not change whether there is an answer");
    if (!a.complete || !b.complete) {
        // Which rule was broken first may depend on the cuts, not whether anything came at all: that decides
        // about repeating.
        require((a.ec == errc::connection_closed) == (b.ec == errc::connection_closed),
                "the cuts do not change whether anything came");
        return;
    }
    require(a.response.status == b.response.status && a.response.body == b.response.body,
            "the cuts do not change status and body");
    require(a.response.content_type == b.response.content_type &&
                a.response.retry_after == b.response.retry_after && a.response.date == b.response.date &&
                a.response.location == b.response.location,
            "the cuts do not change fields");
    require(a.surplus == b.surplus && a.keep_alive == b.keep_alive,
            "the cuts do not change the connection's fate");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    fuzz_input input(data, size);
    fuzz_input head(input.line());
    std::uint64_t const seed = head.number();
    answer_limits limits;
    limits.max_header = 16 + head.number() % 8192;
    limits.max_body = head.number() % 65536;
    limits.to_connect = head.number() == 1;
    std::string_view const bytes = input.rest();

    outcome const whole = read(bytes, limits, std::nullopt);
    outcome const cut = read(bytes, limits, cutter(seed));
    check_same(whole, cut);

    std::size_t const least = cut.complete ? cut.whole_at : 0;
    if (least == 0) return 0;
    // The first byte after which it is complete is found by giving one byte at a time.
    answer_reader reader;
    reader.start(limits);
    std::size_t at = 0;
    error_code ec;
    while (!reader.complete() && !ec && at != least)
        reader.put(bytes.substr(at++, 1), ec);
    require(reader.complete() || ec == errc::header_too_large, "byte by byte it is the same answer");
    if (ec) return 0;
    outcome const shorter = read(bytes.substr(0, at - 1), limits, cutter(seed + 1));
    bool const same = shorter.complete && shorter.response.status == cut.response.status &&
                      shorter.response.body == cut.response.body && !shorter.keep_alive;
    require(!shorter.complete || same, "without its last byte an answer is whole if it has its last chunk");
    return 0;
}
