#include <ocrpipe/api/chunk_source.hpp>
#include <ocrpipe/api/multipart.hpp>

#include "support/chunks.hpp"
#include "support/run_coro.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace ocrpipe;

namespace
{

std::string const pdf = "%PDF-1.7\n" + std::string(5'000, 'x') + "\r\n%%EOF";

/// What a body yields, and how reading it ended.
struct reading {
    std::string all;
    error_code ec;
    std::string why;
    std::uint64_t promised = 0;
};

task<void> read_all(multipart_body& body, reading& r, std::size_t buffer_size = 64)
{
    r.promised = body.size();
    std::vector<char> buffer(buffer_size);
    for (;;) {
        std::size_t const n = co_await body.fetch(buffer, r.ec);
        r.all.append(buffer.data(), n);
        if (n == 0 || r.ec) break;
    }
    r.why = body.why();
}

/// Begins a document and reads the body that is made of it.
reading read(document const& d)
{
    reading r;
    run_coro([&]() -> task<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        std::optional<failure> const f =
            co_await document_reader::begin(d, format_probe_size, clock::time_point::max());
        REQUIRE_FALSE(f.has_value());
        result<multipart_body> body = multipart_body::make(submit_request(d, "invoice"), {}, 1);
        REQUIRE(body.has_value());
        co_await read_all(*body, r);
    });
    return r;
}

std::optional<failure> begin(document const& d)
{
    std::optional<failure> f;
    run_coro([&]() -> task<void> {
        co_await asio::this_coro::throw_if_cancelled(false);
        f = co_await document_reader::begin(d, format_probe_size, clock::time_point::max());
    });
    return f;
}

} // namespace

TEST_CASE("document: from chunks of any size -> the body of the same bytes in memory")
{
    auto in_memory =
        multipart_body::make(submit_request(document::from_bytes(pdf, "a.pdf"), "invoice"), {}, 1);
    std::string expected(in_memory->size(), '\0');
    error_code ec;
    REQUIRE(in_memory->read(expected, ec) == expected.size());
    for (std::size_t const chunk : {1u, 7u, 1024u, 100'000u}) {
        CAPTURE(chunk);
        auto const source = std::make_shared<chunks>(pdf, chunk);
        reading const r = read(document::from_chunks(source, pdf.size(), "a.pdf"));
        CHECK_FALSE(r.ec);
        CHECK(r.promised == expected.size());
        CHECK(r.all == expected);
    }
}

TEST_CASE("document: from chunks, smaller than what the detection looks at -> whole")
{
    reading const r = read(document::from_chunks(std::make_shared<chunks>("%PDF-1.4"), 8, "a.pdf"));
    CHECK_FALSE(r.ec);
    CHECK(r.all.find("%PDF-1.4\r\n--") != std::string::npos);
    CHECK(r.all.size() == r.promised);
}

TEST_CASE("document: a source that is shorter or longer than promised -> an error that names both lengths, "
          "and an incomplete body")
{
    reading const shorter = read(document::from_chunks(std::make_shared<chunks>(pdf), 6'000, "a.pdf"));
    CHECK(shorter.ec == errc::invalid_argument);
    CHECK(shorter.why == "6000 bytes were promised, and the source ended after 5016");
    CHECK(shorter.all.size() < shorter.promised);
    reading const longer = read(document::from_chunks(std::make_shared<chunks>(pdf), 5'000, "a.pdf"));
    CHECK(longer.ec == errc::invalid_argument);
    CHECK(longer.why == "5000 bytes were promised, and the source has at least 5001");
    CHECK(longer.all.size() < longer.promised);
    for (std::uint64_t const promised : {9u, 7u}) {
        auto const f = begin(document::from_chunks(std::make_shared<chunks>("%PDF-1.4"), promised, "a.pdf"));
        REQUIRE(f.has_value());
        CHECK(f->is(errc::invalid_argument));
        CHECK(f->where == phase::prepare);
        CHECK(f->reason.find("a.pdf: " + std::to_string(promised) + " bytes were promised") == 0);
    }
    CHECK(begin(document::from_chunks(std::make_shared<chunks>(""), 0, "a.pdf"))->is(errc::empty_document));
}

TEST_CASE("document: a source that fails or throws -> its error, and an incomplete body")
{
    auto const failing = std::make_shared<chunks>(pdf);
    failing->fail_at = 3'000;
    failing->failure = make_error_code(boost::system::errc::io_error);
    reading const failed = read(document::from_chunks(failing, pdf.size(), "a.pdf"));
    CHECK(failed.ec == boost::system::errc::io_error);
    CHECK(failed.why == "its source failed: " + failing->failure.message());
    CHECK(failed.all.size() < failed.promised);
    auto const throwing = std::make_shared<chunks>(pdf);
    throwing->throw_at = 3'000;
    reading const thrown = read(document::from_chunks(throwing, pdf.size(), "a.pdf"));
    CHECK(thrown.ec == errc::unreadable_file);
    CHECK(thrown.why == "its source failed: the disk is on fire");
    // An error of another client must not look like one of this client's connections.
    auto const chained = std::make_shared<chunks>(pdf);
    chained->fail_at = 0;
    chained->failure = make_error_code(errc::connection_closed);
    CHECK(begin(document::from_chunks(chained, pdf.size(), "a.pdf"))->is(errc::unreadable_file));
}

TEST_CASE(
    "document: chunks that were read cannot be sent again, unless only the first bytes were read or the "
    "source can rewind")
{
    auto const source = std::make_shared<chunks>(pdf);
    document const d = document::from_chunks(source, pdf.size(), "a.pdf");
    CHECK(document_reader::open(d).error().is(errc::invalid_argument)); // not begun
    REQUIRE_FALSE(begin(d).has_value());
    CHECK(document_reader::open(d).has_value());
    CHECK(document_reader::open(d).has_value());
    CHECK(read(d).all.size() > pdf.size());
    CHECK(document_reader::open(d).error().reason == "a.pdf was read before, and its source cannot rewind");
    source->rewindable = true;
    reading const again = read(d);
    CHECK_FALSE(again.ec);
    CHECK(again.all.size() == again.promised);
    CHECK(source->rewinds == 1);
}

TEST_CASE("document: from chunks, while a copy of it is being sent -> refused")
{
    document const d = document::from_chunks(std::make_shared<chunks>(pdf), pdf.size(), "a.pdf");
    REQUIRE_FALSE(begin(d).has_value());
    {
        auto const first = document_reader::open(d);
        REQUIRE(first.has_value());
        CHECK(document_reader::open(d).error().reason == "a.pdf is being sent already");
        CHECK(begin(d)->is(errc::invalid_argument));
    }
    CHECK(document_reader::open(d).has_value());
}
