#include <ocrpipe/core/sha256.hpp>

#include "emulator/emulator.hpp"
#include "emulator_client.hpp"
#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using namespace ocrpipe::emulator;
using ocrpipe::sha256;
using ocrpipe::to_hex;
using answer = plain_client::answer;

TEST_CASE("emulator: the guide's way of a document -> accepted, finished with its text, and every part")
{
    emulator e{emulator_options{}};
    CHECK(e.base_url() == "http://127.0.0.1:" + std::to_string(e.port()));
    plain_client client(e.port());
    std::string const document = "some bytes";
    answer const submitted = client.submit(document, "a.png");
    CHECK(submitted.status == 201);
    std::string const id = json_string(submitted.body, "request_id");
    REQUIRE(!id.empty());

    answer const result = client.get("ingest/" + id);
    CHECK(result.status == 200);
    CHECK(result.body.find(R"("total_doc":1,"ignored":0,"finished":1)") != std::string::npos);
    CHECK(result.body.find("document " + to_hex(sha256(document)).substr(0, 16)) != std::string::npos);
    std::string const document_id = json_string(result.body, "document_id");
    for (std::string const kind : {"table", "signature", "stamp"}) {
        answer const part = client.get("ingest/" + kind + "/" + id + "/" + document_id);
        CHECK(part.status == 200);
        CHECK(part.body.find("\"" + kind + "s\":[{") != std::string::npos);
    }
    auto const files = submitted.body.find("\"file_ids\":[\"");
    REQUIRE(files != std::string::npos);
    std::string const file =
        submitted.body.substr(files + 13, submitted.body.find('"', files + 13) - files - 13);
    answer const image = client.get("ingest/file/" + id + "/" + file);
    CHECK(image.head.find("Content-Type: image/png") != std::string::npos);
    CHECK(image.body.starts_with("\x89PNG"));

    auto const truth = e.truth();
    REQUIRE(truth.by_name("a.png") != nullptr);
    CHECK(truth.by_name("a.png")->sha256 == to_hex(sha256(document)));
    CHECK(truth.by_name("a.png")->size == document.size());
    CHECK(truth.by_name("a.png")->doc_type == "INVOICE");
    CHECK(truth.by_name("a.png")->request_ids == std::vector<std::string>{id});
    CHECK(truth.by_name("a.png")->acceptances_sent == 1);
    CHECK(truth.by_name("a.png")->polls == 1);
    CHECK(truth.by_name("a.png")->results_delivered == 1);
    CHECK(truth.most_accepted() == 1);
    CHECK(e.counters().connections == 1);
}

TEST_CASE("emulator: bad options -> refused at once, all problems in one message")
{
    emulator_options o;
    o.address = "0.0.0.0";
    o.api_key = "";
    try {
        emulator e(o);
        FAIL("must not start");
    } catch (std::invalid_argument const& wrong) {
        std::string const what = wrong.what();
        CHECK(what.find("0.0.0.0") != std::string::npos);
        CHECK(what.find("api_key") != std::string::npos);
    }
}

TEST_CASE("emulator: a port that is taken -> refused with a system error")
{
    emulator first{emulator_options{}};
    emulator_options o;
    o.port = first.port();
    CHECK_THROWS_AS(emulator{o}, std::system_error);
}

TEST_CASE("emulator: stopped while answers stall -> returns, and what it knows stays readable")
{
    emulator_options o;
    o.faults.push_back(*parse_fault("stall:ms=60s"));
    emulator e(o);
    plain_client client(e.port());
    std::thread waiting([&] { CHECK(client.submit("bytes", "a.png").end == answer::closed); });
    while (e.truth().accepted() == 0)
        std::this_thread::yield();
    e.stop();
    waiting.join();
    e.stop();
    CHECK(e.truth().accepted() == 1);
    CHECK(e.all_faults_happened()); // a client that waited in vain has met the stall
    CHECK(e.truth().documents[0].acceptances_sent == 0);
}

TEST_CASE("emulator: a body beyond the limit -> 413 before it is read, and the next connection works")
{
    emulator_options o;
    o.max_body = 10'000;
    emulator e(o);
    plain_client client(e.port());
    CHECK(client.submit(std::string(5'000'000, 'x'), "a.png").status == 413);
    CHECK(client.submit("bytes", "b.png").status == 201);
}

TEST_CASE("emulator: Expect: 100-continue -> the interim answer comes before the body is sent")
{
    emulator e{emulator_options{}};
    plain_client client(e.port());
    client.head += "Expect: 100-continue\r\n";
    answer const a = client.submit("bytes", "a.png");
    CHECK(a.interim == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(a.status == 201);
}

TEST_CASE("emulator: an idle limit -> the server closes an idle connection")
{
    emulator_options o;
    o.idle_limit = milliseconds(20);
    emulator e(o);
    plain_client client(e.port());
    CHECK(client.submit("bytes", "a.png").status == 201);
    CHECK(client.closed_by_server());
}

TEST_CASE("emulator: many clients at once -> every document is accepted once and every result is its own")
{
    emulator e{emulator_options{}};
    std::vector<std::thread> clients;
    std::vector<int> right(8);
    for (int c = 0; c != 8; ++c)
        clients.emplace_back([&, c] {
            plain_client client(e.port());
            for (int i = 0; i != 50; ++i) {
                std::string const name = std::to_string(c) + "-" + std::to_string(i);
                std::string const id = json_string(client.submit(name, name).body, "request_id");
                bool const own = client.get("ingest/" + id).body.find(to_hex(sha256(name)).substr(0, 16)) !=
                                 std::string::npos;
                right[static_cast<std::size_t>(c)] += own ? 1 : 0;
            }
        });
    for (auto& client : clients)
        client.join();
    CHECK(right == std::vector<int>(8, 50));
    CHECK(e.truth().accepted() == 400);
    CHECK(e.truth().most_accepted() == 1);
}

TEST_CASE("emulator: a truth log -> has a line for each event")
{
    temp_directory const dir;
    emulator_options o;
    o.truth_log = (dir.path() / "truth.jsonl").string();
    emulator e(o);
    plain_client client(e.port());
    std::string const id = json_string(client.submit("bytes", "hóa đơn \\\"1\\\".png").body, "request_id");
    client.get("ingest/" + id);
    e.stop();
    std::string const text = dir.read("truth.jsonl");
    CHECK(text.starts_with(R"({"event":"accepted","time":)"));
    CHECK(text.find(R"("file_name":"hóa đơn \"1\".png")") != std::string::npos);
    CHECK(text.find(R"({"event":"acceptance_sent")") != std::string::npos);
    CHECK(text.find(R"("verdict":"done")") != std::string::npos);
    CHECK(text.find(R"({"event":"result_delivered")") != std::string::npos);
}
