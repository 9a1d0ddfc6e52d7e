#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/ocr_result.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace ocrpipe;

namespace
{

ocr_result result_of(std::string raw) { return ocr_result("r", std::move(raw), completeness::whole, 1); }

} // namespace

TEST_CASE("ocr_result: values as objects and as strings -> the same typed view, the JSON unchanged")
{
    std::string const raw = R"( {"data":{"documents":[
        {"id":"second","document_id":77,"document_type":"ID","status":"SUCCESS","is_correct_classification":true,
         "ocr_data":[{"name":"eid","value":[{"name":"id_number","extracted_value":"0123","extracted_prob":0.97,"coordinates":[1,2.5,3,4]},
                                            {"name":"empty","extracted_value":""}]},
                     {"name":"note","value":["một","hai"]}]},
        {"ocr_data":null}]}} )";
    ocr_result const r = result_of(raw);
    CHECK(r.raw() == raw);
    auto const documents = r.documents();
    REQUIRE(documents.size() == 2);
    CHECK(documents[0].id == "77"); // document_id stands before id in the profile
    CHECK(documents[0].type == "ID");
    CHECK(documents[0].correct_classification == true);
    REQUIRE(documents[0].fields.size() == 2);
    REQUIRE(documents[0].fields[0].values.size() == 1);
    ocr_value const& v = documents[0].fields[0].values[0];
    CHECK(v.name == "id_number");
    CHECK(v.text == "0123");
    CHECK(v.probability == 0.97);
    CHECK(v.coordinates == std::vector<double>{1, 2.5, 3, 4});
    CHECK(documents[0].fields[1].values[1].text == "hai");
    CHECK(r.text() == "0123\nmột\nhai");
}

TEST_CASE("ocr_result: surprises of every kind -> left out, never an error")
{
    for (
        char const* raw :
        {"", "null", "[]", "{", R"({"data":[1,"x",null]})", R"({"data":{"documents":{"ocr_data":[]}}})",
         R"({"data":{"documents":[{"ocr_data":"text"}]}})",
         R"({"data":{"documents":[[[{"ocr_data":[[{}]]}]]]}})",
         R"({"data":{"documents":[{"ocr_data":[{"value":{"extracted_prob":"high","coordinates":{}}}]}]}})"}) {
        CAPTURE(raw);
        CHECK_NOTHROW((void)result_of(raw).documents());
        CHECK_NOTHROW((void)result_of(raw).text());
    }
}

TEST_CASE("ocr_result: more than a million fields or values -> a view of all of them")
{
    auto const repeated = [](std::string const& before, std::string const& thing, std::string const& after) {
        std::string out = before + thing;
        for (int i = 1; i != 1'000'100; ++i)
            out += ',' + thing;
        return out + after;
    };
    auto const fields =
        result_of(repeated(R"({"documents":[{"ocr_data":[)", "{}", R"(],"status":"FAILED"}]})")).documents();
    CHECK(fields.at(0).fields.size() == 1'000'100);
    CHECK(fields.at(0).failed);
    auto const values = result_of(
        repeated(R"({"documents":[{"ocr_data":[{"value":[)", "1", R"(]},{"name":"x"}]},{"id":1}]})"));
    CHECK(values.documents().size() == 2);
    CHECK(values.documents().at(0).fields.at(0).values.size() == 1'000'100);
    CHECK(values.text().size() == 2 * 1'000'100 + 1); // and the name of the field without a value
}

TEST_CASE("read_known_form: more than 100,000 file ids -> all of them; a result's are not kept")
{
    std::string files = R"({"data":{"request_id":"r","file_ids":[1)";
    for (int i = 1; i != 150'000; ++i)
        files += ",1";
    body_facts const facts = read_known_form(files + "]}}", default_profile());
    CHECK(facts.request_id == "r");
    CHECK(facts.file_ids.size() == 150'000);
    CHECK(read_body_facts(files + "]}}", default_profile()).file_ids.empty());
}

TEST_CASE("read_body_facts: nesting beyond 1000 -> not JSON, in bounded time")
{
    CHECK(read_body_facts(std::string(1'000'000, '['), default_profile()).shape ==
          body_facts::form::not_json);
    std::string const nested = R"({"data":)" + std::string(1000, '[') + std::string(1000, ']') + "}";
    CHECK(read_body_facts(nested, default_profile()).shape == body_facts::form::not_json);
}

TEST_CASE("read_body_facts: two values, a comment, text behind the end -> not JSON")
{
    for (char const* body : {"{} {}", "{}x", "/* c */ {}", "{'a':1}", "{\"a\":01}"}) {
        CAPTURE(body);
        CHECK(read_body_facts(body, default_profile()).shape == body_facts::form::not_json);
    }
    CHECK(read_body_facts("{\"a\":1}\r\n ", default_profile()).shape == body_facts::form::filled);
}

TEST_CASE("ocr_result: the ids alone -> those of the documents, in their places")
{
    for (
        char const* answer :
        {R"({"data":{"documents":[{"document_id":"a","ocr_data":[]},{"type":"x"},{"docId":3},"text",7,[]]}})",
         R"({"document_id":"a","text":"Hello"})", R"({"document_id":"a"})", R"([{"document_id":"\u0061"}])",
         R"({"documents":{"document_id" : "a","ocr_data":null}})", "7", "null", "", "{"}) {
        CAPTURE(answer);
        ocr_result const r = result_of(answer);
        std::map<std::size_t, std::string> expected;
        for (ocr_document const& d : r.documents())
            expected.emplace(expected.size() + 1, d.id);
        std::map<std::size_t, std::string> ids;
        r.for_each_document_id([&](std::size_t n, std::string id) { ids.emplace(n, std::move(id)); });
        CHECK(ids == expected);
    }
}

TEST_CASE("ocr_result: coordinates with lists inside -> the numbers of each list once")
{
    auto const values = [](std::string const& box) {
        std::string const value = R"({"extracted_value":"x","coordinates" : )" + box + "}";
        auto const documents =
            result_of(R"({"documents":[{"ocr_data":[{"name":"t","value":[)" + value + "]}]}]}").documents();
        return documents.at(0).fields.at(0).values.at(0).coordinates;
    };
    CHECK(values("[1, -2.5e1 ,3]") == std::vector<double>{1, -25, 3});
    CHECK(values("[[1,2],[3,4]]") == std::vector<double>{1, 2, 3, 4});
    CHECK(values(R"([1,"] 9",{"a":[7]},2])") == std::vector<double>{1, 2});
    CHECK(values("[]").empty());
}
