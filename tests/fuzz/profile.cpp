// The input is a profile file. If it is accepted, it has no problems and can be written and read again. If it
// is rejected, the reason is printable.

#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/profile.hpp>

#include "fuzz_input.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text = fuzz_input(data, size).rest();
    auto const profile = ocrpipe::parse_profile(text);
    if (!profile) {
        ocrpipe::failure const& f = profile.error();
        require(f.code == ocrpipe::errc::invalid_argument, "a profile is refused as an invalid argument");
        require(f.reason.starts_with("profile: "), "a refusal says what it is about");
        require(!has_control(f.reason), "a refusal can be printed");
        return 0;
    }
    require(ocrpipe::problems(*profile).empty(), "a profile that was accepted has no problems");
    require(!profile->request_id_keys.empty(), "a profile without a key for the request_id is refused");
    require(profile->settle_time.count() >= 0 && profile->settle_reads >= 1, "the settle window is in range");
    require(profile->lost_time.count() >= 0 && profile->lost_reads >= 1,
            "the window of a lost job is in range");

    boost::json::value const json = boost::json::parse(text);
    auto const again = ocrpipe::parse_profile(boost::json::serialize(json));
    require(again.has_value() && *again == *profile,
            "a profile is read again from the same JSON in other words");
    // Whatever keys it names, reading an answer stays within bounds.
    auto const facts = ocrpipe::read_body_facts(text, *profile);
    require(facts.is_json(), "what a profile was read from is JSON for the reader of answers too");
    require(facts.request_id.size() <= 1024, "a request id is bounded");
    return 0;
}
