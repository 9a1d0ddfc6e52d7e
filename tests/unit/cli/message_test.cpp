#include "logger.hpp"
#include "message.hpp"

#include <boost/json/parse.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>
#include <string>
#include <unistd.h>

using namespace ocrpipe;
using namespace ocrpipe::cli;

namespace
{

std::chrono::system_clock::time_point at(std::int64_t ms)
{
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
}

/// A pipe, to see what a logger wrote.
class catcher
{
public:
    catcher() { REQUIRE(::pipe(ends_) == 0); }
    ~catcher()
    {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    int in() const { return ends_[1]; }
    std::string caught() const
    {
        char buffer[4096];
        auto const n = ::read(ends_[0], buffer, sizeof buffer);
        return std::string(buffer, static_cast<std::size_t>(n < 0 ? 0 : n));
    }

private:
    int ends_[2] = {-1, -1};
};

secret_mask mask_of(std::initializer_list<char const*> secrets)
{
    secret_mask mask;
    for (char const* s : secrets)
        mask.add(secret(s));
    return mask;
}

} // namespace

TEST_CASE("message: for people -> the level as a prefix, the sentence, no facts")
{
    message const m(level::error, "input_problem", "a.pdf: no such file", {{"path", std::string("a.pdf")}});
    CHECK(to_people(m, false) == "error: a.pdf: no such file");
    CHECK(to_people(m, true) == "\x1b[31merror:\x1b[0m a.pdf: no such file");
    CHECK(to_people(message(level::info, "x", "fine"), true) == "fine");
    CHECK(to_people(message(level::warn, "x", "look"), false) == "warning: look");
}

TEST_CASE("message: as JSON -> one object a line with time, level, event, text and every fact in its type")
{
    message const m(level::warn, "progress", "half",
                    {{"done", std::uint64_t(18446744073709551615ull)},
                     {"delta", std::int64_t(-3)},
                     {"rate", 2.5},
                     {"seconds", 0.023},
                     {"known", true},
                     {"limiting", std::string("service")}});
    auto const line = to_json(m, at(1'700'000'000'123));
    CHECK(line.find('\n') == std::string::npos);
    auto const o = boost::json::parse(line).as_object();
    CHECK(o.at("time").as_string() == "2023-11-14T22:13:20.123Z");
    CHECK(o.at("level").as_string() == "warn");
    CHECK(o.at("event").as_string() == "progress");
    CHECK(o.at("text").as_string() == "half");
    CHECK(o.at("done").as_uint64() == 18446744073709551615ull);
    CHECK(o.at("delta").as_int64() == -3);
    CHECK(o.at("rate").as_double() == 2.5);
    CHECK(line.find(R"("seconds":0.023)") != std::string::npos);
    CHECK(o.at("known").as_bool());
    CHECK(o.at("limiting").as_string() == "service");
}

TEST_CASE("message: a file name with escape sequences and broken UTF-8 -> harmless to a terminal, valid JSON")
{
    message const m(level::error, "x", "bad\x1b[2J\xff name\n", {{"path", std::string("a\x1b\xff")}});
    auto const people = to_people(m, false);
    CHECK(people.find('\x1b') == std::string::npos);
    CHECK(people.find('\n') == std::string::npos);
    CHECK(people.find('\xff') == std::string::npos);
    CHECK(boost::json::parse(to_json(m, at(0))).as_object().at("path").as_string() == "a??");
}

TEST_CASE("parse_level: its own names only")
{
    for (level const l : {level::debug, level::info, level::warn, level::error})
        CHECK(parse_level(name(l)) == l);
    CHECK(!parse_level("warning"));
    CHECK(!parse_level("INFO"));
}

TEST_CASE("logger: below the threshold -> nothing is written")
{
    catcher c;
    logger log(c.in(), {level::warn, log_format::people, false});
    log.write(message(level::info, "x", "quiet"));
    log.write(message(level::warn, "x", "loud"));
    CHECK(c.caught() == "warning: loud\n");
}

TEST_CASE(
    "logger: a message while a status line stands -> the line is erased, and drawn again below the message")
{
    catcher c;
    {
        logger log(c.in(), {level::info, log_format::people, false, true});
        log.set_status("12 done");
        log.set_status("12 done");
        log.write(message(level::info, "x", "hello"));
    }
    CHECK(c.caught() == "\r\x1b[K12 done\r\x1b[Khello\n12 done\r\x1b[K");
}

TEST_CASE("logger: a status without a terminal -> nothing")
{
    catcher c;
    logger log(c.in(), {level::info, log_format::people, false});
    log.set_status("12 done");
    log.write(message(level::info, "x", "hello"));
    CHECK(c.caught() == "hello\n");
}

TEST_CASE("logger: a message that echoes the key -> the key is masked in both renderings")
{
    for (log_format const f : {log_format::people, log_format::json}) {
        catcher c;
        logger log(c.in(), {level::info, f, false});
        log.mask(mask_of({"sk-12345"}));
        log.write(message(level::error, "x", "the answer began: Bearer sk-12345 and sk-12345",
                          {{"excerpt", std::string("sk-12345")}}));
        auto const text = c.caught();
        CHECK(text.find("sk-12345") == std::string::npos);
        CHECK(text.find("Bearer ***") != std::string::npos);
    }
}

TEST_CASE("logger: a key that JSON would escape -> masked all the same")
{
    catcher c;
    logger log(c.in(), {level::info, log_format::json, false});
    log.mask(mask_of({"se\"cr\\et"}));
    log.write(message(level::error, "x", "it is se\"cr\\et"));
    CHECK(c.caught().find("it is ***") != std::string::npos);
}

TEST_CASE("logger: several secrets -> all are masked")
{
    catcher c;
    logger log(c.in(), {level::info, log_format::people, false});
    log.mask(mask_of({"sk-12345", "sesame"}));
    log.write(message(level::error, "x", "it is sk-12345, me:sesame@p"));
    CHECK(c.caught() == "error: it is ***, me:***@p\n");
    CHECK(log.masked("sesame") == "***");
}
