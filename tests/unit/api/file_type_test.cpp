#include <ocrpipe/api/file_type.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace ocrpipe;
using namespace std::string_view_literals;

TEST_CASE("detect_format: the first bytes of each known format -> that format")
{
    CHECK(detect_format("%PDF-1.7\n"sv) == file_format::pdf);
    CHECK(detect_format("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"sv) == file_format::png);
    CHECK(detect_format("\xFF\xD8\xFF\xE0\0\x10JFIF"sv) == file_format::jpeg);
    CHECK(detect_format("\xFF\xD8\xFF\xE1"sv) == file_format::jpeg);
}

TEST_CASE("detect_format: TIFF -> both byte orders, and BigTIFF")
{
    CHECK(detect_format("II*\0\x08\0\0\0"sv) == file_format::tiff);
    CHECK(detect_format("MM\0*\0\0\0\x08"sv) == file_format::tiff);
    CHECK(detect_format("II+\0\x08\0\0\0"sv) == file_format::tiff);
    CHECK(detect_format("MM\0+\0\x08\0\0"sv) == file_format::tiff);
    CHECK(detect_format("II\0*"sv) == file_format::unknown);
    CHECK(detect_format("MM*\0"sv) == file_format::unknown);
    CHECK(detect_format("IM*\0"sv) == file_format::unknown);
}

TEST_CASE("detect_format: a PDF's header behind other bytes -> PDF, as long as it ends within the first 1024")
{
    std::string const header = "%PDF-";
    CHECK(detect_format("\xEF\xBB\xBF" + header) == file_format::pdf);
    CHECK(detect_format(std::string(1024 - header.size(), '\0') + header) == file_format::pdf);
    CHECK(detect_format(std::string(1024 - header.size() + 1, '\0') + header) == file_format::unknown);
    CHECK(detect_format(std::string(4096, 'x') + header) == file_format::unknown);
}

TEST_CASE("detect_format: every beginning of a signature that is too short -> unknown, without reading on")
{
    for (std::string_view const signature :
         {"%PDF-"sv, "\x89PNG\r\n\x1A\n"sv, "\xFF\xD8\xFF"sv, "II*\0"sv, "MM\0+"sv})
        for (std::size_t n = 0; n != signature.size(); ++n) {
            // A copy of exactly that size, so that the address sanitizer sees a byte too many.
            std::string const cut(signature.substr(0, n));
            CAPTURE(n);
            CHECK(detect_format(cut) == file_format::unknown);
        }
}

TEST_CASE("detect_format: other files -> unknown")
{
    for (std::string_view const other :
         {"PK\x03\x04"sv, "GIF89a"sv, "BM"sv, "<html>"sv, "%!PS-Adobe-3.0"sv, "RIFF\0\0\0\0WEBP"sv}) {
        CAPTURE(other);
        CHECK(detect_format(other) == file_format::unknown);
    }
}

TEST_CASE("file_format: each -> its media type, its ending and the service's word")
{
    struct {
        file_format format;
        std::string_view mime, extension;
        enum file_type type;
    } const rows[] = {
        {file_format::unknown, "application/octet-stream", ".bin", file_type::detect},
        {file_format::pdf, "application/pdf", ".pdf", file_type::pdf},
        {file_format::png, "image/png", ".png", file_type::image},
        {file_format::jpeg, "image/jpeg", ".jpg", file_type::image},
        {file_format::tiff, "image/tiff", ".tiff", file_type::image},
    };
    for (auto const& row : rows) {
        CAPTURE(row.mime);
        CHECK(mime(row.format) == row.mime);
        CHECK(extension(row.format) == row.extension);
        CHECK((service_type(row.format) == row.type));
    }
    CHECK(wire_word(file_type::pdf) == "PDF");
    CHECK(wire_word(file_type::image) == "IMAGE");
    CHECK(wire_word(file_type::detect).empty());
}
