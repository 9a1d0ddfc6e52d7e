#include "emulator/service.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

using namespace ocrpipe::emulator;
using namespace std::chrono_literals;
using time_point = ocrpipe::clock::time_point;

namespace
{

/// A service without sockets whose time the test sets.
struct bench {
    explicit bench(emulator_options o = {}) : options(std::move(o)), answers(options, [](auto) {}) {}

    reply ask(std::string const& method, std::string const& target, std::string const& body = {},
              std::string const& content_type = "multipart/form-data; boundary=b")
    {
        request r;
        r.method = method;
        r.target = target;
        if (!authorization.empty()) r.authorization = authorization;
        if (!tenant.empty()) r.portal_user_id = tenant;
        r.content_type = content_type;
        r.body = body;
        return answers.answer(r, now);
    }

    reply get(std::string const& path) { return ask("GET", base + path); }

    static std::string form(std::map<std::string, std::string> const& fields,
                            std::string const& document = "bytes")
    {
        std::string body;
        for (auto const& [name, value] : fields)
            body += "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
        if (!document.empty())
            body += "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n" +
                    document + "\r\n";
        return body + "--b--\r\n";
    }

    reply submit(std::map<std::string, std::string> const& fields, std::string const& document = "bytes")
    {
        return ask("POST", base + "ingest", form(fields, document));
    }

    reply submit(std::string const& document = "bytes") { return submit(usual, document); }

    std::string id_of(reply const& r)
    {
        auto const at = r.body.find("request_id\":\"");
        REQUIRE(at != std::string::npos);
        return r.body.substr(at + 13, r.body.find('"', at + 13) - at - 13);
    }

    std::string base = "/maas/user-1/greennode/idp/v1/ocr/";
    std::string authorization = "Bearer test-key";
    std::string tenant = "1";
    std::map<std::string, std::string> const usual{
        {"flow", "single"}, {"doc_type", "ID"}, {"file_type", "PDF"}};
    emulator_options options;
    service answers;
    time_point now = time_point(1h);
};

bool contains(reply const& r, std::string_view text) { return r.body.find(text) != std::string::npos; }

} // namespace

TEST_CASE("service: missing or wrong credentials or tenant -> the gateway's nine bytes")
{
    auto const forbidden = [](auto change, std::string const& target) {
        bench b;
        change(b);
        reply const r = b.ask("GET", target);
        CHECK(r.status == 403);
        CHECK(r.body == "Forbidden");
        CHECK(r.content_type.starts_with("text/plain"));
    };
    std::string const poll = "/maas/user-1/greennode/idp/v1/ocr/ingest/x";
    forbidden([](bench& b) { b.authorization.clear(); }, poll);
    forbidden([](bench& b) { b.authorization = "Bearer wrong"; }, poll);
    forbidden([](bench& b) { b.authorization = "test-key"; }, poll);
    forbidden([](bench& b) { b.tenant.clear(); }, poll);
    forbidden([](bench& b) { b.tenant = "2"; }, poll);
    forbidden([](bench&) {}, "/maas/user-2/greennode/idp/v1/ocr/ingest/x");
}

TEST_CASE("service: a wrong base path -> the gateway's 404; an unknown route below the base -> 501")
{
    bench b;
    for (std::string const target :
         {"/", "/v1/ocr/ingest", "/maas/user-1/greennode/idp/v2/ocr/ingest", "/maas/user-1"}) {
        CAPTURE(target);
        CHECK(b.ask("GET", target).status == 404);
        CHECK(contains(b.ask("GET", target), "no Route matched"));
    }
    CHECK(b.ask("POST", b.base + "ingest/image2docs").status == 501);
    CHECK(b.ask("DELETE", b.base + "ingest/x").status == 501);
    CHECK(b.get("ingest/chart/a/b").status == 501);
}

TEST_CASE("service: absolute-form, as through a proxy -> the same routes")
{
    bench b;
    CHECK(b.ask("GET", "http://127.0.0.1:8089" + b.base + "ingest/x").status == 404);
    CHECK(contains(b.ask("GET", "http://127.0.0.1:8089" + b.base + "ingest/x"), "request_id not found"));
}

