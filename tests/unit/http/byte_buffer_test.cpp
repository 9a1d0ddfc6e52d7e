#include <ocrpipe/http/byte_buffer.hpp>

#include <doctest/doctest.h>

#include <string>

using ocrpipe::detail::byte_buffer;

TEST_CASE("byte_buffer: appended in many sizes -> the bytes in order")
{
    byte_buffer b;
    CHECK(b.empty());
    std::string want;
    for (std::size_t n : {0, 1, 10, 3000, 1, 100'000, 5}) {
        std::string const piece(n, static_cast<char>('a' + want.size() % 26));
        b.append(piece);
        want += piece;
        CHECK((b.view() == want));
    }
    std::size_t const capacity = b.capacity();
    b.clear();
    CHECK(b.empty());
    CHECK(b.capacity() == capacity);
}

TEST_CASE("byte_buffer: prepare -> room behind what is there, kept only when committed")
{
    byte_buffer b;
    b.append("head");
    std::span<char> const room = b.prepare(10'000);
    REQUIRE(room.size() >= 10'000);
    room[0] = '!';
    CHECK(b.view() == "head");
    b.commit(1);
    CHECK(b.view() == "head!");
}
