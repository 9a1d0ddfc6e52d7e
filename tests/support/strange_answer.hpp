#ifndef OCRPIPE_TESTS_STRANGE_ANSWER_HPP
#define OCRPIPE_TESTS_STRANGE_ANSWER_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace ocrpipe::tests
{

/// Makes up answers that nobody has described: any JSON, with one text of twenty letters outside bookkeeping.
///
/// `draw(n)` gives a number below n; everything follows from it.
class strange_answer
{
public:
    explicit strange_answer(std::function<std::size_t(std::size_t)> draw) : draw_(std::move(draw))
    {
        for (char& c : text_)
            c = static_cast<char>((draw_(2) == 0 ? 'a' : 'A') + draw_(26));
    }

    std::string const& text() const noexcept { return text_; }

    std::string make()
    {
        std::string out = value(4, true);
        // A text at the top of an answer is one, too.
        return out;
    }

private:
    template<std::size_t N>
    std::string_view one_of(std::array<std::string_view, N> const& list)
    {
        return list[draw_(N)];
    }

    std::string content_key()
    {
        static constexpr auto keys = std::to_array<std::string_view>(
            {"text",      "content",  "data",  "documents", "result", "results",  "pages",         "lines",
             "words",     "fields",   "name",  "value",     "items",  "body",     "analyzeResult", "ocr_data",
             "full_text", "markdown", "note",  "địa chỉ",   "Blocks", "response", "output",        "total",
             "date",      "address",  "table", "rows",      "cells",  "schema",   "key",           "label"});
        if (draw_(3) != 0) return std::string(one_of(keys));
        std::string key;
        for (std::size_t n = 1 + draw_(8); n != 0; --n)
            key += static_cast<char>('a' + draw_(26));
        // Letters may happen to be a word for bookkeeping.
        return "zq" + key;
    }

    /// Bookkeeping as services write it, which says nothing of the content.
    std::string bookkeeping()
    {
        static constexpr auto members = std::to_array<std::string_view>({R"("id":"a1")",
                                                                         R"("request_id":"REQ")",
                                                                         R"("document_id":7)",
                                                                         R"("type":"LINE")",
                                                                         R"("message":"success")",
                                                                         R"("code":0)",
                                                                         R"("page":1)",
                                                                         R"("confidence":0.98)",
                                                                         R"("bbox":[1,2,3,4])",
                                                                         R"("created_at":"2026-01-01")",
                                                                         R"("file_name":"a.pdf")",
                                                                         R"("page_count":3)",
                                                                         R"("size":1024)",
                                                                         R"("sha256":"00ff")",
                                                                         R"("errors":[])",
                                                                         R"("error":null)",
                                                                         R"("status":"SUCCESS")",
                                                                         R"("success":true)",
                                                                         R"("doc_type":"INVOICE")",
                                                                         R"("unit":null)"});
        return std::string(one_of(members));
    }

    std::string filler(int depth)
    {
        switch (draw_(depth > 0 ? 6 : 4)) {
        case 0:
            return "null";
        case 1:
            return std::to_string(draw_(1000));
        case 2:
            return draw_(2) == 0 ? "true" : "false";
        case 3:
            return draw_(2) == 0 ? R"("")" : R"("other words")";
        default:
            return value(depth - 1, false);
        }
    }

    /// A value, with the text in it when `holds` is set.
    std::string value(int depth, bool holds)
    {
        std::size_t const shape = depth == 0 ? 0 : draw_(3);
        if (holds && shape == 0) return '"' + text_ + '"';
        if (shape == 0) return filler(0);
        bool const object = shape == 1;
        std::string out(1, object ? '{' : '[');
        std::size_t const members = (holds ? 1 : 0) + draw_(3);
        std::size_t const chosen = holds ? draw_(members) : members;
        for (std::size_t i = 0; i != members; ++i) {
            if (i != 0) out += ',';
            if (object && i != chosen && draw_(2) == 0) {
                out += bookkeeping();
                continue;
            }
            if (object)
                out += '"' + content_key() + std::to_string(i == chosen ? 0 : i).substr(i == chosen) + "\":";
            out += i == chosen ? value(depth - 1, true) : filler(depth - 1);
        }
        return out + (object ? '}' : ']');
    }

    std::function<std::size_t(std::size_t)> draw_;
    std::string text_ = std::string(20, 'x');
};

} // namespace ocrpipe::tests

#endif