TEST_CASE("service: a required field is missing or wrong -> 400 as JSON that names it")
{
    bench b;
    auto const refused = [&](std::map<std::string, std::string> const& fields, std::string const& document,
                             std::string_view named) {
        reply const r = b.submit(fields, document);
        CHECK(r.status == 400);
        CHECK(contains(r, named));
        CHECK(contains(r, "\"code\":400"));
    };
    refused({{"doc_type", "ID"}, {"file_type", "PDF"}}, "x", "flow");
    refused({{"flow", "single"}, {"doc_type", "ID"}}, "x", "file_type");
    refused({{"flow", "single"}, {"file_type", "PDF"}}, "x", "doc_type");
    refused({{"flow", "single"}, {"doc_type", "ID"}, {"file_type", "PDF"}}, "", "file");
    refused({{"flow", "single"}, {"doc_type", "ID"}, {"file_type", "WORD"}}, "x", "file_type");
    CHECK(b.ask("POST", b.base + "ingest", "{}", "application/json").status == 400);
    CHECK(b.answers.truth().documents.empty());
}

TEST_CASE("service: a flow id without doc_type, and fields nobody asked for -> accepted")
{
    bench b;
    CHECK(b.submit({{"flow", "f-17"}, {"file_type", "IMAGE"}, {"model", "idp"}}).status == 201);
}

TEST_CASE("service: a doc_type that does not exist -> 500, nothing accepted")
{
    bench b;
    CHECK(b.submit({{"flow", "single"}, {"doc_type", "UNKNOWN_TYPE"}, {"file_type", "PDF"}}).status == 500);
    emulator_options o;
    o.doc_types = {"ID"};
    bench some(o);
    CHECK(some.submit({{"flow", "single"}, {"doc_type", "INVOICE"}, {"file_type", "PDF"}}).status == 500);
    CHECK(some.submit().status == 201);
    CHECK(some.answers.truth().accepted() == 1);
}

TEST_CASE("service: a latency -> pending until it is over")
{
    emulator_options o;
    o.latency = *parse_latency("fixed:2s");
    bench b(o);
    std::string const id = b.id_of(b.submit());
    b.now += 1999ms;
    CHECK(b.get("ingest/" + id).body ==
          R"({"data":{"progress":{"total_doc":1,"ignored":0,"finished":0},"documents":[]}})");
    b.now += 1ms;
    CHECK(contains(b.get("ingest/" + id), R"({"data":{"status":"SUCCESS","progress":{"total_doc":1)"));
}

TEST_CASE("service: two workers and three documents -> the third waits for a worker")
{
    emulator_options o;
    o.latency = *parse_latency("fixed:2s");
    o.workers = 2;
    bench b(o);
    std::vector<std::string> ids;
    for (std::string const document : {"1", "2", "3"})
        ids.push_back(b.id_of(b.submit(document)));
    b.now += 2s;
    CHECK(contains(b.get("ingest/" + ids[1]), "SUCCESS"));
    CHECK_FALSE(contains(b.get("ingest/" + ids[2]), "SUCCESS"));
    b.now += 2s;
    CHECK(contains(b.get("ingest/" + ids[2]), "SUCCESS"));
}

TEST_CASE(
    "service: several documents in a file -> they finish one after the other, with content before the end")
{
    emulator_options o;
    o.latency = *parse_latency("fixed:4s");
    o.documents_per_file = 4;
    bench b(o);
    std::string const id = b.id_of(b.submit());
    b.now += 2500ms;
    reply const half = b.get("ingest/" + id);
    CHECK(contains(half, R"("total_doc":4,"ignored":0,"finished":2)"));
    CHECK(contains(half, "extracted_value"));
    b.now += 2s;
    CHECK(contains(b.get("ingest/" + id), R"("total_doc":4,"ignored":0,"finished":4)"));
}

