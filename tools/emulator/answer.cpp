#include "emulator/answer.hpp"

#include "emulator/mix.hpp"
#include "emulator/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace ocrpipe::emulator
{
namespace
{

constexpr std::uint64_t check_range = 10'000'000;

std::string_view singular(std::string_view kind)
{
    return kind == "table" ? "row" : kind; // a table has rows; signatures and stamps are found one by one
}

} // namespace

std::string id_codec::make(char what, std::uint32_t job, std::uint32_t n) const
{
    std::uint64_t const check = mix(nonce_, job) % check_range;
    switch (style_) {
    case response_shape::id_style::numbers: {
        // Beyond 2^53, below 2^64, and different for requests, documents and files of one job.
        std::uint64_t const family = what == 'r' ? 1 : what == 'd' ? 2 + n * 2 : 3 + n * 2;
        return fmt::format("{}{:07}{:010}", family, check, job);
    }
    case response_shape::id_style::reserved:
        return n == 0 ? fmt::format("{}/ý {:07}?#%&-{:010}", what, check, job)
                      : fmt::format("{}{}/ý {:07}?#%&-{:010}", what, n, check, job);
    case response_shape::id_style::text:
        break;
    }
    return n == 0 ? fmt::format("{}{:07}-{:010}", what, check, job)
                  : fmt::format("{}{}{:07}-{:010}", what, n, check, job);
}

std::optional<std::uint32_t> id_codec::job_of(std::string_view request_id) const
{
    if (request_id.size() < 10) return {};
    std::string_view const digits = request_id.substr(request_id.size() - 10);
    std::uint32_t job = 0;
    auto const [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), job);
    if (ec != std::errc() || end != digits.data() + digits.size()) return {};
    if (make('r', job, 0) != request_id) return {};
    return job;
}

void answer_writer::append_id(std::string& out, std::string_view id) const
{
    if (shape_.ids == response_shape::id_style::numbers)
        out += id;
    else
        append_json(out, id);
}

std::string answer_writer::submitted(std::uint32_t job) const
{
    std::string out = shape_.submit_enveloped ? R"({"data":{"request_id":)" : R"({"request_id":)";
    append_id(out, ids_.request_id(job));
    if (shape_.file_ids) {
        out += R"(,"file_ids":[)";
        append_id(out, ids_.file_id(job, 1));
        out += ']';
    }
    out += shape_.submit_enveloped ? "}}" : "}";
    return out;
}

std::string answer_writer::without_request_id() const
{
    return shape_.submit_enveloped ? R"({"data":{}})" : R"({"file_ids":[]})";
}

void answer_writer::append_field(std::string& out, std::string_view name, std::size_t page,
                                 std::vector<recognized_text> const& values) const
{
    out += R"({"name":)";
    append_json(out, name);
    fmt::format_to(std::back_inserter(out), R"(,"page":{},"value":[)", page);
    bool first = true;
    for (auto const& value : values) {
        if (!first) out += ',';
        first = false;
        if (shape_.values == response_shape::value_style::strings) {
            append_json(out, value.text);
            continue;
        }
        out += R"({"name":)";
        append_json(out, name == "text" ? "line" : "word");
        out += R"(,"extracted_value":)";
        append_json(out, value.text);
        fmt::format_to(std::back_inserter(out), R"(,"extracted_prob":{:.4f},"coordinates":[{},{},{},{}]}})",
                       value.confidence, value.x1, value.y1, value.x2, value.y2);
    }
    out += "]}";
}

