#include <ocrpipe/api/multipart.hpp>

#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace ocrpipe;

namespace
{

using fields = std::vector<std::pair<std::string, std::string>>;

std::string const pdf = "%PDF-1.7\n" + std::string(5'000, 'x') + "\r\n--\r\n%%EOF";

submit_request request_of(std::string bytes, std::string name = "a.pdf")
{
    return submit_request(document::from_bytes(std::move(bytes), std::move(name)), "invoice");
}

multipart_body made(submit_request const& request, fields const& extra = {}, std::uint64_t seed = 1)
{
    auto body = multipart_body::make(request, extra, seed);
    REQUIRE(body.has_value());
    return *std::move(body);
}

failure refused(submit_request const& request)
{
    auto const body = multipart_body::make(request, {}, 1);
    REQUIRE(body.has_error());
    CHECK(body.error().where == phase::prepare);
    return body.error();
}

/// All bytes that read() returns, with buffers of one size.
std::string streamed(multipart_body& body, std::size_t buffer_size, error_code& ec)
{
    std::string all;
    std::vector<char> buffer(buffer_size);
    while (std::size_t const n = body.read(buffer, ec))
        all.append(buffer.data(), n);
    return all;
}

std::string streamed(multipart_body& body, std::size_t buffer_size = 4096)
{
    error_code ec;
    std::string all = streamed(body, buffer_size, ec);
    CHECK_FALSE(ec.failed());
    return all;
}

std::string boundary_of(multipart_body const& body)
{
    std::string const type = body.content_type();
    std::string const before = "multipart/form-data; boundary=";
    REQUIRE(type.starts_with(before));
    return type.substr(before.size());
}

bool contains(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t occurrences(std::string const& text, std::string_view part)
{
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

} // namespace

TEST_CASE("multipart_body: one document -> the form of the usage guide, byte for byte")
{
    multipart_body body = made(request_of("%PDF-1"), {{"model", "idp"}});
    std::string const b = "--" + boundary_of(body);
    std::string const field = b + "\r\nContent-Disposition: form-data; name=\"";
    CHECK(streamed(body) ==
          field + "flow\"\r\n\r\nsingle\r\n" + field + "doc_type\"\r\n\r\ninvoice\r\n" + field +
              "file_type\"\r\n\r\nPDF\r\n" + field + "model\"\r\n\r\nidp\r\n" + field +
              "file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1\r\n" + b + "--\r\n");
}

TEST_CASE(
    "multipart_body: buffers of any size -> the same bytes, exactly size() of them, and again after rewind")
{
    multipart_body body = made(request_of(pdf));
    std::string const whole = streamed(body, 1 << 20);
    CHECK(whole.size() == body.size());
    CHECK(contains(whole, pdf));
    for (std::size_t const n : {1u, 2u, 7u, 64u, 511u, 4096u, 65536u}) {
        CAPTURE(n);
        body.rewind();
        CHECK(streamed(body, n) == whole);
    }
    char some[600];
    error_code ec;
    body.rewind();
    CHECK(body.read(some, ec) == sizeof some);
    body.rewind();
    CHECK(streamed(body) == whole);
}

TEST_CASE("multipart_body: another seed -> another boundary; the same seed -> the same")
{
    CHECK(boundary_of(made(request_of(pdf), {}, 1)) == boundary_of(made(request_of(pdf), {}, 1)));
    CHECK(boundary_of(made(request_of(pdf), {}, 1)) != boundary_of(made(request_of(pdf), {}, 2)));
}

TEST_CASE("multipart_body: a boundary that occurs in a field -> passed over")
{
    std::string const first = boundary_of(made(request_of(pdf)));
    CHECK(boundary_of(made(request_of(pdf), {{"note", "\r\n--" + first + "--"}})) != first);
    submit_request r = request_of(pdf);
    r.doc_type = first;
    CHECK(boundary_of(made(r)) != first);
    r = request_of(pdf);
    r.flow = first;
    CHECK(boundary_of(made(r)) != first);
}

TEST_CASE("escape_form_name: quotes, line ends, control characters, backslash -> percent-encoded")
{
    CHECK(escape_form_name("a\"b") == "a%22b");
    CHECK(escape_form_name("a\r\nb") == "a%0D%0Ab");
    CHECK(escape_form_name(std::string("\0\x01\t\x1F\x7F", 5)) == "%00%01%09%1F%7F");
    CHECK(escape_form_name("a\\b") == "a%5Cb");
    CHECK(escape_form_name("100%22.pdf") == "100%22.pdf");
    CHECK(escape_form_name("").empty());
}

TEST_CASE("escape_form_name: Vietnamese -> as it is; bytes that are not UTF-8 -> percent-encoded one by one")
{
    CHECK(escape_form_name("Hoá đơn số 1.pdf") == "Hoá đơn số 1.pdf");
    CHECK(escape_form_name("a\xFF\xC3") == "a%FF%C3");
    CHECK(escape_form_name("\xC0\x8D\xE1\xBA") == "%C0%8D%E1%BA");
    CHECK(escape_form_name("\xED\xA0\x80") == "%ED%A0%80");
}

TEST_CASE("multipart_body: a file name that tries to add a header -> stays within its quotes")
{
    multipart_body body =
        made(request_of(pdf, "a\"\r\nX-Evil: 1\r\n\r\n<x>.pdf"), {{"b\"\r\nX-Evil: 2", "v\r\nX-Field: 3"}});
    std::string const all = streamed(body);
    CHECK_FALSE(contains(all, "\r\nX-Evil"));
    CHECK(contains(all, "filename=\"a%22%0D%0AX-Evil: 1%0D%0A%0D%0A<x>.pdf\"\r\n"));
    CHECK(contains(all, "name=\"b%22%0D%0AX-Evil: 2\"\r\n\r\nv\r\nX-Field: 3\r\n"));
    CHECK(occurrences(all, "Content-Disposition: ") == 5);
}

TEST_CASE("multipart_body: a file name of 255 bytes -> whole; no name -> one with the format's ending")
{
    std::string const longest(255, 'n');
    multipart_body body = made(request_of(pdf, longest));
    CHECK(contains(streamed(body), "filename=\"" + longest + "\""));
    multipart_body unnamed = made(request_of("\xFF\xD8\xFF\xE0", ""));
    CHECK(contains(streamed(unnamed), "filename=\"document.jpg\"\r\nContent-Type: image/jpeg\r\n"));
}

TEST_CASE("multipart_body: an unknown format -> refused before anything is sent; sent anyway when the type "
          "is given")
{
    CHECK(refused(request_of("hello", "a.txt")).is(errc::unsupported_file_type));
    submit_request r = request_of("hello", "a.txt");
    r.type = file_type::image;
    multipart_body body = made(r);
    std::string const all = streamed(body);
    CHECK(contains(all, "name=\"file_type\"\r\n\r\nIMAGE\r\n"));
    CHECK(contains(all, "Content-Type: application/octet-stream\r\n\r\nhello\r\n"));
}

TEST_CASE(
    "multipart_body: flow and doc_type -> refused by name where required; doc_type left out where it is not")
{
    submit_request r = request_of(pdf);
    r.doc_type.clear();
    failure f = refused(r);
    CHECK(f.is(errc::invalid_argument));
    CHECK(contains(f.reason, "doc_type"));
    r.flow = "flow-7";
    multipart_body body = made(r);
    std::string const all = streamed(body);
    CHECK(contains(all, "name=\"flow\"\r\n\r\nflow-7\r\n"));
    CHECK_FALSE(contains(all, "doc_type"));
    r.flow.clear();
    f = refused(r);
    CHECK(f.is(errc::invalid_argument));
    CHECK(contains(f.reason, "flow"));
}

TEST_CASE("multipart_body: a document that is empty or missing -> refused")
{
    CHECK(refused(request_of("")).is(errc::empty_document));
    temp_directory dir;
    submit_request const r(document::from_file((dir.path() / "none.pdf").string()), "invoice");
    CHECK(refused(r).is(errc::unreadable_file));
}

TEST_CASE(
    "multipart_body: a file that shrinks or grows while it is read -> file_changed, and nothing after it")
{
    for (std::size_t const changed : {pdf.size() - 1, pdf.size() + 1, std::size_t(0)}) {
        CAPTURE(changed);
        temp_directory dir;
        auto const file = dir.write("a.pdf", pdf);
        multipart_body body = made(submit_request(document::from_file(file.string()), "invoice"));
        std::filesystem::resize_file(file, changed);
        error_code ec;
        std::string const all = streamed(body, 1 << 20, ec);
        CHECK(ec == errc::file_changed);
        CHECK(all.size() < body.size());
    }
}
