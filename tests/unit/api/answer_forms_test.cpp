// Answers in forms that the profile does not describe: invented ones, and ones modelled on other OCR
// services. Each is read repeatedly, two seconds apart as a client does, while it is pending, partly filled,
// filled, failed and empty.
#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/ocr_result.hpp>

#include "support/read_again.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace ocrpipe;
using std::chrono::seconds;
using tests::taken;

namespace
{

struct answer_form_row {
    std::string_view name;
    std::string_view pending;
    std::string_view partly; ///< some of the content, or a count says that there is more to come
    std::string_view filled;
    std::string_view failed;
    std::string_view empty;
    std::string_view text; ///< of the filled one
    int seconds = 0;       ///< until the filled one is taken: 0 at once, 2 when it is the same twice
    result_verdict when_empty = result_verdict::done_empty;
};

std::vector<answer_form_row> const& rows()
{
    static std::vector<answer_form_row> const all{
        {"text and fields in documents", R"({"data":{"documents":[]}})",
         R"({"data":{"status":"RUNNING","documents":[{"document_id":"d1","text":"Hello"}]}})",
         R"({"data":{"documents":[{"document_id":"d1","text":"Hello world","fields":[{"name":"total","value":"12"}]}]}})",
         R"({"data":{"status":"FAILED","documents":[]}})", R"({"data":{"status":"DONE","documents":[]}})",
         "Hello world\ntotal: 12", 2},
        {"a list as data beside a message", R"({"message":"success","data":[]})",
         R"({"message":"success","status":"PROCESSING","data":[{"text":"Hello"}]})",
         R"({"message":"success","data":[{"text":"Hello world"}]})",
         R"({"message":"bad scan","status":"ERROR","data":[]})", R"({"status":"SUCCESS","data":[]})",
         "Hello world", 2},
        {"a status beside data", R"({"status":"PENDING","data":null})",
         R"({"status":"PROCESSING","data":{"documents":[{"text":"Hello"}]}})",
         R"({"status":"DONE","data":{"documents":[{"text":"Hello world"}]}})",
         R"({"status":"FAILED","data":{"documents":[]}})", R"({"status":"DONE","data":{"documents":[]}})",
         "Hello world", 0},
        {"a status beside data, known content", R"({"status":"PENDING","data":{"documents":[]}})",
         R"({"status":"PROCESSING","data":{"documents":[{"ocr_data":[{"name":"a","value":["Hello"]}]}]}})",
         R"({"status":"DONE","data":{"documents":[{"ocr_data":[{"name":"a","value":["Hello"]}]}]}})",
         R"({"status":"FAILED","data":{"documents":[]}})",
         R"({"status":"DONE","data":{"documents":[{"ocr_data":null}]}})", "Hello", 0},
        {"a nearer status wins", R"({"status":"SUCCESS","data":{"status":"PROCESSING","documents":[]}})",
         R"({"status":"SUCCESS","data":{"status":"QUEUED","documents":[{"text":"Hello"}]}})",
         R"({"status":"PROCESSING","data":{"status":"DONE","documents":[{"text":"Hello world"}]}})",
         R"({"status":"SUCCESS","data":{"status":"FAILED","documents":[]}})",
         R"({"status":"PROCESSING","data":{"status":"DONE","documents":[]}})", "Hello world", 0},
        {"one object for the documents", R"({"data":{"document":null}})",
         R"({"data":{"status":"RUNNING","document":{"text":"Hello"}}})",
         R"({"data":{"document":{"id":"d1","text":"Hello world"}}})",
         R"({"data":{"status":"FAILED","document":null}})", R"({"data":{"status":"DONE","document":{}}})",
         "Hello world", 2},
        {"documents is one object", R"({"data":{"documents":{}}})",
         R"({"data":{"documents":{"status":"RUNNING","text":"Hello"}}})",
         R"({"data":{"documents":{"id":"d1","status":"DONE","text":"Hello world"}}})",
         R"({"data":{"documents":{"status":"FAILED"}}})", R"({"data":{"status":"DONE","documents":{}}})",
         "Hello world", 0},
        {"content directly in data", R"({"data":{}})", R"({"data":{"state":"running","text":"Hello"}})",
         R"({"data":{"text":"Hello world"}})", R"({"data":{"status":"FAILED","text":""}})",
         R"({"data":{"status":"DONE","text":""}})", "Hello world", 2},
        {"data is the text", R"({"data":null})", R"({"data":"Hello","status":"RUNNING"})",
         R"({"data":"Hello world"})", R"({"data":null,"status":"FAILED"})",
         R"({"status":"DONE","data":{"status":"DONE"}})", "Hello world", 2},
        {"a list at the top", "[]", R"([{"status":"PROCESSING","text":"Hello"}])",
         R"([{"text":"Hello"},{"text":"world"}])", R"([{"status":"FAILED"}])", "", "Hello\nworld", 2},
        {"a text at the top", "null", "", R"("Hello world")", R"({"status":"FAILED"})", "", "Hello world", 2},
        {"another name for documents", R"({"data":{"results":[]}})",
         R"({"data":{"job_status":"IN_PROGRESS","results":[{"content":"Hello"}]}})",
         R"({"data":{"job_status":"COMPLETED","results":[{"content":"Hello world"}]}})",
         R"({"data":{"job_status":"FAILED","results":[]}})",
         R"({"data":{"job_status":"COMPLETED","results":[]}})", "Hello world", 0},
        {"pages of lines", R"({"status":"queued","result":null})",
         R"({"status":"running","result":{"pages":[{"lines":["Hello"]}]}})",
         R"({"status":"done","result":{"pages":[{"page":1,"lines":["Hello","world"]},{"page":2,"lines":["bye"]}]}})",
         R"({"status":"failed","result":null})", R"({"status":"done","result":{"pages":[]}})",
         "Hello\nworld\n\nbye", 0},
        {"words of lines", R"({"state":"waiting"})",
         R"({"state":"running","lines":[{"words":[{"text":"Hello"}]}]})",
         R"({"state":"finished","lines":[{"words":[{"text":"Hello"},{"text":"world"}]},{"words":[{"text":"bye"}]}]})",
         R"({"state":"failed"})", R"({"state":"finished","lines":[]})", "Hello world\nbye", 0},
        {"flat names and values", R"({"data":{"request_id":"req"}})",
         R"({"data":{"status":"PROCESSING","invoice_no":"HD-00458"}})",
         R"({"data":{"invoice_no":"HD-00458","total":125000,"seller":{"name":"An Bình"}}})",
         R"({"data":{"status":"REJECTED"}})",
         R"({"data":{"status":"DONE","invoice_no":"","total":null,"seller":{"name":null}}})",
         "invoice_no: HD-00458\ntotal: 125000\nname: An Bình", 2},
        {"fields with names and values", R"({"code":0,"message":"processing","data":[]})",
         R"({"code":0,"data":{"state":"PROCESSING","fields":[{"name":"total","value":"12"}]}})",
         R"({"code":0,"message":"ok","data":{"fields":[{"name":"total","value":"12","confidence":0.9},{"name":"date","value":"02/10/2023"}]}})",
         R"({"code":0,"data":{"state":"FAILED"}})",
         R"({"code":0,"data":{"state":"DONE","fields":[{"name":"total","value":""},{"name":"date","value":null}]}})",
         "total: 12\ndate: 02/10/2023", 2},
        {"a table of rows", R"({"done":false})", R"({"done":false,"rows":[["a","1"]]})",
         R"({"done":true,"rows":[["a","1"],["b","2"]]})", R"({"done":true,"status":"FAILED","rows":[]})",
         R"({"done":true,"rows":[]})", "a\t1\nb\t2", 0},
        {"a percentage", R"({"progress":10})", R"({"progress":60,"text":"Hello"})",
         R"({"progress":100,"text":"Hello world"})", R"({"progress":30,"status":"FAILED"})",
         R"({"progress":100,"text":"","pages":[]})", "Hello world", 0},
        {"progress under other names", R"({"progress":{"total":2,"completed":0}})",
         R"({"progress":{"total":2,"completed":1},"documents":[{"text":"Hello"}]})",
         R"({"progress":{"total":2,"completed":2},"documents":[{"text":"Hello"},{"text":"world"}]})",
         R"({"progress":{"total":2,"completed":2},"documents":[{"status":"FAILED"},{"status":"FAILED"}]})",
         R"({"progress":{"total":1,"completed":1},"documents":[{"text":""}]})", "Hello\nworld", 0},
        {"fewer documents than counted", R"({"data":{"progress":{"total_doc":0}}})",
         R"({"data":{"progress":{"total_doc":2,"finished":1},"documents":[{"text":"Hello"}]}})",
         R"({"data":{"progress":{"total_doc":2,"finished":1,"ignored":1},"documents":[{"text":"Hello world"}]}})",
         R"({"data":{"status":"FAILED","progress":{"total_doc":2,"finished":0}}})",
         R"({"data":{"progress":{"total_doc":1,"finished":1},"documents":[]}})", "Hello world", 0},
        {"unknown status", R"({"data":{"status":"IN_REVIEW"}})",
         R"({"data":{"status":"RUNNING","text":"Hello"}})",
         R"({"data":{"status":"PHASE_9","text":"Hello world"}})", R"({"data":{"status":"TIMEOUT_EXCEEDED"}})",
         "", "Hello world", 10},
        {"texts beside an empty content key, a flag in the next document", R"([{"ocr_data":[]}])", "",
         R"([{"ocr_data":[""],"rows":["Hello world"]},{"scanned":true}])", R"([{"status":"FAILED"}])", "",
         "Hello world", 10},
        {"Vietnamese keys", R"({"data":{"trạng thái":null}})",
         R"({"data":{"status":"PROCESSING","nội dung":"Hóa đơn"}})",
         R"({"data":{"nội dung":"Hóa đơn bán hàng","số":"HD-1"}})", R"({"data":{"status":"FAILED"}})", "",
         "nội dung: Hóa đơn bán hàng\nsố: HD-1", 2},
        {"text in escapes", R"({"data":{"text":""}})", "",
         R"({"data":{"t\u0065xt":"H\u00f3a \u0111\u01a1n"}})", R"({"data":{"status":"\u0046AILED"}})", "",
         "Hóa đơn", 2},
        // Modelled on the answers of other services.
        {"Azure Document Intelligence", R"({"status":"running","createdDateTime":"2026-01-01T00:00:00Z"})",
         R"({"status":"running","analyzeResult":{"content":"Hello"}})",
         R"({"status":"succeeded","createdDateTime":"2026-01-01T00:00:00Z","analyzeResult":{"apiVersion":"2024-11-30",
            "modelId":"prebuilt-read","content":"Hello world\nTotal 12","pages":[{"pageNumber":1,"angle":0.1,"width":8.5,
            "words":[{"content":"Hello","polygon":[1,2,3,4],"confidence":0.99,"span":{"offset":0,"length":5}},{"content":"world"}],
            "lines":[{"content":"Hello world"},{"content":"Total 12"}]}],"paragraphs":[{"content":"Hello world"}],"styles":[]}})",
         R"({"status":"failed","error":{"code":"InvalidContent","message":"bad"}})",
         R"({"status":"succeeded","analyzeResult":{"content":"","pages":[]}})", "Hello world\nTotal 12", 0},
        {"Textract", R"({"JobStatus":"IN_PROGRESS"})",
         R"({"JobStatus":"IN_PROGRESS","Blocks":[{"BlockType":"LINE","Text":"Hello"}]})",
         R"({"JobStatus":"SUCCEEDED","DocumentMetadata":{"Pages":1},"Blocks":[{"BlockType":"PAGE","Id":"p","Geometry":{"BoundingBox":{"Width":1.0,"Left":0}}},
            {"BlockType":"LINE","Text":"Hello world","Confidence":99.1,"Id":"l"},{"BlockType":"WORD","Text":"Hello","TextType":"PRINTED","Id":"w1"},
            {"BlockType":"WORD","Text":"world","Id":"w2"}],"AnalyzeDocumentModelVersion":"1.0"})",
         R"({"JobStatus":"FAILED","StatusMessage":"INVALID_IMAGE"})",
         R"({"JobStatus":"SUCCEEDED","DocumentMetadata":{"Pages":1},"Blocks":[]})", "Hello world", 0},
        {"Google Document AI",
         R"({"name":"projects/1/operations/2","metadata":{"@type":"x","state":"RUNNING"},"done":false})",
         R"({"name":"projects/1/operations/2","done":false,"response":{"document":{"text":"Hello"}}})",
         R"({"name":"projects/1/operations/2","metadata":{"state":"SUCCEEDED"},"done":true,"response":{"document":{"text":"Hello world",
            "pages":[{"pageNumber":1,"lines":[{"layout":{"textAnchor":{"textSegments":[{"startIndex":"0","endIndex":"11"}]},"confidence":0.9}}]}],
            "entities":[{"type":"greeting","mentionText":"Hello","confidence":0.8}]}}})",
         R"({"name":"projects/1/operations/2","done":true,"metadata":{"state":"FAILED"},"error":{"code":3,"message":"bad"}})",
         R"({"name":"projects/1/operations/2","done":true,"response":{"document":{"text":"","pages":[]}}})",
         "", 0, result_verdict::done},
        {"Mindee",
         R"({"api_request":{"error":{},"resources":["job"],"status":"success","status_code":200,"url":"https://x/1"},"job":{"id":"j","status":"waiting","issued_at":"2026-01-01","available_at":null,"error":{}}})",
         "",
         R"({"api_request":{"error":{},"status":"success","status_code":200},"document":{"id":"d","name":"a.pdf","n_pages":1,
            "inference":{"prediction":{"total_amount":{"confidence":0.9,"polygon":[[0.1,0.2]],"value":"12.50"}}}},"job":{"id":"j","status":"completed"}})",
         R"({"api_request":{"status":"success","status_code":200},"job":{"id":"j","status":"failed","error":{"code":"x"}}})",
         R"({"api_request":{"status":"success"},"document":{"id":"d","inference":{"prediction":{"total_amount":{"value":null}}}},"job":{"status":"completed"}})",
         "name: a.pdf\ntotal_amount: 12.50", 0},
        {"LlamaParse", R"({"id":"a","status":"PENDING"})",
         R"({"id":"a","status":"PENDING","pages":[{"page":1,"text":"Hello"}]})",
         R"({"pages":[{"page":1,"text":"Title\nHello world","md":"# Title\n\nHello **world**","images":[],
            "items":[{"type":"heading","lvl":1,"value":"Title","md":"# Title","bBox":{"x":1,"y":2,"w":3,"h":4}}]}],"job_metadata":{"credits_used":1,"job_pages":1}})",
         R"({"id":"a","status":"ERROR","error_message":"x"})",
         R"({"status":"SUCCESS","pages":[{"page":1,"text":"","md":"","items":[]}]})", "Title\nHello world",
         2},
        {"Mathpix", R"({"pdf_id":"p","status":"split","percent_done":20})",
         R"({"pdf_id":"p","status":"split","percent_done":80,"text":"Hello"})",
         R"({"status":"completed","percent_done":100,"num_pages":1,"text":"Hello world"})",
         R"({"status":"error","error":"bad","error_info":{"id":"x"}})",
         R"({"status":"completed","percent_done":100,"text":""})", "Hello world", 0, result_verdict::pending},
        {"Datalab", R"({"status":"processing"})", R"({"status":"processing","markdown":"Hello"})",
         R"({"status":"complete","success":true,"error":"","markdown":"# Hello","page_count":1,"metadata":{"table_of_contents":[]},"images":{}})",
         R"({"status":"failed","success":false,"error":"bad"})",
         R"({"status":"complete","success":true,"markdown":"","metadata":{}})", "# Hello", 0},
        {"docling", R"({"task_id":"t","task_status":"pending","task_position":3})",
         R"({"task_id":"t","task_status":"started","document":{"md_content":"Hello"}})",
         R"({"document":{"filename":"a.pdf","md_content":"# Hello","json_content":null,"html_content":null,"text_content":"Hello"},"status":"success","errors":[],"processing_time":1.2,"timings":{}})",
         R"({"task_id":"t","task_status":"failure"})",
         R"({"document":{"filename":"a.pdf","md_content":"","text_content":""},"status":"success","errors":[]})",
         "Hello", 0},
        {"Mistral OCR", R"({"id":"b","status":"QUEUED","total_requests":1,"completed_requests":0})",
         R"({"status":"RUNNING","pages":[{"index":0,"markdown":"Hello"}]})",
         R"({"pages":[{"index":0,"markdown":"Hello world","images":[],"dimensions":{"dpi":200,"height":2200,"width":1700}}],"model":"mistral-ocr","usage_info":{"pages_processed":1,"doc_size_bytes":100}})",
         R"({"id":"b","status":"TIMEOUT_EXCEEDED"})",
         R"({"status":"SUCCESS","pages":[{"index":0,"markdown":"","images":[]}]})", "Hello world", 2},
        {"Nanonets", R"({"message":"Success","result":[]})",
         R"({"message":"Success","status":"pending","result":[{"prediction":[{"label":"total","ocr_text":"1"}]}]})",
         R"({"message":"Success","result":[{"message":"Success","input":"a.pdf","prediction":[{"id":"1","label":"total","xmin":1,"ymin":2,"xmax":3,"ymax":4,"score":0.9,"ocr_text":"12.50","type":"field"}],"page":0,"request_file_id":"r"}]})",
         R"({"message":"Failure","status":"failed","result":[]})", R"({"status":"Success","result":[]})", "",
         2},
        {"Unstructured", R"({"status":"SCHEDULED"})", R"({"status":"RUNNING","elements":[{"text":"Hello"}]})",
         R"([{"type":"Title","element_id":"e1","text":"Hello","metadata":{"page_number":1,"languages":["eng"],"filename":"a.pdf","filetype":"application/pdf"}},
            {"type":"NarrativeText","element_id":"e2","text":"world","metadata":{"page_number":1,"filename":"a.pdf"}}])",
         R"({"status":"STOPPED"})", R"({"status":"COMPLETED","elements":[]})", "", 2},
        {"FPT.AI Reader", R"({"errorCode":0,"errorMessage":"","data":[]})", "",
         R"({"errorCode":0,"errorMessage":"","data":[{"id":"0123","id_prob":"98.5","name":"NGUYỄN VĂN A","type":"new"}]})",
         R"({"errorCode":0,"errorMessage":"x","status":"FAILED","data":[]})",
         R"({"errorCode":0,"status":"DONE","data":[]})", "", 2},
        {"OCR.space", R"({"ParsedResults":[]})", "",
         R"({"ParsedResults":[{"TextOverlay":{"Lines":[],"HasOverlay":false},"FileParseExitCode":1,"ParsedText":"Hello world\r\n","ErrorMessage":""}],"OCRExitCode":1,"ProcessingTimeInMilliseconds":"100"})",
         R"({"Status":"Failed"})", "", "", 2},
        {"PaddleOCR", R"({"status":"processing"})", "",
         R"({"status":"000","msg":"","results":[[{"confidence":0.98,"text":"Hello","text_region":[[1,2],[3,4]]},{"confidence":0.97,"text":"world","text_region":[[1,2],[3,4]]}]]})",
         R"({"status":"error"})", R"({"status":"success","results":[[]]})", "Hello\nworld", 10},
        {"Google Vision", R"({"responses":[]})", "",
         R"({"responses":[{"fullTextAnnotation":{"text":"Hello world","pages":[{"width":100,"height":50,"blocks":[{"paragraphs":[{"words":[{"symbols":[{"text":"H"},{"text":"e"},{"text":"l"},{"text":"l"},{"text":"o"}]}]}]}]}]}}]})",
         R"({"status":"FAILED","responses":[]})", R"({"status":"done","responses":[{}]})", "Hello world", 2},
    };
    return all;
}

