#include <ocrpipe/core/secret_mask.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace ocrpipe;

namespace
{

std::string masked(std::string_view text, std::string_view needle)
{
    secret_mask mask;
    mask.add(secret(std::string(needle)));
    return mask.masked(text);
}

constexpr std::string_view key = "sk-1/2+3<4&5\"6\\7'8%9";

} // namespace

TEST_CASE("secret_mask: no secret -> the text stays")
{
    CHECK(secret_mask().masked("text") == "text");
    CHECK(masked("text", "") == "text");
}

TEST_CASE(
    "secret_mask: a secret inside a longer run -> masked; a very short one only where it is a whole word")
{
    CHECK(masked("xsk-12345y sk-12345sk-12345", "sk-12345") == "x***y ******");
    CHECK(masked("12 kB, ok, kk", "k") == "12 kB, ok, kk");
    CHECK(masked("Bearer k, \"k\" k", "k") == "Bearer ***, \"***\" ***");
    CHECK(masked("k-key k-key", "k-key") == "*** ***");
    CHECK(masked("** *", "*") == "****** ***");
}

TEST_CASE("secret_mask: a secret as a URL, JSON, HTML, a header or a log escapes it -> masked")
{
    for (std::string_view const echo : {
             key,
             std::string_view("SK-1/2+3<4&5\"6\\7'8%9"),
             std::string_view("sk-1%2F2%2b3%3C4%265%226%5c7%278%259"),
             std::string_view("sk-1%252F2%252b3%253C4%25265%25226%255c7%25278%25259"),
             std::string_view("sk-1\\/2+3<4&5\\\"6\\\\7'8%9"),
             std::string_view("sk-1\\u002f2\\u002B3\\u003c4\\u00265\\u00226\\u005c7\\u00278\\u00259"),
             std::string_view("sk-1\\\\/2+3<4&5\\\\\\\"6\\\\7'8%9"),
             std::string_view("sk-1\\x2f2+3\\x3c4\\x265\\x226\\x5c7\\x278%9"),
             std::string_view("sk-1/2+3&lt;4&amp;5&quot;6\\7&#39;8%9"),
             std::string_view("sk-1&#x2F;2&#43;3&LT;4&#38;5&#34;6\\7&apos;8%9"),
         }) {
        std::string const text = "Bearer " + std::string(echo) + ", x";
        CHECK_MESSAGE(masked(text, key) == "Bearer ***, x", text);
    }
    using namespace std::string_view_literals;
    CHECK(masked("s\0k\0-\0001\0002\0003\0004\0005\0,\0"sv, "sk-12345") == "***\0,\0"sv);
}

TEST_CASE("secret_mask: the text ends inside a secret -> its beginning is masked from 8 characters on")
{
    CHECK(masked("Basic bWU6c2Vz", "bWU6c2VzYW1l") == "Basic ***");
    CHECK(masked("Basic bWU6c2Vz.", "bWU6c2VzYW1l") == "Basic bWU6c2Vz.");
    CHECK(masked("Basic bWU6c2V", "bWU6c2VzYW1l") == "Basic bWU6c2V");
}

TEST_CASE("secret_mask: other text, broken escapes -> unchanged")
{
    for (std::string_view const text : {"sk-1234", "%", "sk%", "sk%2", "sk-1&#", "sk-1&;2", "sk-1&#x;2", "\\",
                                        "\\u00", "sk-1\\u2f", "sk-1%zz2"})
        CHECK_MESSAGE(masked(text, key) == text, text);
}

TEST_CASE("secret_mask: two secrets, one of which begins the other -> the longer one is masked")
{
    secret_mask mask;
    mask.add(secret("open-sesame"));
    mask.add(secret("open-sesame-now"));
    CHECK(mask.masked("open-sesame-now, open-sesame!") == "***, ***!");
}

TEST_CASE("secret_mask: an excerpt -> cut after masking, whatever the length of what was masked")
{
    secret_mask mask;
    mask.add(secret("sk-12345-0123456789"));
    for (std::size_t before = 480; before != 530; ++before) {
        std::string const cut = mask.excerpt(std::string(before, 'x') + "sk-12345-0123456789 and so on");
        CHECK(cut.find("sk-") == std::string::npos);
        CHECK(cut.size() <= 512);
    }
    std::string many;
    for (int i = 0; i != 1'000; ++i)
        many += "sk-12345-0123456789\n";
    CHECK(mask.excerpt(many).find("sk") == std::string::npos);
    CHECK(mask.excerpt(many).starts_with("*** *** ***"));
    CHECK(secret_mask().excerpt("a\nb") == "a b");
}
