#include <ocrpipe/client/client_options.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace ocrpipe;

namespace
{

client_options fine()
{
    client_options o;
    o.endpoint.portal_user_id = "42";
    o.endpoint.api_key = secret("key");
    return o;
}

bool names(std::vector<std::string> const& problems, std::string const& option)
{
    return std::any_of(problems.begin(), problems.end(),
                       [&](std::string const& p) { return p.rfind(option + ":", 0) == 0; });
}

} // namespace

TEST_CASE("client_options: the defaults with user id and key -> no problem")
{
    CHECK(fine().validate().empty());
}

TEST_CASE("client_options: several mistakes -> each is reported at once, with its option's name")
{
    client_options o = fine();
    o.endpoint.portal_user_id.clear();
    o.endpoint.api_key = secret();
    o.pool.poll_connections = 0;
    o.timeouts.first_byte = std::chrono::milliseconds(0);
    o.rates.submits_per_second = -1;
    o.retry.max_attempts = 0;
    std::vector<std::string> const problems = o.validate();
    CHECK(problems.size() == 6);
    for (char const* option : {"portal_user_id", "api_key", "pool.poll_connections", "timeouts.first_byte",
                               "rates.submits_per_second", "retry.max_attempts"})
        CHECK_MESSAGE(names(problems, option), option);
}

TEST_CASE("client_options: a key with a line break -> refused, and not shown")
{
    client_options o = fine();
    o.endpoint.api_key = secret("s3cret\r\nX-Evil: 1");
    std::vector<std::string> const problems = o.validate();
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].find("s3cret") == std::string::npos);
}