taken read_until_decided(std::string_view body) { return tests::read_until_decided(body, seconds(120)); }

} // namespace

TEST_CASE("answers of unfamiliar forms: pending -> asked for again for as long as it is")
{
    CHECK(rows().size() >= 30);
    for (answer_form_row const& row : rows()) {
        CAPTURE(row.name);
        taken const t = read_until_decided(row.pending);
        CAPTURE(t.last.row);
        CHECK(t.last.what == result_verdict::pending);
    }
}

TEST_CASE("answers of unfamiliar forms: partly filled -> never taken for the result")
{
    for (answer_form_row const& row : rows()) {
        if (row.partly.empty()) continue;
        CAPTURE(row.name);
        taken const t = read_until_decided(row.partly);
        CAPTURE(t.last.row);
        CHECK(t.last.what == result_verdict::pending);
    }
}

TEST_CASE("answers of unfamiliar forms: filled -> done in time, with the text")
{
    for (answer_form_row const& row : rows()) {
        CAPTURE(row.name);
        taken const t = read_until_decided(row.filled);
        CAPTURE(t.last.row);
        CHECK(t.last.what == result_verdict::done);
        CHECK(t.after == seconds(row.seconds));
        ocr_result const result("r-1", std::string(row.filled), completeness::whole, t.reads);
        if (!row.text.empty()) CHECK(result.text() == row.text);
        CHECK(!result.documents().empty());
    }
}

