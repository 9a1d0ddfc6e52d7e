#include "credentials.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

using namespace ocrpipe;
using namespace ocrpipe::cli;

namespace
{

environment variables(std::map<std::string, std::string> values)
{
    return [values = std::move(values)](std::string const& name) -> std::optional<std::string> {
        auto const found = values.find(name);
        if (found == values.end()) return std::nullopt;
        return found->second;
    };
}

class temporary_file
{
public:
    temporary_file(std::string const& content, ::mode_t mode)
    {
        int const fd = ::mkstemp(path_);
        REQUIRE(fd >= 0);
        REQUIRE(::write(fd, content.data(), content.size()) == static_cast<::ssize_t>(content.size()));
        REQUIRE(::fchmod(fd, mode) == 0);
        ::close(fd);
    }
    ~temporary_file() { ::unlink(path_); }
    std::string path() const { return path_; }

private:
    char path_[32] = "/tmp/ocrpipe-key-XXXXXX";
};

key_source choose(typed_options const& typed, environment const& env)
{
    std::vector<std::string> problems;
    auto s = choose_key_source(typed, env, problems);
    CHECK(problems.empty());
    return s;
}

using kind = key_source::kind;

} // namespace

TEST_CASE("choose_key_source: flag over variable, the key itself over the other variables")
{
    auto const all = variables(
        {{"OCRPIPE_API_KEY", "k"}, {"OCRPIPE_API_KEY_FILE", "f"}, {"OCRPIPE_API_KEY_COMMAND", "c"}});
    CHECK(choose({{"api-key-file", "x"}}, all).what == kind::file);
    CHECK(choose({{"api-key-file", "x"}}, all).text == "x");
    CHECK(choose({{"api-key-command", "x"}}, all).what == kind::command);
    CHECK(choose({}, all).what == kind::value);
    CHECK(choose({}, variables({{"OCRPIPE_API_KEY_FILE", "f"}, {"OCRPIPE_API_KEY_COMMAND", "c"}})).what ==
          kind::file);
    CHECK(choose({}, variables({{"OCRPIPE_API_KEY", ""}, {"OCRPIPE_API_KEY_COMMAND", "c"}})).what ==
          kind::command);
    CHECK(choose({}, variables({})).what == kind::none);
}

TEST_CASE("choose_key_source: two flags -> a problem")
{
    std::vector<std::string> problems;
    choose_key_source({{"api-key-file", "a"}, {"api-key-command", "b"}}, variables({}), problems);
    CHECK(problems.size() == 1);
}

TEST_CASE("load_key: a private file -> its first line without blanks at the ends")
{
    temporary_file const f("  sk-1 \r\nsecond line\n", 0600);
    auto const loaded = load_key({kind::file, f.path()});
    CHECK(loaded.key.reveal() == "sk-1");
    CHECK(loaded.problems.empty());
    CHECK(loaded.warnings.empty());
}

TEST_CASE("load_key: a file that others can read -> the key, with a warning that names chmod and not the key")
{
    temporary_file const f("sk-1\n", 0644);
    auto const loaded = load_key({kind::file, f.path()});
    CHECK(loaded.key.reveal() == "sk-1");
    REQUIRE(loaded.warnings.size() == 1);
    CHECK(loaded.warnings[0].find("chmod 600") != std::string::npos);
    CHECK(loaded.warnings[0].find("sk-1") == std::string::npos);
}

TEST_CASE("load_key: no file, an empty file, a directory -> a problem that names it")
{
    temporary_file const empty("\nsk-1\n", 0600);
    for (std::string const& path : {std::string("/nonexistent/key"), empty.path(), std::string("/tmp")}) {
        auto const loaded = load_key({kind::file, path, "OCRPIPE_API_KEY_FILE"});
        CHECK(loaded.key.empty());
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].starts_with("OCRPIPE_API_KEY_FILE: " + path + ": "));
    }
}

TEST_CASE("load_key: a command -> its environment has all variables but those that hold our own secrets")
{
    ::setenv("OCRPIPE_API_KEY", "sk-1", 1);
    ::setenv("OCRPIPE_PROXY", "http://me:sesame@p:1", 1);
    ::setenv("OCRPIPE_API_KEY_FILE", "/run/key", 1);
    auto const loaded =
        load_key({kind::command,
                  "echo \"${OCRPIPE_API_KEY-unset} ${OCRPIPE_PROXY-unset} ${OCRPIPE_API_KEY_FILE-unset}\""});
    for (char const* name : {"OCRPIPE_API_KEY", "OCRPIPE_PROXY", "OCRPIPE_API_KEY_FILE"})
        ::unsetenv(name);
    CHECK(loaded.key.reveal() == "unset unset /run/key");
}

TEST_CASE("load_key: a command -> the first line that it prints")
{
    auto const loaded = load_key({kind::command, "echo sk-2; echo more"});
    CHECK(loaded.key.reveal() == "sk-2");
    CHECK(loaded.problems.empty());
}

