#include "emulator/fault_reply.hpp"
#include "emulator/mix.hpp"
#include "emulator/service.hpp"
#include "emulator/synthetic.hpp"

#include <algorithm>

namespace ocrpipe::emulator
{
namespace
{

/// Page images kept for the file route; older ones are forgotten.
constexpr std::size_t most_image_bytes = 256 * 1024 * 1024;

reply json(std::string body)
{
    reply r;
    r.body = std::move(body);
    return r;
}

} // namespace

std::optional<std::uint32_t> service::find(std::string_view request_id) const
{
    auto const job = writer_.ids().job_of(request_id);
    if (!job || *job >= jobs_.jobs()) return {};
    return job;
}

std::uint64_t service::key_of_job(job_record const& j)
{
    return mix(mix(options_.seed, key_of(jobs_.doc(j.document).digest)), j.acceptance);
}

fault_rule const* service::fault_of(job_record const& j) const
{
    return j.fault ? &faults_[*j.fault] : nullptr;
}

bool service::is_ready(job_record const& j, clock::time_point now) const
{
    auto const* rule = fault_of(j);
    if (rule != nullptr && rule->kind == fault_kind::endless_pending) return false;
    return now >= j.ready && (!readers_ || j.read);
}

std::uint32_t service::documents_of(job_record const& j) const
{
    auto const* rule = fault_of(j);
    std::uint32_t const usual = readers_ ? 1 : options_.documents_per_file;
    return rule != nullptr && rule->kind == fault_kind::document_failed ? std::max(usual, 2u) : usual;
}

std::vector<recognized_page> service::synthetic_pages(job_record const& j, std::uint32_t document)
{
    // The first document's text is a function of the file alone, so that a client's test can work it out.
    std::uint64_t const file = key_of(jobs_.doc(j.document).digest);
    std::vector<recognized_page> pages;
    pages.push_back(synthetic_page(document == 1 ? file : mix(file, document)));
    return pages;
}

void service::mark(reply& r, job_record const& j) const { r.fault = j.fault; }

void service::take_reading(std::uint32_t job, reader_pool::outcome found)
{
    std::size_t bytes = 0;
    if (*found)
        for (auto const& page : (*found)->pages)
            bytes += page.image.size();
    jobs_.job(job).read = std::move(found);
    if (bytes == 0) return;
    image_bytes_ += bytes;
    with_images_.push_back(job);
    while (image_bytes_ > most_image_bytes && with_images_.size() > 1) {
        for (auto& page : (*jobs_.job(with_images_.front()).read)->pages) {
            image_bytes_ -= page.image.size();
            page.image = {};
        }
        with_images_.pop_front();
    }
}

reply service::poll(std::string_view request_id, std::string_view path, bool redirected,
                    clock::time_point now)
{
    counters_.polls += 1;
    if (!poll_limit_.admit(now)) {
        counters_.throttled += 1;
        return throttled_reply(options_.limit_with_retry_after);
    }
    auto const index = find(request_id);
    if (!index) {
        // A gateway that is at fault does not know which ids exist.
        auto spoilt =
            spoilt_before(route_result, std::hash<std::string_view>()(request_id), path, redirected);
        return spoilt ? std::move(*spoilt) : error_reply(404, "request_id not found");
    }
    job_record& j = jobs_.job(*index);
    j.polls += 1;
    jobs_.doc(j.document).polls += 1;
    std::uint64_t const key = mix(key_of_job(j), 1000 + j.polls);

    std::string_view verdict = "replaced by a fault";
    auto spoilt = spoilt_before(route_result, key, path, redirected);
    reply r = spoilt ? std::move(*spoilt) : poll_verdict(*index, now, verdict);
    r.job = *index;
    spoil_after(r, route_result, key);
    if (log_.enabled()) log_.write("poll", {{"request_id", request_id}, {"verdict", verdict}});
    return r;
}

std::optional<reply> service::young_verdict(std::uint32_t index, fault_rule const& rule,
                                            std::string_view& verdict)
{
    job_record const& j = jobs_.job(index);
    bool const young = j.polls <= rule.polls;
    reply r;
    switch (rule.kind) {
    case fault_kind::lost_404:
        verdict = "lost";
        r = error_reply(404, "request_id not found");
        break;
    case fault_kind::gone_410:
        verdict = "gone";
        r = error_reply(410, "the result has expired");
        break;
    case fault_kind::not_found_young:
        if (!young) return {};
        verdict = "not found yet";
        r = error_reply(404, "request_id not found");
        break;
    case fault_kind::total_doc_zero:
        if (!young) return {};
        verdict = "no documents counted yet";
        r = json(writer_.pending(index, "", 0, {}));
        break;
    case fault_kind::unknown_status:
        if (!young) return {};
        verdict = "unknown status";
        r = json(writer_.unknown_status(rule.word));
        break;
    default:
        return {};
    }
    mark(r, j);
    return r;
}

reply service::poll_verdict(std::uint32_t index, clock::time_point now, std::string_view& verdict)
{
    job_record& j = jobs_.job(index);
    auto const* rule = fault_of(j);
    if (rule != nullptr)
        if (auto young = young_verdict(index, *rule, verdict)) return std::move(*young);
    if (is_ready(j, now)) {
        j.finished_polls += 1;
        return finished(index, verdict);
    }
    verdict = "pending";
    std::uint32_t const total = documents_of(j);
    // The documents of a file finish one after the other over the job's time.
    std::uint32_t done = 0;
    if (!readers_ && total > 1 && j.ready > j.accepted && now > j.accepted && now < j.ready)
        done = static_cast<std::uint32_t>(total * ((now - j.accepted) / std::chrono::duration<double>(1)) /
                                          ((j.ready - j.accepted) / std::chrono::duration<double>(1)));
    std::vector<std::vector<recognized_page>> pages;
    std::vector<answered_document> documents;
    for (std::uint32_t n = 1; n <= done; ++n)
        pages.push_back(synthetic_pages(j, n));
    for (auto const& of_document : pages)
        documents.push_back({writer_.shape().done_word, &of_document});
    reply r = json(writer_.pending(index, jobs_.doc_type(jobs_.doc(j.document)), total, documents));
    if (rule != nullptr && rule->kind == fault_kind::endless_pending) mark(r, j);
    return r;
}

reply service::finished(std::uint32_t index, std::string_view& verdict)
{
    job_record const& j = jobs_.job(index);
    auto const* rule = fault_of(j);
    auto const doc_type = jobs_.doc_type(jobs_.doc(j.document));
    std::uint32_t const total = documents_of(j);
    auto const is = [rule](fault_kind kind) { return rule != nullptr && rule->kind == kind; };

    if (is(fault_kind::job_failed)) {
        verdict = "failed";
        reply r = json(writer_.result(index, doc_type, rule->word, total, {}, "the job failed"));
        mark(r, j);
        return r;
    }
    if (j.read && !*j.read) {
        verdict = "failed";
        return json(writer_.result(index, doc_type, "FAILED", total, {}, j.read->error().reason));
    }

    std::string_view const done = writer_.shape().done_word;
    std::string_view const status = writer_.shape().status ? done : std::string_view();
    std::vector<std::vector<recognized_page>> pages(total);
    std::vector<answered_document> documents(total);
    for (std::uint32_t n = 0; n != total; ++n) {
        if (!j.read) pages[n] = synthetic_pages(j, n + 1);
        documents[n].status = status;
        documents[n].pages = j.read ? &(*j.read)->pages : &pages[n];
    }
    std::vector<recognized_page> const unfilled(1);
    bool const early = is(fault_kind::terminal_before_filled) && j.finished_polls <= rule->polls;
    bool const empty = is(fault_kind::empty_result);
    for (auto& document : documents) {
        if (early) document.pages = &unfilled;
        if (empty) document.pages = nullptr;
    }
    if (is(fault_kind::document_failed)) documents.back() = {rule->word, nullptr};
    verdict = early ? "terminal, not filled yet" : empty ? "done, empty" : "done";
    reply r = json(writer_.result(index, doc_type, status, total, documents));
    if (!early) r.what = reply::event::result;
    if (early || empty || is(fault_kind::document_failed)) mark(r, j);
    return r;
}

reply service::part(std::string_view kind, std::string_view request_id, std::string_view part_id,
                    std::string_view path, bool redirected, clock::time_point now)
{
    counters_.parts += 1;
    if (!poll_limit_.admit(now)) {
        counters_.throttled += 1;
        return throttled_reply(options_.limit_with_retry_after);
    }
    auto const index = find(request_id);
    if (!index) return error_reply(404, "request_id not found");
    job_record& j = jobs_.job(*index);
    j.part_requests += 1;
    std::uint64_t const key = mix(key_of_job(j), 1'000'000'000 + j.part_requests);
    if (auto spoilt = spoilt_before(route_part, key, path, redirected)) return std::move(*spoilt);
    reply r = part_verdict(kind, *index, part_id, now);
    r.job = *index;
    spoil_after(r, route_part, key);
    return r;
}

reply service::part_verdict(std::string_view kind, std::uint32_t index, std::string_view part_id,
                            clock::time_point now)
{
    job_record const& j = jobs_.job(index);
    auto const* rule = fault_of(j);
    if (rule != nullptr && rule->kind == fault_kind::part_absent) {
        reply r = error_reply(404, "not found");
        mark(r, j);
        return r;
    }
    if (!is_ready(j, now) || (j.read && !*j.read)) return error_reply(404, "not ready");

    bool const image = kind == "file";
    auto const pages_read = j.read ? static_cast<std::uint32_t>((*j.read)->pages.size()) : 1u;
    std::uint32_t const known = image ? std::max(documents_of(j), pages_read) : documents_of(j);
    for (std::uint32_t n = 1; n <= known; ++n) {
        if (part_id != (image ? writer_.ids().file_id(index, n) : writer_.ids().document_id(index, n)))
            continue;
        if (!image) {
            // Of a file with several pages the first one that has text speaks for the document.
            auto const pages = j.read ? (*j.read)->pages : synthetic_pages(j, n);
            auto const with_text = std::find_if(pages.begin(), pages.end(),
                                                [](recognized_page const& p) { return !p.lines.empty(); });
            return json(
                writer_.part(kind, index, n, with_text == pages.end() ? recognized_page{} : *with_text));
        }
        reply r;
        r.content_type = "image/png";
        r.body = j.read ? (*j.read)->pages[n - 1].image
                        : synthetic_png(mix(key_of(jobs_.doc(j.document).digest), n));
        if (r.body.empty()) return error_reply(410, "the image is no longer kept");
        return r;
    }
    return error_reply(404, "no such document or file in this request");
}

} // namespace ocrpipe::emulator