TEST_CASE("answers of unfamiliar forms: failed -> failed after a second look")
{
    for (answer_form_row const& row : rows()) {
        CAPTURE(row.name);
        taken const t = read_until_decided(row.failed);
        CAPTURE(t.last.row);
        CHECK(t.last.what == result_verdict::job_failed);
        CHECK(t.reads == 2);
    }
}

TEST_CASE("answers of unfamiliar forms: finished and empty -> empty after the settle window")
{
    for (answer_form_row const& row : rows()) {
        if (row.empty.empty()) continue;
        CAPTURE(row.name);
        taken const t = read_until_decided(row.empty);
        CAPTURE(t.last.row);
        if (row.when_empty == result_verdict::done_empty) CHECK(t.last.what == result_verdict::done_empty);
        if (t.last.what == result_verdict::done_empty) CHECK(t.after == seconds(10));
        CHECK(ocr_result("r-1", std::string(row.empty), completeness::empty, 1).text().size() < 40);
    }
}

TEST_CASE("read_result: counts under any name say that documents or pages are missing -> the settle window, then "
          "done in part; with all of them, done at once")
{
    struct row {
        std::string_view name;
        std::string_view part;
        std::string_view whole;
    };
    std::vector<row> const all{
        {"camel case beside a foreign list",
         R"({"status":"done","totalDocs":3,"finishedDocs":3,"results":[{"text":"a"}]})",
         R"({"status":"done","totalDocs":3,"finishedDocs":3,"results":[{"text":"a"},{"text":"b"},{"text":"c"}]})"},
        {"camel case beside the profile's list",
         R"({"data":{"status":"SUCCESS","totalDocs":2,"finishedDocs":2,"documents":[{"ocr_data":[{"value":["a"]}]}]}})",
         R"({"data":{"status":"SUCCESS","totalDocs":2,"finishedDocs":2,"documents":[{"ocr_data":[{"value":["a"]}]},{"ocr_data":[{"value":["b"]}]}]}})"},
        {"plain words",
         R"({"state":"completed","total":2,"completed":2,"items":[{"text":"a"}]})",
         R"({"state":"completed","total":2,"completed":2,"items":[{"text":"a"},{"text":"b"}]})"},
        {"in an object of another name",
         R"({"job":{"state":"finished","files_total":2,"files_done":2},"files":[{"text":"a"}]})",
         R"({"job":{"state":"finished","files_total":2,"files_done":2},"files":[{"text":"a"},{"text":"b"}]})"},
        {"in progress, camel case",
         R"({"data":{"progress":{"totalDocs":2,"processedDocs":2},"documents":[{"ocr_data":[{"value":["a"]}]}]}})",
         R"({"data":{"progress":{"totalDocs":2,"processedDocs":2},"documents":[{"ocr_data":[{"value":["a"]}]},{"ocr_data":[{"value":["b"]}]}]}})"},
        {"pages of one text",
         R"({"status":"done","pages_total":3,"pages_done":3,"pages":[{"text":"a"}]})",
         R"({"status":"done","pages_total":3,"pages_done":3,"pages":[{"text":"a"},{"text":"b"},{"text":"c"}]})"},
        {"pages of several documents",
         R"({"status":"done","totalPages":3,"pagesDone":3,"results":[{"pages":[{"text":"a"}]},{"pages":[{"text":"b"}]}]})",
         R"({"status":"done","totalPages":3,"pagesDone":3,"results":[{"pages":[{"text":"a"}]},{"pages":[{"text":"b"},{"text":"c"}]}]})"},
        {"a list of pages under another name",
         R"({"status":"done","pages_total":2,"pages_done":2,"results":[{"page":1,"text":"a"}]})",
         R"({"status":"done","pages_total":2,"pages_done":2,"results":[{"page":1,"text":"a"},{"page":2,"text":"b"}]})"},
        {"one object for the documents",
         R"({"status":"done","docs_total":2,"docs_done":2,"document":{"id":"d","text":"a"}})", ""},
        {"some were skipped", "",
         R"({"status":"done","docs_total":3,"docs_done":2,"docs_skipped":1,"results":[{"text":"a"},{"text":"b"}]})"},
        {"pages that are not listed", "",
         R"({"status":"done","pages_total":3,"pages_done":3,"results":[{"text":"all of it"}]})"},
    };
    for (row const& r : all) {
        CAPTURE(r.name);
        if (!r.part.empty()) {
            taken const t = tests::read_until_decided(r.part, seconds(60));
            CHECK(t.last.what == result_verdict::done_in_part);
            CHECK(t.after == seconds(10));
        }
        if (!r.whole.empty()) {
            taken const t = tests::read_until_decided(r.whole, seconds(60));
            CHECK(t.last.what == result_verdict::done);
            CHECK(t.after == seconds(0));
        }
    }
}