TEST_CASE("service: limits by the second -> 429 with Retry-After until the window ends, and no job")
{
    emulator_options o;
    o.submits_per_second = 2;
    o.polls_per_second = 1;
    bench b(o);
    CHECK(b.submit("1").status == 201);
    CHECK(b.submit("2").status == 201);
    reply const over = b.submit("3");
    CHECK(over.status == 429);
    CHECK(over.headers == "Retry-After: 1\r\n");
    CHECK(b.get("ingest/x").status == 404);
    CHECK(b.get("ingest/x").status == 429);
    CHECK(b.get("ingest/table/x/y").status == 429);
    b.now += 1s;
    CHECK(b.submit("3").status == 201);
    CHECK(b.get("ingest/x").status == 404);
    CHECK(b.answers.truth().accepted() == 3);
    CHECK(b.answers.counters().throttled == 3);
}

TEST_CASE("service: a limit without Retry-After -> the header is missing")
{
    emulator_options o;
    o.submits_per_second = 1;
    o.limit_with_retry_after = false;
    bench b(o);
    b.submit("1");
    CHECK(b.submit("2").headers.empty());
}

TEST_CASE("service: ids of every style -> beyond 2^53 or full of reserved characters, and they lead back to "
          "their job")
{
    for (std::string const style : {"text", "numbers", "reserved"}) {
        CAPTURE(style);
        emulator_options o;
        o.shape = *parse_shape("ids=" + style);
        bench b(o);
        reply const r = b.submit();
        std::string id;
        if (style == "numbers") {
            auto const at = r.body.find("request_id\":") + 12;
            id = r.body.substr(at, r.body.find(',', at) - at);
            CHECK(id.find_first_not_of("0123456789") == std::string::npos);
            CHECK(std::stoull(id) > (1ULL << 53));
        } else {
            id = b.id_of(r);
        }
        std::string escaped;
        for (char const c : id) {
            char hex[4];
            std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned char>(c));
            escaped += hex;
        }
        CHECK(contains(b.get("ingest/" + escaped), "SUCCESS"));
        CHECK(b.answers.truth().documents[0].request_ids[0] == id);
    }
}

TEST_CASE("service: an id of an earlier life of the emulator -> not found")
{
    bench first;
    std::string const id = first.id_of(first.submit());
    bench second;
    second.submit();
    CHECK(second.get("ingest/" + id).status == 404);
}

