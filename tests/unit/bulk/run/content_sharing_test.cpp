#include <ocrpipe/bulk/run/detail/content_sharing.hpp>

#include <doctest/doctest.h>

using sharing = ocrpipe::detail::content_sharing<int>;
using role = sharing::role;

TEST_CASE("content_sharing: equal content -> the first document is the original, the others wait for it")
{
    sharing s;
    CHECK(s.join("a", 1) == role::original);
    CHECK(s.join("a", 2) == role::copy);
    CHECK(s.join("b", 3) == role::original);
    CHECK(s.join("a", 4) == role::copy);
    CHECK(s.release("a") == std::vector<int>{2, 4});
    // It is forgotten: the next one is an original.
    CHECK(s.join("a", 5) == role::original);
    CHECK(s.release("a").empty());
    CHECK(s.release("never seen").empty());
}

TEST_CASE("content_sharing: content that may have been accepted -> held, for whoever comes")
{
    sharing s;
    s.hold("a");
    CHECK(s.join("a", 1) == role::held);
    CHECK_FALSE(s.claim("a"));

    CHECK(s.join("b", 2) == role::original);
    CHECK(s.join("b", 3) == role::copy);
    CHECK(s.release("b") == std::vector<int>{3});
    s.hold("b");
    CHECK(s.join("b", 4) == role::held);
}

TEST_CASE("content_sharing: a job of an earlier run -> claims its content, if no other document has")
{
    sharing s;
    CHECK(s.claim("a"));
    CHECK_FALSE(s.claim("a"));
    CHECK(s.join("a", 1) == role::copy);
    CHECK(s.release("a") == std::vector<int>{1});
}
