#include "metrics_text.hpp"

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/json_text.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

namespace json = boost::json;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

/// Bounds in seconds for requests and for documents. A bin of the report's histograms, which is one percent
/// wide, counts below a bound if its middle does.
constexpr std::array bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25,  0.5,   1.0,    2.5,
                            5.0,   10.0,   30.0,  60.0, 120.0, 300., 600., 1800., 3600., 21600., 86400.};

/// One sample for each that the report has.
class families
{
public:
    explicit families(json::object const& report) : report_(report) {}

    /// Starts a family; it is left out if it gets no sample.
    families& begin(std::string name, std::string help, MetricType type)
    {
        all_.push_back({std::move(name), std::move(help), type, {}});
        return *this;
    }

    families& add(std::optional<double> value, labels l = {})
    {
        if (!value) return *this;
        ClientMetric m;
        m.label = std::move(l);
        (all_.back().type == MetricType::Counter ? m.counter.value : m.gauge.value) = *value;
        all_.back().metric.push_back(std::move(m));
        return *this;
    }

    /// Adds the member of the report that the keys lead to, if it is a number.
    families& add(std::initializer_list<std::string_view> keys, labels l = {})
    {
        return add(number(find(keys)), std::move(l));
    }

    /// Adds one sample for each member of an object; its key is the label.
    families& add_each(std::initializer_list<std::string_view> keys, std::string const& label,
                       std::string_view inner = {})
    {
        if (json::object const* const o = object(find(keys)))
            for (auto const& [key, value] : *o) {
                json::object const* const nested = object(&value);
                add(number(inner.empty()       ? &value
                           : nested == nullptr ? nullptr
                                               : nested->if_contains(inner)),
                    {{label, std::string(key)}});
            }
        return *this;
    }

    void add_histogram(std::string_view phase, labels l)
    {
        json::object const* const h = object(find({"latency", phase}));
        if (h == nullptr) return;
        ClientMetric m;
        m.label = std::move(l);
        m.histogram.sample_count = static_cast<std::uint64_t>(number(h->if_contains("count")).value_or(0));
        m.histogram.sample_sum =
            number(h->if_contains("mean")).value_or(0) * static_cast<double>(m.histogram.sample_count);
        std::array<std::uint64_t, bounds.size() + 1> counts{};
        if (json::value const* const bins = h->if_contains("buckets"); bins != nullptr && bins->is_array())
            for (json::value const& bin : bins->get_array())
                if (json::array const* const b = bin.if_array(); b != nullptr && b->size() == 3) {
                    double const middle =
                        std::sqrt(number(&(*b)[0]).value_or(0) * number(&(*b)[1]).value_or(0));
                    std::size_t i = 0;
                    while (i != bounds.size() && middle > bounds[i])
                        ++i;
                    counts[i] += static_cast<std::uint64_t>(number(&(*b)[2]).value_or(0));
                }
        std::uint64_t below = 0;
        for (std::size_t i = 0; i != bounds.size(); ++i)
            m.histogram.bucket.push_back({below += counts[i], bounds[i]});
        m.histogram.bucket.push_back({m.histogram.sample_count, HUGE_VAL});
        all_.back().metric.push_back(std::move(m));
    }

    json::value const* find(std::initializer_list<std::string_view> keys) const
    {
        json::value const* v = nullptr;
        json::object const* o = &report_;
        for (std::string_view const key : keys) {
            v = o == nullptr ? nullptr : o->if_contains(key);
            o = object(v);
        }
        return v;
    }

    static json::object const* object(json::value const* v)
    {
        return v == nullptr ? nullptr : v->if_object();
    }

    static std::optional<double> number(json::value const* v)
    {
        if (v == nullptr || !v->is_number()) return std::nullopt;
        return v->to_number<double>();
    }

    std::string text()
    {
        std::erase_if(all_, [](MetricFamily const& f) { return f.metric.empty(); });
        return prometheus::TextSerializer().Serialize(all_);
    }

private:
    json::object const& report_;
    std::vector<MetricFamily> all_;
};

std::string text_of(families const& f, std::string_view key)
{
    json::value const* const v = f.find({key});
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

std::optional<double> unix_time(families const& f, std::string_view key)
{
    auto const t = detail::parse_time(text_of(f, key));
    if (!t) return std::nullopt;
    return std::chrono::duration<double>(t->time_since_epoch()).count();
}

} // namespace

