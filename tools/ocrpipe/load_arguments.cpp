#include "load_arguments.hpp"

#include <ocrpipe/http/origin.hpp>

#include "metrics_option.hpp"
#include "text_units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

constexpr double unlimited = std::numeric_limits<double>::infinity();

double seconds_of(std::chrono::milliseconds d) { return static_cast<double>(d.count()) / 1'000; }

failure bad_stage(std::size_t number, std::string_view text, std::string_view why)
{
    return failure(errc::invalid_argument, phase::none,
                   fmt::format("stage {} \"{}\": {}", number, printable_excerpt(text, 64), why));
}

result<arrival_stage> parse_stage(std::size_t number, std::string_view text)
{
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return bad_stage(number, text, "its length is missing: give RATE:TIME such as 50/s:10m");
    auto const time = parse_duration(text.substr(colon + 1));
    if (!time || time->count() <= 0)
        return bad_stage(number, text, "after the colon, give a time above zero such as 30s or 10m");
    std::string_view const rates = text.substr(0, colon);
    for (std::string_view const arrow : {"->", "→"}) {
        auto const at = rates.find(arrow);
        if (at == std::string_view::npos) continue;
        auto const from = parse_rate(rates.substr(0, at));
        auto const to = parse_rate(rates.substr(at + arrow.size()));
        if (!from || !to)
            return bad_stage(number, text,
                             "on both sides of the arrow, give a rate such as 0, 50/s or 300/m");
        return arrival_stage{*from, *to, seconds_of(*time)};
    }
    auto const rate = parse_rate(rates);
    if (!rate) return bad_stage(number, text, "before the colon, give a rate such as 50/s or 0->50/s");
    return arrival_stage{*rate, *rate, seconds_of(*time)};
}

void read_arrivals(raw_arguments const& raw, option_reader& read, load_plan& p)
{
    raw_load const& l = raw.load;
    arrival_plan& a = p.arrivals;
    a.max_documents = read.value("max-documents", parse_count, "a number, 0 for no limit");
    if (!l.duration.empty()) {
        auto const d = parse_duration(l.duration);
        if (d && d->count() > 0)
            a.max_seconds = seconds_of(*d);
        else
            read.problem("--duration", "is not valid: give a time above zero such as 30s or 2m");
    }
    int const kinds = int(!l.rate.empty()) + int(!l.stages.empty()) + int(!l.concurrency.empty());
    if (kinds > 1) read.problem("--rate", "give only one of --rate, --stages and --concurrency");
    if (kinds == 0 && !p.find_capacity)
        read.problem("--rate",
                     "missing: give --rate 50/s, --stages LIST, --concurrency N or --find-capacity");
    if (p.find_capacity && (!l.stages.empty() || !l.concurrency.empty()))
        read.problem("--find-capacity", "chooses the rates: give --rate for the first one, or nothing");
    if (a.max_documents == 0 && a.max_seconds <= 0 && l.stages.empty())
        read.problem("--duration", "missing: a load test costs money and needs an end: give --duration 2m or "
                                   "--max-documents N");
    a.poisson = l.poisson;
    a.seed = p.seed;
    if (!l.stages.empty()) {
        auto stages = parse_stages(l.stages);
        if (!stages) return read.problem("--stages", stages.error().reason);
        a.stages = std::move(*stages);
        p.arrivals_text = l.stages;
        if (most_documents(a) == 0) read.problem("--stages", "no document is due: give a rate above zero");
    } else if (!l.concurrency.empty()) {
        auto const n = parse_count(l.concurrency);
        if (!n || *n == 0 || *n > 1'000'000)
            return read.problem("--concurrency", "is not valid: give a number from 1 to 1000000");
        a.concurrency = *n;
        if (a.poisson) read.problem("--poisson", "applies to --rate and --stages: a closed loop has no rate");
        p.arrivals_text = fmt::format("closed loop of {}", *n);
    } else {
        auto const rate = l.rate.empty() ? std::optional(1.0) : parse_rate(l.rate);
        if (l.rate.find("->") != std::string::npos || l.rate.find("→") != std::string::npos ||
            l.rate.find(':') != std::string::npos)
            return read.problem(
                "--rate", fmt::format("is one rate such as 50/s: for a rate that changes, give --stages '{}'",
                                      printable_excerpt(l.rate, 64)));
        if (!rate || !(*rate > 0) || *rate > 100'000)
            return read.problem("--rate", "is not valid: give a rate above zero such as 50/s or 300/m");
        a.stages = {{*rate, *rate, unlimited}};
        p.arrivals_text = fmt::format("{:.6g}/s", *rate);
    }
    if (a.poisson) p.arrivals_text += ", Poisson";
}

/// Whether the documents stay on this machine. For a proxy elsewhere, a loopback address is its own machine.
bool is_this_machine(client_options const& client)
{
    auto const service = parse_origin(client.endpoint.base_url);
    if (!service || !is_loopback(service->host)) return false;
    if (client.proxy.url.empty()) return true;
    auto const proxy = parse_proxy(client.proxy.url);
    return proxy && is_loopback(proxy->at.host);
}

} // namespace

result<std::vector<arrival_stage>> parse_stages(std::string_view text)
{
    std::vector<arrival_stage> out;
    for (std::size_t number = 1; !text.empty(); ++number) {
        auto const comma = std::min(text.find(','), text.size());
        auto stage = parse_stage(number, text.substr(0, comma));
        if (!stage) return stage.error();
        out.push_back(*stage);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
}

std::optional<document_sizes> parse_sizes(std::string_view text)
{
    constexpr std::string_view prefix = "lognormal(";
    constexpr std::uint64_t largest = 64'000'000;
    document_sizes out;
    if (text.starts_with(prefix) && text.ends_with(')')) {
        text.remove_prefix(prefix.size());
        text.remove_suffix(1);
        auto const comma = text.find(',');
        if (comma == std::string_view::npos) return std::nullopt;
        std::string_view const sigma = text.substr(comma + 1);
        auto const [end, ec] = std::from_chars(sigma.data(), sigma.data() + sigma.size(), out.sigma);
        if (ec != std::errc() || end != sigma.data() + sigma.size() || !(out.sigma >= 0 && out.sigma <= 3))
            return std::nullopt;
        text = text.substr(0, comma);
    }
    auto const bytes = parse_bytes(text);
    if (!bytes || *bytes == 0 || *bytes > largest) return std::nullopt;
    out.median = *bytes;
    return out;
}

load_plan read_load(raw_arguments const& raw, option_reader& read, enum file_type type,
                    client_options& client)
{
    raw_load const& l = raw.load;
    load_plan p;
    p.directory = raw.output;
    p.inputs = raw.inputs;
    p.flow = read.text("flow");
    p.doc_type = read.text("doc-type");
    p.type = type;
    p.metrics = read_metrics(read);
    p.find_capacity = l.find_capacity;
    p.seed = client.seed != 0 ? client.seed : std::random_device()();
    if (raw.output.empty()) read.problem("--out", "empty: name a directory");
    if (std::find(p.inputs.begin(), p.inputs.end(), "-") != p.inputs.end())
        read.problem("INPUT", "- is not possible here: name files or directories");
    if (auto const sizes = parse_sizes(l.generate))
        p.sizes = *sizes;
    else
        read.problem("--generate",
                     "is not valid: give a size such as 20k or lognormal(20k,0.5), of at most 64M");
    read_arrivals(raw, read, p);
    if (client.retry.resubmit_ambiguous)
        read.problem(read.names().of("on-ambiguous"),
                     "resubmit would send and pay for more documents than announced, at other "
                     "times than planned: give --on-ambiguous hold; a load test counts such "
                     "documents as failed");
    auto const time = [&](char const* flag, std::string const& text) {
        auto const d = parse_duration(text);
        if (!d) read.problem(flag, "is not valid: give a time such as 500ms, 30s or 5m");
        return d.value_or(std::chrono::milliseconds(0));
    };
    p.drain_timeout = time("--drain-timeout", l.drain_timeout);
    p.send_delay = seconds_of(time("--send-delay", l.send_delay));
    p.step_seconds = seconds_of(time("--step", l.step));
    if (p.step_seconds < 1) read.problem("--step", "too short: give at least 1s");
    for (std::string const& list : l.thresholds) {
        auto parsed = parse_thresholds(list);
        if (!parsed)
            read.problem("--threshold", parsed.error().reason);
        else if (parsed->empty())
            read.problem("--threshold", "is empty: give conditions such as 'e2e.p95<30s,error_rate<1%'");
        else
            p.thresholds.insert(p.thresholds.end(), parsed->begin(), parsed->end());
    }
    if (!client.endpoint.base_url.empty() && !is_this_machine(client) && !l.yes)
        read.problem("--yes", fmt::format("missing: {}{} is not on this machine, and every document may cost "
                                          "money: give --yes to send {}",
                                          client.endpoint.base_url,
                                          client.proxy.url.empty() ? "" : ", by way of its proxy,",
                                          most_documents(p.arrivals)
                                              ? fmt::format("up to {} documents", *most_documents(p.arrivals))
                                              : "as many documents as it takes"));
    p.limited = client.rates.submits_per_second > 0 || client.rates.bytes_per_second > 0;
    // An open load must never fail documents because of a queue in the generator; it reports the delay.
    client.pool.max_waiting = 10'000'000;
    client.first_alone = false;
    return p;
}

} // namespace ocrpipe::cli
