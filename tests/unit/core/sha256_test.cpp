#include <ocrpipe/core/sha256.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace ocrpipe;

// Source of the digests: NIST, FIPS 180-4 examples.
constexpr char const* empty_digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char const* abc_digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr char const* million_digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST_CASE("sha256_stream: the standard's examples -> its digests, in pieces too")
{
    sha256_stream s;
    CHECK(s.hex() == empty_digest);
    s.update(std::string_view("abc"));
    CHECK(s.hex() == abc_digest);
    std::string const piece(1'000, 'a');
    for (int i = 0; i != 1'000; ++i)
        s.update(piece);
    CHECK(s.hex() == million_digest);
}

TEST_CASE("sha256: bytes at once -> the digest that a stream gives, and its hexadecimal digits")
{
    CHECK(to_hex(sha256("abc")) == abc_digest);
}

TEST_CASE("sha256_stream: finish -> the digest's bytes, and a new beginning")
{
    sha256_stream s;
    s.update(std::string_view("abc"));
    sha256_digest const d = s.finish();
    CHECK(d[0] == 0xBA);
    CHECK(d[31] == 0xAD);
    CHECK(s.hex() == empty_digest);
}

TEST_CASE("sha256_stream: begin in the middle -> what came before is forgotten")
{
    sha256_stream s;
    s.update(std::string_view("abandoned"));
    s.begin();
    s.update(std::string_view("abc"));
    CHECK(s.hex() == abc_digest);
}