std::string metrics_text(std::string_view report_json)
{
    error_code ec;
    json::value const parsed = json::parse(report_json, ec);
    if (!parsed.is_object()) return {};
    families f(parsed.get_object());
    auto const counter = [&f](std::string name, std::string help) -> families& {
        return f.begin(std::move(name), std::move(help), MetricType::Counter);
    };
    auto const gauge = [&f](std::string name, std::string help) -> families& {
        return f.begin(std::move(name), std::move(help), MetricType::Gauge);
    };

    gauge("ocrpipe_build_info", "Always 1; the version of the program.")
        .add(1, {{"version", text_of(f, "version")}, {"kind", text_of(f, "kind")}});
    gauge("ocrpipe_start_time_seconds", "When the run started, since 1970-01-01 UTC.")
        .add(unix_time(f, "started_at"));

    gauge("ocrpipe_documents",
          "Documents of all runs in the directory, by state; the sum is the number found.");
    for (std::string_view const state : {"done", "failed", "unfinished", "not_sent", "repeated"})
        f.add({state}, {{"state", std::string(state)}});
    gauge("ocrpipe_source_exhausted", "1 if all inputs have been found.");
    if (json::value const* const v = f.find({"source_exhausted"}); v != nullptr && v->is_bool())
        f.add(v->get_bool() ? 1 : 0);
    counter("ocrpipe_documents_accepted_total", "Documents that the service accepted in this run.")
        .add({"paid", "accepted"});
    counter("ocrpipe_documents_done_total", "Documents that got their result in this run.").add({"done_now"});
    gauge("ocrpipe_documents_in_doubt",
          "Documents that may have been accepted although no request id came back.")
        .add({"paid", "in_doubt"});
    gauge("ocrpipe_documents_possible_duplicates", "Documents sent again that may be billed twice.")
        .add({"paid", "possible_duplicates"});
    gauge("ocrpipe_failed_documents", "Failed documents of all runs in the directory, by class.")
        .add_each({"failed_by_class"}, "class");

    gauge("ocrpipe_in_flight", "Documents that are being sent, wait for their result, or fetch parts.")
        .add({"now", "in_flight"});
    gauge("ocrpipe_backlog", "Documents that were accepted and are not finished.").add({"now", "backlog"});
    gauge("ocrpipe_documents_per_second", "Documents finished a second, recently.")
        .add({"now", "documents_per_second"});
    gauge("ocrpipe_remaining_seconds", "Estimated time until the run ends.").add({"eta", "seconds"});

    counter("ocrpipe_submitted_bytes_total", "Bytes of the documents that have a request id.").add({"bytes"});
    counter("ocrpipe_submits_total", "Submits, repeated ones included.").add({"submits"});
    counter("ocrpipe_polls_total", "Requests for results, repeated ones included.").add({"polls"});
    counter("ocrpipe_throttled_total", "Answers that asked to slow down.").add({"throttled"});
    counter("ocrpipe_transport_failures_total", "Requests without an answer.").add({"transport_failures"});
    counter("ocrpipe_requests_total",
            "Exchanges by operation and HTTP status; a word if there was no answer.");
    if (json::object const* const operations = families::object(f.find({"http_statuses"})))
        for (auto const& [operation, statuses] : *operations)
            if (json::object const* const by_status = families::object(&statuses))
                for (auto const& [status, count] : *by_status)
                    f.add(families::number(&count),
                          {{"operation", std::string(operation)}, {"status", std::string(status)}});

    f.begin("ocrpipe_request_duration_seconds", "From the first byte sent until the answer is read.",
            MetricType::Histogram);
    for (std::string_view const operation : {"submit", "poll", "part"})
        f.add_histogram(operation, {{"operation", std::string(operation)}});
    f.begin("ocrpipe_document_duration_seconds", "From the first byte sent until the result is read.",
            MetricType::Histogram);
    f.add_histogram("end_to_end", {});

    counter("ocrpipe_limited_seconds_total", "Time by what limited the run.")
        .add_each({"limits", "limiting"}, "limit");
    counter("ocrpipe_waited_seconds_total", "Time that requests waited, added up over all requests.")
        .add_each({"limits", "waited"}, "reason");
    counter("ocrpipe_pauses_total", "Pauses of the whole run.")
        .add_each({"limits", "pauses"}, "reason", "count");
    counter("ocrpipe_paused_seconds_total", "Time of these pauses.")
        .add_each({"limits", "pauses"}, "reason", "seconds");
    return f.text();
}

} // namespace ocrpipe::cli
