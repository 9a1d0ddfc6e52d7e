#include <ocrpipe/api/document.hpp>

#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

using namespace ocrpipe;

namespace
{

std::string read_all(document_reader& r, std::size_t buffer_size)
{
    std::string out;
    std::string buffer(buffer_size, '\0');
    for (;;) {
        error_code ec;
        std::size_t const n = r.read(buffer, ec);
        REQUIRE_FALSE(ec);
        if (n == 0) return out;
        out.append(buffer, 0, n);
    }
}

} // namespace

TEST_CASE("document_reader: a file read with buffers of any size -> its bytes, again after rewind")
{
    temp_directory dir;
    std::string content;
    for (int i = 0; i < 1000; ++i)
        content += static_cast<char>(i * 7);
    document const d = document::from_file(dir.write("hóa đơn.pdf", content).string());
    CHECK(d.name() == "hóa đơn.pdf");
    for (std::size_t const size : {1u, 7u, 999u, 1000u, 1001u, 4096u}) {
        result<document_reader> r = document_reader::open(d);
        REQUIRE(r.has_value());
        CHECK(r->size() == content.size());
        CHECK(read_all(*r, size) == content);
        r->rewind();
        CHECK(read_all(*r, size) == content);
    }
}

TEST_CASE("document_reader: bytes in memory -> the same, without a copy")
{
    document const d = document::from_bytes("abcdef", "a.png");
    result<document_reader> r = document_reader::open(d);
    REQUIRE(r.has_value());
    CHECK(read_all(*r, 4) == "abcdef");
}

TEST_CASE("document: from any contiguous bytes -> these bytes, copied unless their owner is moved in")
{
    std::string const text("a\0b", 3);
    std::vector<std::byte> bytes{std::byte('a'), std::byte(0), std::byte('b')};
    std::byte const* const where = bytes.data();
    std::array<unsigned char, 3> const array{'a', 0, 'b'};
    CHECK(document::from_bytes(text, "x").bytes() == text);
    CHECK(document::from_bytes(std::string_view(text), "x").bytes() == text);
    CHECK(document::from_bytes(std::span<char const>(text), "x").bytes() == text);
    CHECK(document::from_bytes(std::span<std::byte const>(bytes), "x").bytes() == text);
    CHECK(document::from_bytes(array, "x").bytes() == text);
    CHECK(document::from_bytes(bytes, "x").bytes()->data() != static_cast<void const*>(where));
    document const owner = document::from_bytes(std::move(bytes), "x");
    CHECK(owner.bytes() == text);
    CHECK(owner.bytes()->data() == static_cast<void const*>(where));
    CHECK(document::from_bytes("literal", "x").bytes() == "literal");
    CHECK_FALSE(document::from_file("a.pdf").bytes().has_value());
}

TEST_CASE("document_reader: missing, empty, a directory, a FIFO -> refused without blocking")
{
    temp_directory dir;
    auto const code = [&](std::string const& name) {
        result<document_reader> r = document_reader::open(document::from_file((dir.path() / name).string()));
        REQUIRE_FALSE(r.has_value());
        CHECK(to_string(r.error()).find(name) != std::string::npos);
        return r.error().code;
    };
    CHECK(code("missing.pdf") == errc::unreadable_file);
    dir.write("empty.pdf", "");
    CHECK(code("empty.pdf") == errc::empty_document);
    std::filesystem::create_directory(dir.path() / "folder");
    CHECK(code("folder") == errc::unreadable_file);
    REQUIRE(::mkfifo((dir.path() / "fifo").c_str(), 0600) == 0);
    CHECK(code("fifo") == errc::unreadable_file);
    CHECK(document_reader::open(document::from_bytes("", "x")).error().code == errc::empty_document);
}

TEST_CASE(
    "document_reader: a file that must be as it was, and was written -> file_changed, before it is read "
    "and after")
{
    temp_directory dir;
    std::string const path = dir.write("a.pdf", "content").string();
    auto const opened = document_reader::open(document::from_file(path));
    REQUIRE(opened.has_value());
    document const d = document::from_file(path, opened->version());
    auto const touch = [&path] {
        auto const later = std::filesystem::last_write_time(path) + std::chrono::seconds(1);
        std::filesystem::last_write_time(path, later);
    };
    auto r = document_reader::open(d);
    REQUIRE(r.has_value());
    CHECK(read_all(*r, 100) == "content");
    r->rewind();
    touch();
    error_code ec;
    std::string buffer(100, '\0');
    CHECK(r->read(buffer, ec) == 0);
    CHECK(ec == errc::file_changed);
    auto const again = document_reader::open(d);
    REQUIRE(again.has_error());
    CHECK(again.error().is(errc::file_changed));
    CHECK(document_reader::open(document::from_file(path)).has_value());
}

TEST_CASE("document_reader: a file that shrinks or grows while it is read -> file_changed")
{
    temp_directory dir;
    auto const path = dir.write("a.pdf", std::string(1000, 'a'));
    std::array<char, 600> buffer;
    auto const second_read = [&](std::uintmax_t new_size) {
        std::filesystem::resize_file(path, 1000);
        result<document_reader> r = document_reader::open(document::from_file(path.string()));
        REQUIRE(r.has_value());
        error_code ec;
        CHECK(r->read(buffer, ec) == 600);
        REQUIRE_FALSE(ec);
        std::filesystem::resize_file(path, new_size);
        (void)r->read(buffer, ec);
        return ec;
    };
    CHECK(second_read(700) == errc::file_changed);
    CHECK(second_read(1001) == errc::file_changed);
    CHECK_FALSE(second_read(1000));

    // The buffer has the size of the document; read() still checks for another byte in the file.
    std::filesystem::resize_file(path, 600);
    result<document_reader> r = document_reader::open(document::from_file(path.string()));
    REQUIRE(r.has_value());
    std::filesystem::resize_file(path, 601);
    error_code ec;
    (void)r->read(buffer, ec);
    CHECK(ec == errc::file_changed);
}