TEST_CASE("load_key: a command that fails or prints nothing -> a problem without the command, no key")
{
    for (char const* command :
         {"echo sk-3; exit 7", "true", "kill -9 $$", "exec /nonexistent-sk-3 2>/dev/null"}) {
        auto const loaded = load_key({kind::command, command});
        CHECK(loaded.key.empty());
        REQUIRE(loaded.problems.size() == 1);
        CHECK(loaded.problems[0].find("sk-3") == std::string::npos);
    }
    CHECK(load_key({kind::command, "exit 7"}).problems[0].find("status 7") != std::string::npos);
}

TEST_CASE("load_key: a command that reads standard input -> finds it empty, ours stays untouched")
{
    CHECK(load_key({kind::command, "cat; echo sk-4"}).key.reveal() == "sk-4");
}

TEST_CASE("choose_proxy: what was said to us alone holds for every host")
{
    auto const env =
        variables({{"OCRPIPE_PROXY", "http://ours:1"}, {"HTTPS_PROXY", "http://all:2"}, {"NO_PROXY", "*"}});
    auto const flag = choose_proxy("https://x", {{"proxy", "http://flag:3"}}, env);
    CHECK(flag.url == "http://flag:3");
    CHECK(flag.no_proxy.empty());
    CHECK(choose_proxy("https://x", {}, env).url == "http://ours:1");
    CHECK(choose_proxy("https://x", {{"proxy", ""}}, env).url.empty());
}

TEST_CASE("choose_proxy: the usual variables -> by scheme, with NO_PROXY")
{
    auto const env =
        variables({{"https_proxy", "http://low:1"}, {"HTTPS_PROXY", "http://high:2"}, {"no_proxy", "a,b"}});
    auto const p = choose_proxy("https://x", {}, env);
    CHECK(p.url == "http://high:2");
    CHECK(p.no_proxy == "a,b");
    CHECK(choose_proxy("http://x", {}, env).url.empty());
    CHECK(choose_proxy("http://x", {}, variables({{"http_proxy", "http://p:1"}})).url == "http://p:1");
}

TEST_CASE("choose_proxy: ALL_PROXY -> read when the variable of the scheme is not set")
{
    auto const all = variables({{"ALL_PROXY", "p:1"}});
    CHECK(choose_proxy("https://x", {}, all).url == "p:1");
    CHECK(choose_proxy("http://x", {}, all).shown_as == "ALL_PROXY");
    CHECK(choose_proxy("https://x", {}, variables({{"all_proxy", "p:2"}})).shown_as == "all_proxy");
    CHECK(choose_proxy("https://x", {}, variables({{"ALL_PROXY", "p:1"}, {"https_proxy", "q:1"}})).url ==
          "q:1");
}

TEST_CASE("choose_proxy: a host that NO_PROXY names -> no proxy, whatever the variable says")
{
    for (char const* list : {"x", "a.example x", "*"}) {
        auto const p =
            choose_proxy("https://x", {}, variables({{"ALL_PROXY", "socks5://p:1"}, {"NO_PROXY", list}}));
        CHECK(p.url.empty());
    }
    auto const by_address = variables({{"http_proxy", "p:1"}, {"no_proxy", "10.0.0.0/8"}});
    CHECK(choose_proxy("http://10.1.2.3:8080", {}, by_address).url.empty());
    CHECK(choose_proxy("http://11.1.2.3:8080", {}, by_address).url == "p:1");
}

TEST_CASE("choose_proxy: where it comes from -> the flag or the variable")
{
    auto const env = variables({{"OCRPIPE_PROXY", "p:1"}, {"HTTPS_PROXY", "q:1"}});
    CHECK(choose_proxy("https://x", {{"proxy", "p:2"}}, env).shown_as == "--proxy");
    CHECK(choose_proxy("https://x", {}, env).shown_as == "OCRPIPE_PROXY");
    CHECK(choose_proxy("https://x", {}, variables({{"HTTPS_PROXY", "q:1"}})).shown_as == "HTTPS_PROXY");
    CHECK(choose_proxy("http://x", {}, variables({{"http_proxy", "q:1"}})).shown_as == "http_proxy");
}

TEST_CASE("choose_proxy: HTTP_PROXY in capitals -> not read, since a request header of a web server could "
          "have set it")
{
    CHECK(choose_proxy("http://x", {}, variables({{"HTTP_PROXY", "http://evil:1"}})).url.empty());
}

TEST_CASE("without_password: a proxy's URL -> the same with asterisks for the password")
{
    CHECK(without_password("http://me:se:s@me@p:1") == "http://me:***@p:1");
    CHECK(without_password("--proxy=http://:sesame@p:1") == "--proxy=http://:***@p:1");
    for (char const* without : {"", "http://p:1", "http://me@p:1", "--proxy=http://[::1]:8080"})
        CHECK(without_password(without) == without);
}
