#include "standard_input.hpp"

#include <doctest/doctest.h>

#include <string>
#include <unistd.h>

using namespace ocrpipe;
using namespace ocrpipe::cli;

namespace
{

/// What a pipe that holds `bytes` gives.
result<submit_request> piped(std::string_view bytes, file_type type = file_type::detect,
                             std::size_t most = largest_piped_document)
{
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    REQUIRE(::write(ends[1], bytes.data(), bytes.size()) == static_cast<::ssize_t>(bytes.size()));
    ::close(ends[1]);
    submit_request request(document::from_file("-"), "INVOICE");
    request.type = type;
    auto read = read_document(ends[0], std::move(request), most);
    ::close(ends[0]);
    return read;
}

} // namespace

TEST_CASE("read_document: a document in a pipe -> its bytes, named after the format that they show")
{
    using namespace std::string_literals;
    struct row {
        std::string bytes;
        file_type type;
        char const* name;
    };
    for (auto const& [bytes, type, name] :
         {row{"%PDF-1.4 x", file_type::detect, "stdin.pdf"},
          row{"\x89PNG\r\n\x1A\n\0"s, file_type::image, "stdin.png"},
          row{"\xFF\xD8\xFF"s, file_type::pdf, "stdin.jpg"}, row{"II*\0"s, file_type::detect, "stdin.tiff"},
          row{"text", file_type::pdf, "stdin.pdf"}, row{"text", file_type::image, "stdin.bin"},
          row{"text", file_type::detect, "stdin.bin"}}) {
        CAPTURE(name);
        auto const r = piped(bytes, type);
        REQUIRE(r.has_value());
        CHECK(r->doc.name() == name);
        CHECK(*r->doc.bytes() == bytes);
        CHECK(r->doc_type == "INVOICE");
        CHECK(r->type == type);
    }
}

TEST_CASE("read_document: nothing, too much, or no file -> refused as a document that cannot be sent")
{
    CHECK(piped("").error().is(errc::empty_document));
    CHECK(piped("12345", file_type::detect, 5).has_value());
    auto const large = piped("123456", file_type::detect, 5);
    REQUIRE(large.has_error());
    CHECK(large.error().is(errc::unreadable_file));
    CHECK(large.error().reason.find("write it to a file") != std::string::npos);
    auto const closed = read_document(-1, submit_request());
    REQUIRE(closed.has_error());
    CHECK(closed.error().is(errc::unreadable_file));
    CHECK(closed.error().cause.failed());
}