void answer_writer::append_document(std::string& out, std::uint32_t job, std::uint32_t n,
                                    std::string_view doc_type, answered_document const& document) const
{
    out += '{';
    append_json(out, shape_.document_id_key);
    out += ':';
    append_id(out, ids_.document_id(job, n));
    out += R"(,"document_type":)";
    append_json(out, doc_type);
    if (!document.status.empty()) {
        out += R"(,"status":)";
        append_json(out, document.status);
    }
    out += R"(,"is_correct":false,"is_correct_classification":true,"file_ids":[)";
    std::size_t const pages = document.pages == nullptr ? 0 : document.pages->size();
    for (std::uint32_t page = 1; page <= pages; ++page) {
        if (page != 1) out += ',';
        append_id(out, ids_.file_id(job, n + page - 1));
    }
    if (pages == 0) {
        out += R"(],"ocr_data":null,"schema":{"table":[]}})";
        return;
    }
    out += R"(],"ocr_data":[)";
    bool first = true;
    for (std::size_t i = 0; i != pages; ++i) {
        recognized_page const& page = (*document.pages)[i];
        if (!first) out += ',';
        first = false;
        append_field(out, "text", i + 1, page.lines);
        if (page.words.empty()) continue;
        out += ',';
        append_field(out, "words", i + 1, page.words);
    }
    out += R"(],"schema":{"table":[]}})";
}

std::string answer_writer::result(std::uint32_t job, std::string_view doc_type, std::string_view status,
                                  std::size_t total, std::vector<answered_document> const& documents,
                                  std::string_view message) const
{
    std::string out = shape_.result_enveloped ? R"({"data":{)" : "{";
    if (!status.empty()) {
        out += R"("status":)";
        append_json(out, status);
        out += ',';
    }
    if (!message.empty()) {
        out += R"("message":)";
        append_json(out, message);
        out += ',';
    }
    if (shape_.progress)
        fmt::format_to(std::back_inserter(out), R"("progress":{{"total_doc":{},"ignored":0,"finished":{}}},)",
                       total, documents.size());
    out += R"("documents":[)";
    for (std::uint32_t n = 0; n != documents.size(); ++n) {
        if (n != 0) out += ',';
        append_document(out, job, n + 1, doc_type, documents[n]);
    }
    out += shape_.result_enveloped ? "]}}" : "]}";
    return out;
}

std::string answer_writer::pending(std::uint32_t job, std::string_view doc_type, std::size_t total,
                                   std::vector<answered_document> const& documents) const
{
    std::string_view word = shape_.pending_word;
    if (word.empty() && !shape_.progress && shape_.status) word = "PROCESSING";
    return result(job, doc_type, word, total, documents);
}

std::string answer_writer::unknown_status(std::string_view word) const
{
    std::string out = shape_.result_enveloped ? R"({"data":{"status":)" : R"({"status":)";
    append_json(out, word);
    out += shape_.result_enveloped ? R"(,"documents":[]}})" : R"(,"documents":[]})";
    return out;
}

std::string answer_writer::part(std::string_view kind, std::uint32_t job, std::uint32_t document,
                                recognized_page const& page) const
{
    std::string out = R"({"data":{)";
    append_json(out, shape_.document_id_key);
    out += ':';
    append_id(out, ids_.document_id(job, document));
    fmt::format_to(std::back_inserter(out), R"(,"{}s":[)", kind);
    std::size_t const found = std::min<std::size_t>(page.lines.size(), kind == "table" ? 3 : 1);
    for (std::size_t i = 0; i != found; ++i) {
        auto const& line = page.lines[i];
        if (i != 0) out += ',';
        fmt::format_to(std::back_inserter(out), R"({{"name":"{}","extracted_value":)", singular(kind));
        append_json(out, line.text);
        fmt::format_to(std::back_inserter(out), R"(,"extracted_prob":{:.4f},"coordinates":[{},{},{},{}]}})",
                       line.confidence, line.x1, line.y1, line.x2, line.y2);
    }
    out += "]}}";
    return out;
}

std::string answer_writer::error(int code, std::string_view message)
{
    std::string out = fmt::format(R"({{"code":{},"message":)", code);
    append_json(out, message);
    out += '}';
    return out;
}

} // namespace ocrpipe::emulator
