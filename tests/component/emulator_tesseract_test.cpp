#include "emulator/emulator.hpp"
#include "emulator/samples.hpp"
#include "emulator/tesseract_reader.hpp"
#include "emulator_client.hpp"
#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

using namespace ocrpipe::emulator;

// Pango 1.50 looks for fonts in threads of its own, which it waits for with GLib's futexes that
// ThreadSanitizer cannot see, and leaves 288 bytes of Fontconfig's behind, once in a process. Can go when
// drawing the samples alone is clean without them.
#if defined(__SANITIZE_ADDRESS__)
extern "C" char const* __lsan_default_suppressions() { return "leak:libfontconfig"; }
#endif
#if defined(__SANITIZE_THREAD__)
extern "C" char const* __tsan_default_suppressions()
{
    return "race:libfontconfig.so\nrace:libglib-2.0.so\nrace:libpangoft2-1.0.so";
}
#endif

namespace
{

std::multiset<std::string> words_of(std::string const& text)
{
    std::istringstream in(text);
    return {std::istream_iterator<std::string>(in), {}};
}

/// The words of the first text field of every page.
std::string text_of(std::string const& json)
{
    std::string out;
    std::string_view const key = "{\"name\":\"line\",\"extracted_value\":\"";
    for (auto at = json.find(key); at != std::string::npos; at = json.find(key, at)) {
        at += key.size();
        out += json.substr(at, json.find('"', at) - at) + "\n";
    }
    return out;
}

/// An emulator that reads, and that holds back every answer to a poll a little, so that polling does not take
/// the cores from reading.
emulator_options reading(std::string const& languages)
{
    emulator_options o;
    o.readers = make_tesseract_readers(languages);
    o.faults.push_back(*parse_fault("stall:ms=50:route=result"));
    return o;
}

std::string wait_for(plain_client& client, std::string const& id)
{
    for (;;) {
        auto const a = client.get("ingest/" + id);
        if (a.status != 200 || a.body.find("\"status\":") != std::string::npos) return a.body;
    }
}

} // namespace

TEST_CASE(
    "emulator with tesseract: its own sample invoices -> most words come back, in both languages and formats")
{
    temp_directory const dir;
    auto const paths = write_sample_invoices(dir.path());
    auto const samples = sample_invoices();
    REQUIRE(paths.size() == samples.size());
    emulator e(reading("vie+eng"));
    plain_client client(e.port());
    for (std::size_t i = 0; i != paths.size(); ++i) {
        CAPTURE(samples[i].file_name);
        CHECK(paths[i].filename() == samples[i].file_name);
        std::string const bytes = dir.read(samples[i].file_name);
        std::string const id = json_string(client.submit(bytes, samples[i].file_name).body, "request_id");
        std::string const result = wait_for(client, id);
        auto const found = words_of(text_of(result));
        auto const truth = words_of(samples[i].text);
        std::size_t shared = 0;
        for (auto const& word : std::set<std::string>(truth.begin(), truth.end()))
            shared += std::min(truth.count(word), found.count(word));
        CHECK(static_cast<double>(shared) > 0.9 * static_cast<double>(truth.size()));
        bool const vietnamese = samples[i].file_name.starts_with("hoa-don");
        CHECK(found.count(vietnamese ? "hóa" : "INVOICE") > 0);
        CHECK(result.find("\"name\":\"words\"") != std::string::npos);
    }
}

TEST_CASE("emulator with tesseract: bytes that are no document -> a failed job with a reason")
{
    emulator e(reading("eng"));
    plain_client client(e.port());
    for (std::string const bytes :
         {"neither PDF nor image", "%PDF-1.4 and then nothing", "\x89PNG\r\n\x1a\nbroken"}) {
        CAPTURE(bytes);
        std::string const id = json_string(client.submit(bytes, "x.png").body, "request_id");
        std::string const result = wait_for(client, id);
        CHECK(json_string(result, "status") == "FAILED");
        CHECK(!json_string(result, "message").empty());
    }
}

TEST_CASE("make_tesseract_readers: a language there is no data for -> refused at once")
{
    CHECK_THROWS_AS(make_tesseract_readers("xx-none"), std::runtime_error);
}
