#include <ocrpipe/load/job_record.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

job_record whole()
{
    job_record r;
    r.due = 1'000'001us;
    r.started = 1'000'002us;
    r.sent = 1'000'003us;
    r.accepted = 1'000'004us;
    r.first_pending = 1'000'005us;
    r.last_pending = 1'000'006us;
    r.ended = 1'000'007us;
    r.parts_done = 1'000'008us;
    r.bytes = 5'000'000'000;
    r.polls = 70'000;
    r.parts = 3;
    r.parts_failed = {{errc::service_error, 2}, {errc::read_timeout, 1}};
    r.submits = 2;
    r.outcome = job_outcome::done;
    return r;
}

std::string line_of(job_record const& r, std::string_view document = "a.pdf", std::string_view id = "r-1")
{
    std::string out;
    append_json_line(out, r, document, id);
    return out;
}

void check_equal(job_record const& a, job_record const& b)
{
    CHECK(a.due == b.due);
    CHECK(a.started == b.started);
    CHECK(a.sent == b.sent);
    CHECK(a.accepted == b.accepted);
    CHECK(a.first_pending == b.first_pending);
    CHECK(a.last_pending == b.last_pending);
    CHECK(a.ended == b.ended);
    CHECK(a.parts_done == b.parts_done);
    CHECK(a.bytes == b.bytes);
    CHECK(a.polls == b.polls);
    CHECK(a.parts == b.parts);
    CHECK(a.parts_wanted == b.parts_wanted);
    CHECK(a.parts_failed == b.parts_failed);
    CHECK(a.submits == b.submits);
    CHECK(a.outcome == b.outcome);
    CHECK(a.error == b.error);
}

std::string why_refused(std::string_view line)
{
    auto const read = parse_job_line(line);
    return read ? "accepted" : read.error().reason;
}

} // namespace

TEST_CASE("job_record: a record with everything -> one line with every member")
{
    CHECK(line_of(whole()) ==
          R"({"document":"a.pdf","request_id":"r-1","outcome":"done","class":null,"due":1.000001,)"
          R"("started":1.000002,"sent":1.000003,"accepted":1.000004,"first_pending":1.000005,)"
          R"("last_pending":1.000006,"ended":1.000007,"bytes":5000000000,"submits":2,"polls":70000,)"
          R"("parts_done":1.000008,"parts":3,"parts_wanted":0,)"
          R"("parts_failed":{"service_error":2,"read_timeout":1}})"
          "\n");
}

TEST_CASE("job_record: what is not known -> null, and nothing about parts that were not asked for")
{
    CHECK(line_of(job_record{}, "", "") ==
          R"({"document":"","request_id":null,"outcome":"unfinished","class":null,"due":0.000000,)"
          R"("started":null,"sent":null,"accepted":null,"first_pending":null,"last_pending":null,)"
          R"("ended":null,"bytes":0,"submits":0,"polls":0})"
          "\n");
}

TEST_CASE("job_record: written and read again -> the same, whatever is in it")
{
    job_record failed = whole();
    failed.outcome = job_outcome::failed;
    failed.error = errc::job_failed;
    failed.first_pending = failed.parts_done = job_record::unknown;
    failed.parts = 0;
    failed.parts_failed.clear();
    job_record cut = whole();
    cut.parts_done = job_record::unknown;
    cut.parts_wanted = 4;
    cut.ended = 24h * 300;
    for (job_record const& r : {job_record{}, whole(), failed, cut}) {
        for (std::string_view const text :
             {"a.pdf", "a \"b\"\\\n\x01.pdf", "gi\xe1\xba\xa5y t\xe1\xbb\x9d.pdf", ""}) {
            std::string const line = line_of(r, text, text);
            CHECK(line.find('\n') == line.size() - 1);
            auto const read = parse_job_line(line);
            REQUIRE_MESSAGE(read.has_value(), line);
            CHECK(read->document == text);
            CHECK(read->request_id == text);
            check_equal(read->record, r);
        }
    }
}

TEST_CASE("job_record: a line of a later version -> members that are not known are ignored")
{
    auto const read = parse_job_line(
        R"({"due":1,"ended":2,"outcome":"failed","class":"class_of_tomorrow","parts_failed":{"class_of_tomorrow":3},"x":[1]})");
    REQUIRE(read.has_value());
    CHECK(read->record.due == 1s);
    CHECK(read->record.error == errc::ok);
    CHECK(read->record.parts_failed.empty());
}

TEST_CASE("job_record: nonsense -> refused, with a reason")
{
    for (char const* const line : {"", "x", "[]", "17", "null", "{",
                                   R"({"due":1,"outcome":"done"})"
                                   "x"})
        CHECK_MESSAGE(why_refused(line) == "a line of jobs.jsonl is not a JSON object", line);
    for (char const* const line :
         {"{}", R"({"due":1})", R"({"outcome":"done"})", R"({"due":1,"outcome":"lost"})",
          R"({"due":null,"outcome":"done"})", R"({"due":1,"outcome":"done"})",
          R"({"due":1,"outcome":"failed","ended":null})"})
        CHECK_MESSAGE(why_refused(line) == "a line of jobs.jsonl lacks its due time, its outcome or its end",
                      line);
}

TEST_CASE("job_record: an impossible value -> refused, and named")
{
    auto const refused = [](std::string const& member, std::string const& value) {
        std::string const due = member == "due" ? "" : R"("due":1,)";
        std::string const why =
            why_refused(R"({"outcome":"unfinished",)" + due + '"' + member + "\":" + value + '}');
        return why == "a line of jobs.jsonl has an impossible value of \"" + member + '"';
    };
    for (char const* const time :
         {"due", "started", "sent", "accepted", "first_pending", "last_pending", "ended", "parts_done"})
        for (char const* const value : {"-1", "1e999", "1e300", R"("1")", "true", "[]"})
            CHECK_MESSAGE(refused(time, value), time, ' ', value);
    for (char const* const count : {"bytes", "submits", "polls", "parts", "parts_wanted"})
        for (char const* const value : {"-5", "1e999", "99999999999999999999", R"("1")", "{}"})
            CHECK_MESSAGE(refused(count, value), count, ' ', value);
    CHECK(refused("submits", "65536"));
    CHECK(refused("polls", "4294967296"));
    CHECK(refused("document", "7"));
    CHECK(refused("request_id", "[]"));
    CHECK(refused("class", "1"));
    CHECK(refused("parts_failed", "3"));
    CHECK(refused("parts_failed", R"({"job_failed":-1})"));
}

TEST_CASE("job_record: times that contradict each other -> refused; a rounded one is not")
{
    auto const line = [](std::string const& times) {
        return R"({"outcome":"done","due":10,"ended":20)" + times + '}';
    };
    for (char const* const times :
         {R"(,"sent":9)", R"(,"accepted":21)", R"(,"last_pending":3e7)", R"(,"sent":15,"accepted":12)",
          R"(,"parts_done":19)", R"(,"first_pending":18,"last_pending":17)"})
        CHECK_MESSAGE(why_refused(line(times)) == "a line of jobs.jsonl has times that contradict each other",
                      times);
    CHECK(parse_job_line(line(R"(,"sent":9.9999995,"accepted":20.0000001)")).has_value());
}
