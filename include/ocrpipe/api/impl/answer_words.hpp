#ifndef OCRPIPE_API_IMPL_ANSWER_WORDS_HPP
#define OCRPIPE_API_IMPL_ANSWER_WORDS_HPP

#include <ocrpipe/core/words.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ocrpipe::detail
{

/// The meaning of a member's key, for answers of a form that the profile does not describe.
///
/// Assumed: everything. The words were taken from the answers of other OCR services.
enum class key_kind : std::uint8_t {
    content,     ///< unknown name: its value is content
    text,        ///< text read from the document, such as "text", "content", "value"
    markup,      ///< the same text with markup, such as "markdown", "html"
    structure,   ///< a list of the parts of a text, such as "pages", "lines"
    words,       ///< a list of the parts of lines, such as "words", "tokens"
    label,       ///< the name of a sibling value, such as "name", "key"
    status,      ///< a status, such as "status", "JobStatus"
    finished,    ///< a boolean, true if the job is finished, such as "done", "ready"
    unfinished,  ///< a boolean, true if it is not, such as "pending", "is_processing"
    success,     ///< a boolean, true if the request succeeded
    failed,      ///< a boolean, true if it did not, such as "has_error"
    progress,    ///< a percentage, or an object of counts
    error,       ///< an object, list or text that describes an error
    documents,   ///< a likely name of the list of documents, such as "results"
    request_id,  ///< the job's id, under a key that is not in the profile
    bookkeeping, ///< ids, types, codes, messages, hashes, times, echoes of the request
    measure,     ///< positions, counts, probabilities: a number is not content, a text is
    notice,      ///< a text about the answer, such as "warnings"
    doubtful,    ///< may be bookkeeping, such as "customer_id", "language", "metadata"
};

/// A key in lower case without separators, and its first and last words. "documentId", "document-id" and
/// "Document ID" all become "documentid", with "document" and "id".
struct plain_key {
    std::string joined;
    std::string first;
    std::string last;
    int words = 0;
};

inline plain_key split_key(std::string_view key)
{
    auto const is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    auto const is_small = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    auto const is_letter = [&](char c) {
        return is_upper(c) || is_small(c) || static_cast<unsigned char>(c) >= 0x80;
    };
    plain_key out;
    bool inside = false;
    for (std::size_t i = 0; i != key.size(); ++i) {
        char const c = key[i];
        if (!is_letter(c)) {
            inside = false;
            continue;
        }
        bool const hump =
            is_upper(c) && i != 0 &&
            (is_small(key[i - 1]) || (is_upper(key[i - 1]) && i + 1 != key.size() && is_small(key[i + 1])));
        if (!inside || hump) {
            out.last.clear();
            ++out.words;
        }
        inside = true;
        out.joined += lower(c);
        out.last += lower(c);
        if (out.words == 1) out.first += lower(c);
    }
    return out;
}

template<std::size_t N>
constexpr bool is_among(std::string_view word, std::array<std::string_view, N> const& list) noexcept
{
    return std::find(list.begin(), list.end(), word) != list.end();
}

/// Keys whose kind is clear from the whole key.
struct key_row {
    key_kind kind;
    std::string_view joined;
};

inline constexpr std::array key_rows{
    key_row{key_kind::text, "text"},
    key_row{key_kind::text, "fulltext"},
    key_row{key_kind::text, "rawtext"},
    key_row{key_kind::text, "plaintext"},
    key_row{key_kind::text, "ocrtext"},
    key_row{key_kind::text, "extractedtext"},
    key_row{key_kind::text, "recognizedtext"},
    key_row{key_kind::text, "detectedtext"},
    key_row{key_kind::text, "mentiontext"},
    key_row{key_kind::text, "content"},
    key_row{key_kind::text, "contents"},
    key_row{key_kind::text, "transcription"},
    key_row{key_kind::text, "transcript"},
    key_row{key_kind::text, "extractedvalue"},
    key_row{key_kind::text, "value"},
    key_row{key_kind::text, "values"},
    key_row{key_kind::text, "ocrdata"},
    key_row{key_kind::markup, "markdown"},
    key_row{key_kind::markup, "md"},
    key_row{key_kind::markup, "mmd"},
    key_row{key_kind::markup, "html"},
    key_row{key_kind::markup, "hocr"},
    key_row{key_kind::markup, "xml"},
    key_row{key_kind::markup, "latex"},
    key_row{key_kind::structure, "pages"},
    key_row{key_kind::structure, "blocks"},
    key_row{key_kind::structure, "paragraphs"},
    key_row{key_kind::structure, "sections"},
    key_row{key_kind::structure, "regions"},
    key_row{key_kind::structure, "areas"},
    key_row{key_kind::structure, "lines"},
    key_row{key_kind::structure, "textlines"},
    key_row{key_kind::structure, "elements"},
    key_row{key_kind::markup, "mdcontent"},
    key_row{key_kind::markup, "htmlcontent"},
    key_row{key_kind::words, "words"},
    key_row{key_kind::words, "tokens"},
    key_row{key_kind::words, "symbols"},
    key_row{key_kind::words, "characters"},
    key_row{key_kind::words, "chars"},
    key_row{key_kind::words, "glyphs"},
    key_row{key_kind::label, "name"},
    key_row{key_kind::label, "key"},
    key_row{key_kind::label, "label"},
    key_row{key_kind::label, "field"},
    key_row{key_kind::label, "fieldname"},
    key_row{key_kind::label, "caption"},
    key_row{key_kind::label, "attribute"},
    key_row{key_kind::label, "property"},
    key_row{key_kind::finished, "done"},
    key_row{key_kind::finished, "isdone"},
    key_row{key_kind::finished, "ready"},
    key_row{key_kind::finished, "isready"},
    key_row{key_kind::finished, "complete"},
    key_row{key_kind::finished, "iscomplete"},
    key_row{key_kind::finished, "completed"},
    key_row{key_kind::finished, "iscompleted"},
    key_row{key_kind::finished, "finished"},
    key_row{key_kind::finished, "isfinished"},
    key_row{key_kind::finished, "processed"},
    key_row{key_kind::success, "success"},
    key_row{key_kind::success, "issuccess"},
    key_row{key_kind::success, "successful"},
    key_row{key_kind::success, "ok"},
    key_row{key_kind::progress, "progress"},
    key_row{key_kind::progress, "percent"},
    key_row{key_kind::progress, "percentage"},
    key_row{key_kind::progress, "percentdone"},
    key_row{key_kind::progress, "percentcomplete"},
    key_row{key_kind::progress, "percentcompleted"},
    key_row{key_kind::progress, "completion"},
    key_row{key_kind::progress, "progresspercent"},
    key_row{key_kind::progress, "progresspercentage"},
    key_row{key_kind::error, "error"},
    key_row{key_kind::error, "errors"},
    key_row{key_kind::error, "exception"},
    key_row{key_kind::error, "fault"},
    key_row{key_kind::error, "err"},
    key_row{key_kind::notice, "warning"},
    key_row{key_kind::notice, "warnings"},
    key_row{key_kind::notice, "message"},
    key_row{key_kind::notice, "messages"},
    key_row{key_kind::notice, "msg"},
    key_row{key_kind::notice, "statusmessage"},
    key_row{key_kind::notice, "statustext"},
    key_row{key_kind::notice, "statusdescription"},
    key_row{key_kind::notice, "resultmessage"},
    key_row{key_kind::notice, "responsemessage"},
    key_row{key_kind::notice, "detail"},
    key_row{key_kind::notice, "reason"},
    key_row{key_kind::notice, "failreason"},
    key_row{key_kind::notice, "hint"},
    key_row{key_kind::unfinished, "pending"},
    key_row{key_kind::unfinished, "ispending"},
    key_row{key_kind::unfinished, "processing"},
    key_row{key_kind::unfinished, "isprocessing"},
    key_row{key_kind::unfinished, "inprogress"},
    key_row{key_kind::unfinished, "isinprogress"},
    key_row{key_kind::unfinished, "running"},
    key_row{key_kind::unfinished, "isrunning"},
    key_row{key_kind::failed, "failed"},
    key_row{key_kind::failed, "isfailed"},
    key_row{key_kind::failed, "haserror"},
    key_row{key_kind::failed, "haserrors"},
    key_row{key_kind::failed, "iserror"},
    key_row{key_kind::failed, "errored"},
    key_row{key_kind::failed, "iserroredonprocessing"},
    key_row{key_kind::success, "succeeded"},
    key_row{key_kind::success, "issuccessful"},
    key_row{key_kind::finished, "final"},
    key_row{key_kind::finished, "isfinal"},
    key_row{key_kind::status, "trạngthái"},
    key_row{key_kind::status, "trangthai"},
    key_row{key_kind::status, "tìnhtrạng"},
    key_row{key_kind::status, "tinhtrang"},
    key_row{key_kind::documents, "documents"},
    key_row{key_kind::documents, "document"},
    key_row{key_kind::documents, "docs"},
    key_row{key_kind::documents, "doc"},
    key_row{key_kind::documents, "results"},
    key_row{key_kind::documents, "result"},
    key_row{key_kind::documents, "ocrresults"},
    key_row{key_kind::documents, "ocrresult"},
    key_row{key_kind::documents, "items"},
    key_row{key_kind::documents, "files"},
    key_row{key_kind::documents, "records"},
    key_row{key_kind::documents, "outputs"},
    key_row{key_kind::documents, "output"},
    key_row{key_kind::documents, "predictions"},
    key_row{key_kind::documents, "extractions"},
    key_row{key_kind::documents, "responses"},
    key_row{key_kind::documents, "data"},
    key_row{key_kind::request_id, "requestid"},
    key_row{key_kind::request_id, "reqid"},
    key_row{key_kind::request_id, "requestuuid"},
    key_row{key_kind::request_id, "jobid"},
    key_row{key_kind::request_id, "taskid"},
    key_row{key_kind::request_id, "ticketid"},
};

/// Keys that are bookkeeping whatever their value; spelled as plain_key::joined.
inline constexpr auto bookkeeping_keys = std::to_array<std::string_view>({
    "id",
    "ids",
    "uuid",
    "guid",
    "documentid",
    "docid",
    "documentids",
    "fileid",
    "fileids",
    "pageid",
    "blockid",
    "lineid",
    "wordid",
    "objectid",
    "parentid",
    "resultid",
    "traceid",
    "spanid",
    "correlationid",
    "operationid",
    "transactionid",
    "sessionid",
    "batchid",
    "eventid",
    "messageid",
    "tenantid",
    "portaluserid",
    "modelid",
    "flowid",
    "type",
    "types",
    "documenttype",
    "doctype",
    "filetype",
    "mimetype",
    "contenttype",
    "mediatype",
    "blocktype",
    "texttype",
    "typetitle",
    "documenttypetitle",
    "code",
    "codes",
    "errorcode",
    "statuscode",
    "httpcode",
    "httpstatus",
    "httpstatuscode",
    "resultcode",
    "returncode",
    "responsecode",
    "errormessage",
    "errormsg",
    "errordetail",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "hash",
    "checksum",
    "digest",
    "etag",
    "filename",
    "originalfilename",
    "originalname",
    "filepath",
    "flow",
    "endpoint",
    "time",
    "timestamp",
    "ts",
    "datetime",
    "created",
    "updated",
    "createdon",
    "updatedon",
    "createdtime",
    "createtime",
    "updatetime",
    "createddatetime",
    "lastupdateddatetime",
    "lastupdated",
    "starttime",
    "endtime",
    "servertime",
    "processingtime",
    "elapsed",
    "elapsedtime",
    "duration",
    "took",
    "latency",
    "runtime",
    "expires",
    "model",
    "modelname",
    "engine",
    "ocrengine",
    "eta",
    "queue",
    "queuename",
    "queueposition",
    "retryafter",
    "ttl",
});

/// Keys whose numbers are not content.
inline constexpr auto measure_keys = std::to_array<std::string_view>({"x",
                                                                      "y",
                                                                      "w",
                                                                      "h",
                                                                      "x0",
                                                                      "x1",
                                                                      "x2",
                                                                      "x3",
                                                                      "x4",
                                                                      "y0",
                                                                      "y1",
                                                                      "y2",
                                                                      "y3",
                                                                      "y4",
                                                                      "left",
                                                                      "top",
                                                                      "right",
                                                                      "bottom",
                                                                      "width",
                                                                      "height",
                                                                      "bbox",
                                                                      "box",
                                                                      "boxes",
                                                                      "boundingbox",
                                                                      "boundingpoly",
                                                                      "boundingregion",
                                                                      "boundingregions",
                                                                      "polygon",
                                                                      "polygons",
                                                                      "points",
                                                                      "vertices",
                                                                      "normalizedvertices",
                                                                      "coordinates",
                                                                      "coords",
                                                                      "coordinate",
                                                                      "geometry",
                                                                      "rect",
                                                                      "rectangle",
                                                                      "location",
                                                                      "position",
                                                                      "span",
                                                                      "spans",
                                                                      "offset",
                                                                      "start",
                                                                      "end",
                                                                      "startindex",
                                                                      "endindex",
                                                                      "startoffset",
                                                                      "endoffset",
                                                                      "begin",
                                                                      "index",
                                                                      "idx",
                                                                      "order",
                                                                      "level",
                                                                      "lvl",
                                                                      "row",
                                                                      "col",
                                                                      "column",
                                                                      "rowindex",
                                                                      "columnindex",
                                                                      "colindex",
                                                                      "rowspan",
                                                                      "colspan",
                                                                      "columnspan",
                                                                      "rowcount",
                                                                      "columncount",
                                                                      "page",
                                                                      "pageno",
                                                                      "pagenumber",
                                                                      "pageindex",
                                                                      "pagenum",
                                                                      "pagecount",
                                                                      "pages",
                                                                      "pagesprocessed",
                                                                      "numpages",
                                                                      "totalpage",
                                                                      "totalpages",
                                                                      "size",
                                                                      "filesize",
                                                                      "bytes",
                                                                      "length",
                                                                      "count",
                                                                      "counts",
                                                                      "totaldoc",
                                                                      "totaldocs",
                                                                      "totaldocuments",
                                                                      "totalcount",
                                                                      "numdocuments",
                                                                      "ignored",
                                                                      "skipped",
                                                                      "confidence",
                                                                      "conf",
                                                                      "score",
                                                                      "scores",
                                                                      "prob",
                                                                      "probability",
                                                                      "extractedprob",
                                                                      "accuracy",
                                                                      "quality",
                                                                      "angle",
                                                                      "rotation",
                                                                      "skew",
                                                                      "orientation",
                                                                      "dpi",
                                                                      "fontsize",
                                                                      "attempts",
                                                                      "attempt",
                                                                      "retries",
                                                                      "retry",
                                                                      "remaining",
                                                                      "ahead",
                                                                      "wait",
                                                                      "xmin",
                                                                      "xmax",
                                                                      "ymin",
                                                                      "ymax",
                                                                      "n",
                                                                      "interval",
                                                                      "priority",
                                                                      "credits",
                                                                      "creditsused",
                                                                      "usage",
                                                                      "cost",
                                                                      "estimated",
                                                                      "estimatedtime",
                                                                      "estimatedseconds",
                                                                      "waitseconds",
                                                                      "jobpages",
                                                                      "quota",
                                                                      "version"});

/// Keys whose texts, or whose members, may be bookkeeping: notes about the request and its surroundings.
inline constexpr auto doubtful_keys = std::to_array<std::string_view>({
    "file",     "path",     "url",      "uri",      "link",      "links",        "href",    "self",
    "next",     "previous", "lang",     "language", "languages", "languagecode", "locale",  "mode",
    "unit",     "method",   "user",     "tenant",   "worker",    "host",         "node",    "server",
    "provider", "service",  "callback", "webhook",  "cursor",    "nonce",        "trace",   "now",
    "kind",     "role",     "category", "class",    "request",   "input",        "params",  "parameters",
    "options",  "config",   "settings", "headers",  "meta",      "metadata",     "context", "debug",
});

/// A key of one of these and "status" or "state" is the status of the job.
inline constexpr auto job_words = std::to_array<std::string_view>(
    {"job",        "task",   "request", "ocr",        "document", "doc",       "process",
     "processing", "run",    "file",    "extraction", "analysis", "operation", "current",
     "overall",    "result", "batch",   "parse",      "parsing",  "upload",    "api"});

/// Kinds by the last word of a longer key, such as "n_pages".
struct last_word_row {
    key_kind kind;
    std::string_view word;
};

inline constexpr std::array last_word_rows{
    last_word_row{key_kind::bookkeeping, "type"},    last_word_row{key_kind::bookkeeping, "version"},
    last_word_row{key_kind::bookkeeping, "format"},  last_word_row{key_kind::bookkeeping, "mime"},
    last_word_row{key_kind::text, "text"},           last_word_row{key_kind::text, "content"},
    last_word_row{key_kind::text, "transcription"},  last_word_row{key_kind::markup, "markdown"},
    last_word_row{key_kind::markup, "html"},         last_word_row{key_kind::measure, "pages"},
    last_word_row{key_kind::measure, "count"},       last_word_row{key_kind::measure, "size"},
    last_word_row{key_kind::measure, "bytes"},       last_word_row{key_kind::measure, "length"},
    last_word_row{key_kind::measure, "width"},       last_word_row{key_kind::measure, "height"},
    last_word_row{key_kind::measure, "offset"},      last_word_row{key_kind::measure, "index"},
    last_word_row{key_kind::measure, "position"},    last_word_row{key_kind::measure, "confidence"},
    last_word_row{key_kind::measure, "score"},       last_word_row{key_kind::measure, "prob"},
    last_word_row{key_kind::measure, "probability"}, last_word_row{key_kind::measure, "angle"},
    last_word_row{key_kind::measure, "seconds"},     last_word_row{key_kind::measure, "milliseconds"},
    last_word_row{key_kind::measure, "ms"},          last_word_row{key_kind::measure, "box"},
    last_word_row{key_kind::measure, "bbox"},        last_word_row{key_kind::measure, "polygon"},
    last_word_row{key_kind::measure, "points"},      last_word_row{key_kind::measure, "vertices"},
    last_word_row{key_kind::measure, "coordinates"}, last_word_row{key_kind::measure, "geometry"},
    last_word_row{key_kind::measure, "rect"},        last_word_row{key_kind::measure, "region"},
    last_word_row{key_kind::measure, "used"},        last_word_row{key_kind::doubtful, "id"},
    last_word_row{key_kind::doubtful, "ids"},        last_word_row{key_kind::doubtful, "uuid"},
    last_word_row{key_kind::doubtful, "url"},        last_word_row{key_kind::doubtful, "uri"},
    last_word_row{key_kind::doubtful, "href"},       last_word_row{key_kind::doubtful, "link"},
    last_word_row{key_kind::doubtful, "time"},       last_word_row{key_kind::doubtful, "timestamp"},
    last_word_row{key_kind::doubtful, "datetime"},   last_word_row{key_kind::doubtful, "hash"},
    last_word_row{key_kind::doubtful, "code"},       last_word_row{key_kind::doubtful, "by"},
    last_word_row{key_kind::doubtful, "token"},      last_word_row{key_kind::doubtful, "hostname"},
    last_word_row{key_kind::error, "error"},         last_word_row{key_kind::error, "errors"},
    last_word_row{key_kind::error, "exception"},     last_word_row{key_kind::measure, "x"},
    last_word_row{key_kind::measure, "y"},           last_word_row{key_kind::measure, "scores"},
    last_word_row{key_kind::measure, "boxes"},       last_word_row{key_kind::measure, "polys"},
    last_word_row{key_kind::measure, "probs"},
};

/// The kind of a key. Cost: a few hundred nanoseconds; callers cache the result, as answers use few distinct
/// keys.
inline key_kind kind_of_key(std::string_view key)
{
    plain_key const k = split_key(key);
    static constexpr auto marks = std::to_array<std::string_view>({"markdown", "md", "html"});
    for (key_row const& row : key_rows)
        if (row.joined == k.joined) return row.kind;
    if (is_among(k.joined, bookkeeping_keys)) return key_kind::bookkeeping;
    if (is_among(k.first, marks)) return key_kind::markup;
    if ((k.first == "is" || k.first == "has") && k.words > 1)
        return key_kind::content; // a boolean about the content
    if (is_among(k.joined, doubtful_keys)) return key_kind::doubtful;
    if (is_among(k.joined, measure_keys)) return key_kind::measure;
    static constexpr auto states = std::to_array<std::string_view>({"status", "state", "phase", "stage"});
    if (is_among(k.last, states)) {
        bool const of_job = k.words == 1 || std::any_of(job_words.begin(), job_words.end(), [&](auto w) {
                                return k.joined == std::string(w) + k.last;
                            });
        return of_job ? key_kind::status : key_kind::content;
    }
    if (k.joined.starts_with("error") || k.joined.starts_with("errmsg")) return key_kind::error;
    // Keys of other formats: "@odata.context", "$ref", "__typename".
    if (key.starts_with('@') || key.starts_with('$') || key.starts_with("__")) return key_kind::doubtful;
    for (last_word_row const& row : last_word_rows)
        if (row.word == k.last) return row.kind;
    if (k.last == "at" && k.words > 1) return key_kind::bookkeeping;
    return key_kind::content;
}

} // namespace ocrpipe::detail

#endif