TEST_CASE("service: shapes -> keys move, disappear and change as asked")
{
    auto const answers = [](std::string const& text) {
        emulator_options o;
        o.shape = *parse_shape(text);
        bench b(o);
        reply const submitted = b.submit();
        std::string const id = b.id_of(submitted);
        return std::vector<std::string>{submitted.body, b.get("ingest/" + id).body};
    };
    CHECK(answers("top-level")[0].starts_with(R"({"request_id":")"));
    CHECK(answers("top-level,no-file-ids")[0].find("file_ids") == std::string::npos);
    CHECK(answers("top-level-result")[1].starts_with(R"({"status":"SUCCESS")"));
    CHECK(answers("no-status,no-progress")[1].starts_with(R"({"data":{"documents":[{)"));
    CHECK(answers("done=COMPLETED")[1].find(R"("status":"COMPLETED")") != std::string::npos);
    CHECK(answers("values=strings")[1].find(R"("value":["document )") != std::string::npos);
    CHECK(answers("document-id-key=_id")[1].find(R"("_id":"d1)") != std::string::npos);
    CHECK(answers("")[1].find(R"("extracted_prob":0.99)") != std::string::npos);
    CHECK_FALSE(parse_shape("sideways").has_value());
    CHECK_FALSE(parse_shape("values=xml").has_value());
    CHECK_FALSE(parse_shape("submit-status=404").has_value());
}

TEST_CASE("service: parts of a job that is not ready, or of another document -> 404")
{
    emulator_options o;
    o.latency = *parse_latency("fixed:1s");
    bench b(o);
    std::string const id = b.id_of(b.submit());
    b.now += 2s;
    CHECK(b.get("ingest/table/" + id + "/nonsense").status == 404);
    std::string const other = b.id_of(b.submit("other"));
    CHECK(b.get("ingest/table/" + other + "/nonsense").status == 404);
    CHECK(contains(b.get("ingest/table/" + other + "/nonsense"), "not ready"));
}

TEST_CASE("service: the same document twice -> two jobs, and the truth says so")
{
    bench b;
    std::string const first = b.id_of(b.submit());
    std::string const second = b.id_of(b.submit());
    CHECK(first != second);
    auto const truth = b.answers.truth();
    REQUIRE(truth.documents.size() == 1);
    CHECK(truth.documents[0].accepted == 2);
    CHECK(truth.most_accepted() == 2);
    CHECK(truth.documents[0].request_ids == std::vector<std::string>{first, second});
}

TEST_CASE("service: outcomes -> a function of seed, document and acceptance, whatever the order")
{
    auto const ready_at = [](std::vector<std::string> const& documents) {
        emulator_options o;
        o.latency = *parse_latency("lognormal:10s,1");
        bench b(o);
        std::map<std::string, std::string> ids;
        for (auto const& document : documents)
            ids[document] = b.id_of(b.submit(document));
        std::map<std::string, int> seconds;
        for (int s = 0; s != 1000; ++s, b.now += 1s)
            for (auto const& [document, id] : ids)
                if (contains(b.get("ingest/" + id), "SUCCESS")) seconds.try_emplace(document, s);
        return seconds;
    };
    auto const one = ready_at({"a", "b", "c"});
    CHECK(one.size() == 3);
    CHECK(one == ready_at({"c", "a", "b"}));
    CHECK(std::set<int>{one.at("a"), one.at("b"), one.at("c")}.size() > 1);
}

namespace
{

/// Finds one line, or refuses.
struct stub_reader : reader {
    ocrpipe::result<recognition> read(std::string_view document) override
    {
        ocrpipe::failure f;
        f.code = ocrpipe::errc::unreadable_file;
        f.reason = "no such luck";
        if (document == "bad") return f;
        recognition found;
        found.pages.emplace_back();
        found.pages[0].lines.push_back({"read: " + std::string(document), 0.5, 1, 2, 3, 4});
        found.pages[0].words.push_back({"read:", 0.5, 1, 2, 3, 4});
        found.pages[0].image = "PNG";
        return found;
    }
};

} // namespace

TEST_CASE("service: with a reader -> its text, its image, its failure as a failed job")
{
    emulator_options o;
    o.readers = [] { return std::make_unique<stub_reader>(); };
    std::mutex mutex;
    std::condition_variable posted;
    std::vector<std::function<void()>> waiting;
    service answers(o, [&](std::function<void()> f) {
        std::lock_guard const lock(mutex);
        waiting.push_back(std::move(f));
        posted.notify_one();
    });
    bench b;
    auto const ask = [&](std::string const& method, std::string const& path, std::string const& body = {}) {
        request r;
        std::string const target = b.base + path;
        r.method = method;
        r.target = target;
        r.authorization = b.authorization;
        r.portal_user_id = b.tenant;
        r.content_type = "multipart/form-data; boundary=b";
        r.body = body;
        return answers.answer(r, b.now);
    };
    reply const submitted = ask("POST", "ingest", bench::form(b.usual, "good"));
    std::string const good = b.id_of(submitted);
    std::string const bad = b.id_of(ask("POST", "ingest", bench::form(b.usual, "bad")));
    CHECK(contains(ask("GET", "ingest/" + good), R"("finished":0)"));
    {
        std::unique_lock lock(mutex);
        posted.wait(lock, [&] { return waiting.size() == 2; });
        for (auto const& f : waiting)
            f();
    }
    reply const done = ask("GET", "ingest/" + good);
    CHECK(contains(done, R"({"name":"text","page":1,"value":[{"name":"line","extracted_value":"read: good",)"
                         R"("extracted_prob":0.5000,"coordinates":[1,2,3,4]}]})"));
    CHECK(contains(done, R"({"name":"words","page":1,"value":[{"name":"word","extracted_value":"read:",)"));
    reply const failed = ask("GET", "ingest/" + bad);
    CHECK(contains(failed, R"("status":"FAILED","message":"no such luck")"));
    auto const at = submitted.body.find("file_ids\":[\"") + 12;
    std::string const file = submitted.body.substr(at, submitted.body.find('"', at) - at);
    CHECK(ask("GET", "ingest/file/" + good + "/" + file).body == "PNG");
    answers.stop_reading();
}
