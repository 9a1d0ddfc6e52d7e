// The real client against peers that break the rules without end, and against files that change under it:
// each ends in bounded time and memory, with an error that says what it was.
#include <ocrpipe/client.hpp>

#include "support/deflated.hpp"
#include "support/run_coro.hpp"
#include "support/scripted_server.hpp"
#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace ocrpipe;
using namespace std::string_literals;
using std::chrono::milliseconds;

namespace
{

auto const& token = asio::use_awaitable;

client_options hurried(scripted_server const& server)
{
    client_options o;
    o.endpoint.base_url = server.url();
    o.endpoint.portal_user_id = "1";
    o.endpoint.api_key = secret("top-secret");
    o.schedule = std::make_shared<fixed_poll_schedule>(milliseconds(1), milliseconds(2));
    o.retry.base = milliseconds(1);
    o.limits.max_header_bytes = 8 * 1024;
    o.limits.max_answer_bytes = 256 * 1024;
    o.seed = 1;
    return o;
}

std::string answer(std::string const& body, std::string const& fields = {},
                   std::string const& status = "200 OK")
{
    return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

std::string const accepted = answer(R"({"data":{"request_id":"r-1"}})", {}, "201 Created");
std::string const finished =
    answer(R"({"data":{"status":"SUCCESS","documents":[{"ocr_data":[{"name":"total","value":["12"]}]}]}})");

/// Writes `first`, then `again` until the client has enough.
scripted_server::script endless(std::string first, std::string again, std::size_t& written)
{
    return [=, &written](scripted_peer& p) -> task<void> {
        co_await p.write(first);
        while (!p.ended()) {
            co_await p.write(again);
            written += again.size();
        }
    };
}

scripted_server::script once(std::string bytes)
{
    return [bytes = std::move(bytes)](scripted_peer& p) -> task<void> { co_await p.write(bytes); };
}

struct hostile_answer {
    std::string what;
    scripted_server::script play; ///< after the request was read
};

std::vector<hostile_answer> hostile_answers(std::size_t& written)
{
    std::string const id = R"({"data":{"request_id":"r-2"}})";
    std::string const bomb = deflated(id + std::string(50'000'000, ' '), 31);
    std::vector<hostile_answer> all{
        {"a header without end",
         endless("HTTP/1.1 200 OK\r\n", "X-Y: " + std::string(1000, 'z') + "\r\n", written)},
        {"a header line without end", endless("HTTP/1.1 200 OK\r\nX: ", std::string(1000, 'z'), written)},
        {"interim answers without end", endless("", "HTTP/1.1 102 Processing\r\n\r\n", written)},
        {"a body without end", endless("HTTP/1.1 200 OK\r\n\r\n" + id, std::string(10'000, ' '), written)},
        {"chunks without end", endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                       "400\r\n" + std::string(1024, ' ') + "\r\n", written)},
        {"chunk extensions without end", endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                                 "1;x=" + std::string(30'000, 'e') + "\r\n \r\n", written)},
        {"a chunk of 2^64 bytes and more",
         once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(20, 'F') + "\r\n" + id)},
        {"trailers without end", endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
                                         "X-Y: " + std::string(1000, 'z') + "\r\n", written)},
        {"a body larger than it may be",
         once("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\n" + id)},
        {"fewer bytes than Content-Length says",
         [id](scripted_peer& p) -> task<void> {
             co_await p.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" +
                              id.substr(0, id.size() - 3));
             p.close();
         }},
        {"a Content-Length that cuts the JSON off",
         once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + id)},
        {"a body of a length that is said to be chunked",
         once("HTTP/1.1 200 OK\r\nContent-Length: 29\r\nTransfer-Encoding: chunked\r\n\r\n" + id)},
        {"a NUL byte in the header", once(answer(id, "X: a\0b\r\n"s))},
        {"a second status line in the header", once(answer(id, "HTTP/1.1 200 OK\r\n"))},
        {"two lengths", once("HTTP/1.1 200 OK\r\nContent-Length: 29\r\nContent-Length: 30\r\n\r\n" + id)},
        {"a gzip bomb", once(answer(bomb, "Content-Encoding: gzip\r\n"))},
        {"JSON nested 100,000 deep", once(answer(nested(100'000)))},
        {"bytes that are not UTF-8", once(answer("{\"data\":{\"request_id\":\"r\xff\xc0\x80\"}}"))},
        {"an id longer than any", once(answer(R"({"request_id":")" + std::string(5'000, 'r') + "\"}"))},
        {"no status of HTTP", once(answer(id, {}, "099 OK"))},
    };
    return all;
}

} // namespace

TEST_CASE("hostile: every kind of broken answer to a submit -> ambiguous, in bounded time and bytes, the key "
          "in no message")
{
    std::size_t written = 0;
    for (hostile_answer const& h : hostile_answers(written)) {
        CAPTURE(h.what);
        written = 0;
        int requests = 0;
        asio::io_context ioc(1);
        scripted_server server(ioc, [&](scripted_peer& p) -> task<void> {
            co_await p.read_request();
            ++requests;
            co_await h.play(p);
            co_await p.until_closed();
        });
        run_coro(ioc, [&]() -> task<void> {
            client c(ioc, hurried(server));
            submit_request request(document::from_bytes("%PDF-1.4", "a.pdf"), "INVOICE");
            result<submitted_job> const r = co_await c.async_submit(std::move(request), token);
            server.stop();
            REQUIRE(r.has_error());
            CHECK(r.error().code == errc::ambiguous_submit);
            CHECK(to_string(r.error()).find("top-secret") == std::string::npos);
        });
        CHECK(requests == 1);
        CHECK(written < 8'000'000); // what the sockets hold, not what the peer would have written
    }
}

TEST_CASE("hostile: every kind of broken answer to a poll -> asked again, and the honest answer is "
          "taken; one over the limit -> read once")
{
    std::size_t written = 0;
    for (hostile_answer const& h : hostile_answers(written)) {
        CAPTURE(h.what);
        bool const long_header = h.what == "a header without end" || h.what == "a header line without end" ||
                                 h.what == "chunk extensions without end" || h.what == "trailers without end";
        bool const over_limit = long_header || h.what == "a body without end" ||
                                h.what == "chunks without end" || h.what == "a body larger than it may be" ||
                                h.what == "a gzip bomb";
        int polls = 0;
        asio::io_context ioc(1);
        scripted_server server(ioc, [&](scripted_peer& p) -> task<void> {
            while (!p.ended()) {
                std::string const request = co_await p.read_request();
                if (p.ended()) co_return;
                if (request.starts_with("POST"))
                    co_await p.write(accepted);
                else if (++polls == 1)
                    co_await h.play(p);
                else
                    co_await p.write(finished);
            }
        });
        run_coro(ioc, [&]() -> task<void> {
            client c(ioc, hurried(server));
            submit_request request(document::from_bytes("%PDF-1.4", "a.pdf"), "INVOICE");
            result<ocr_result> const r = co_await c.async_recognize(std::move(request), token);
            server.stop();
            if (over_limit) {
                REQUIRE(r.has_error());
                CHECK(r.error().code == (long_header ? errc::header_too_large : errc::body_too_large));
                CHECK(r.error().request_id == "r-1");
                co_return;
            }
            REQUIRE(r.has_value());
            CHECK(r->text() == "12");
        });
        CHECK((over_limit ? polls == 1 : polls >= 2));
    }
}

TEST_CASE("hostile: an answer that drips for ever -> ends after the time for a whole answer")
{
    asio::io_context ioc(1);
    scripted_server server(ioc, [](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        asio::steady_timer pause(co_await asio::this_coro::executor);
        while (!p.ended()) {
            co_await p.write(" ");
            boost::system::error_code ec;
            pause.expires_after(milliseconds(1));
            co_await pause.async_wait(scripted_peer::into(ec));
        }
    });
    run_coro(ioc, [&]() -> task<void> {
        client_options o = hurried(server);
        o.timeouts.answer = milliseconds(100);
        client c(ioc, o);
        submit_request request(document::from_bytes("%PDF-1.4", "a.pdf"), "INVOICE");
        result<submitted_job> const r = co_await c.async_submit(std::move(request), token);
        server.stop();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::ambiguous_submit);
        CHECK(r.error().cause == errc::read_timeout);
    });
}

TEST_CASE("hostile: a million small values within the limit -> read in one pass, taken")
{
    std::string many = R"({"x":[1)";
    for (int i = 0; i != 1'000'000; ++i)
        many += ",1";
    many += R"(],"data":{"request_id":"r-1"}})";
    asio::io_context ioc(1);
    scripted_server server(ioc, [&](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer(many));
    });
    run_coro(ioc, [&]() -> task<void> {
        client_options o = hurried(server);
        o.limits.max_answer_bytes = 4'000'000;
        client c(ioc, o);
        submit_request request(document::from_bytes("%PDF-1.4", "a.pdf"), "INVOICE");
        result<submitted_job> const r = co_await c.async_submit(std::move(request), token);
        server.stop();
        REQUIRE(r.has_value());
        CHECK(r->request_id == "r-1");
    });
}

TEST_CASE("hostile: ids that try to be paths, queries or headers -> one encoded segment of a path each")
{
    std::vector<std::string> lines;
    asio::io_context ioc(1);
    scripted_server server(ioc, [&](scripted_peer& p) -> task<void> {
        for (;;) {
            std::string const request = co_await p.read_request();
            if (p.ended()) co_return;
            lines.push_back(request.substr(0, request.find("\r\n")));
            CHECK(request.find("\nX-Evil") == std::string::npos);
            if (request.starts_with("POST"))
                co_await p.write(answer(
                    R"({"data":{"request_id":"../../etc/passwd?a=b#c\r\nX-Evil: 1","file_ids":[".."]}})"));
            else
                co_await p.write(finished);
        }
    });
    run_coro(ioc, [&]() -> task<void> {
        client c(ioc, hurried(server));
        submit_request request(document::from_bytes("%PDF-1.4", "a\"\r\nX-Evil: 1.pdf"), "INVOICE");
        result<submitted_job> const job = co_await c.async_submit(std::move(request), token);
        REQUIRE(job.has_value());
        std::string id = job->request_id;
        result<ocr_result> const r = co_await c.async_wait(wait_request(id), token);
        CHECK(r.has_value());
        std::string file = job->file_ids.at(0);
        result<part_data> const part = co_await c.async_image(id, file, token);
        server.stop();
    });
    std::string const base = "/maas/user-1/greennode/idp/v1/ocr/ingest";
    std::string const id = "..%2F..%2Fetc%2Fpasswd%3Fa%3Db%23c%0D%0AX-Evil%3A%201";
    REQUIRE(lines.size() >= 3);
    CHECK(lines[0] == "POST " + base + " HTTP/1.1");
    CHECK(lines[1] == "GET " + base + "/" + id + " HTTP/1.1");
    CHECK(lines[2] == "GET " + base + "/file/" + id + "/%2E%2E HTTP/1.1");
}

TEST_CASE("hostile: a file that grows, shrinks or is emptied while it is sent -> file_changed; one that is "
          "removed -> sent whole")
{
    // Larger than what two sockets hold, so that the end is read after the change.
    std::string const bytes = "%PDF-1.4" + std::string(24 * 1024 * 1024, 'x');
    enum change { grow, shrink, empty, remove };
    for (change const what : {grow, shrink, empty, remove}) {
        CAPTURE(static_cast<int>(what));
        temp_directory dir;
        std::string const file = dir.write("a.pdf", bytes).string();
        std::size_t arrived = 0;
        asio::io_context ioc(1);
        scripted_server server(ioc, [&](scripted_peer& p) -> task<void> {
            std::string const head = co_await p.read_head();
            if (what == grow)
                std::ofstream(file, std::ios::binary | std::ios::app) << "more";
            else if (what == remove)
                std::filesystem::remove(file);
            else
                std::filesystem::resize_file(file, what == empty ? 0 : bytes.size() - 1);
            auto const field = head.find("Content-Length: ");
            std::size_t const length = std::strtoull(head.c_str() + field + 16, nullptr, 10);
            while (arrived < length && !p.ended()) {
                std::string const piece = co_await p.read_available();
                arrived += piece.size();
            }
            if (arrived == length) co_await p.write(accepted);
        });
        run_coro(ioc, [&]() -> task<void> {
            client c(ioc, hurried(server));
            submit_request request(document::from_file(file), "INVOICE");
            result<submitted_job> const r = co_await c.async_submit(std::move(request), token);
            server.stop();
            REQUIRE(r.has_value() == (what == remove));
            if (r.has_error()) {
                CHECK(r.error().code == errc::file_changed);
                CHECK(arrived < bytes.size() + 1);
            }
        });
    }
}
