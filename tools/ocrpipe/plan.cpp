#include "plan.hpp"

#include <ocrpipe/bulk/source/manifest_source.hpp>
#include <ocrpipe/bulk/source/name_finder.hpp>
#include <ocrpipe/pace/poll_schedule.hpp>

#include "credentials.hpp"
#include "load_arguments.hpp"
#include "metrics_option.hpp"
#include "option_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

enum file_type read_file_type(option_reader& read)
{
    using enum file_type;
    return read.word<enum file_type>(
        "file-type", {{"auto", detect}, {"pdf", pdf}, {"PDF", pdf}, {"image", image}, {"IMAGE", image}},
        "auto, pdf or image");
}

/// Quotes a word for a shell.
std::string quoted(std::string const& word)
{
    bool const plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("-_./=:,%+@").find(c) != std::string_view::npos;
    });
    if (plain) return word;
    std::string out = "'";
    for (char const c : word)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::optional<std::vector<operation>> parse_parts(std::string_view text)
{
    struct word {
        std::string_view text;
        operation part;
    };
    static constexpr std::array words{
        word{"tables", operation::table},         word{"table", operation::table},
        word{"signatures", operation::signature}, word{"signature", operation::signature},
        word{"stamps", operation::stamp},         word{"stamp", operation::stamp},
        word{"images", operation::image},         word{"image", operation::image}};
    std::vector<operation> out;
    while (!text.empty()) {
        auto const comma = std::min(text.find(','), text.size());
        auto const found = std::find_if(words.begin(), words.end(),
                                        [&](word const& w) { return w.text == text.substr(0, comma); });
        if (found == words.end()) return std::nullopt;
        if (std::find(out.begin(), out.end(), found->part) == out.end()) out.push_back(found->part);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
}

std::vector<operation> read_parts(option_reader& read)
{
    return read.value("parts", parse_parts, "a list of tables, signatures, stamps, images");
}

void read_profile(std::string const& path, response_profile& into, option_reader& read)
{
    if (path.empty()) return;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text; // an iterator throws on a directory; this sets failbit
    if (!(text << file.rdbuf()))
        return read.problem(read.names().of("profile"),
                            fmt::format("{} cannot be read", printable_excerpt(path, 1024)));
    auto parsed = parse_profile(text.str());
    if (!parsed)
        return read.problem(read.names().of("profile"),
                            fmt::format("{}: {}", printable_excerpt(path, 1024), parsed.error().reason));
    into = std::move(*parsed);
}

constexpr std::string_view duration_form = "a time such as 30s, 5m or 2h";
constexpr std::string_view rate_form = "a number a second such as 20, 20/s or 300/m, 0 for no limit";

/// The time for a whole answer is meant for one of the default size, and grows with the largest one.
void read_largest_answer(option_reader& read, client_options& o)
{
    std::uint64_t const usual = o.limits.max_answer_bytes;
    o.limits.max_answer_bytes =
        read.value("max-answer", parse_bytes, "bytes such as 200000000, 500M or 1GiB");
    if (o.limits.max_answer_bytes > usual) o.timeouts.answer *= o.limits.max_answer_bytes / usual + 1;
}

client_options read_client(raw_arguments const& raw, surroundings const& around, option_reader& read,
                           planning& out)
{
    client_options o;
    o.thread_safe = false;
    o.endpoint.base_url = read.text("base-url");
    o.endpoint.portal_user_id = read.text("portal-user-id");
    o.endpoint.allow_plain_http = read.is_on("allow-plain-http");
    key_source const source = choose_key_source(raw.options, around.env, out.problems);
    if (source.what != key_source::kind::none) read.names().set_key(source.shown_as);
    auto key = load_key(source);
    out.problems.insert(out.problems.end(), key.problems.begin(), key.problems.end());
    out.warnings.insert(out.warnings.end(), key.warnings.begin(), key.warnings.end());
    o.endpoint.api_key = key.key;

    o.tls.ca_file = read.text("ca-file");
    o.tls.client_cert = read.text("client-cert");
    o.tls.client_key = read.text("client-key");
    chosen_proxy proxy = choose_proxy(o.endpoint.base_url, raw.options, around.env);
    if (!proxy.url.empty() && proxy.shown_as != read.names().of("proxy")) {
        out.notes.push_back(fmt::format("the proxy comes from {}", proxy.shown_as));
        read.names().set("proxy", std::move(proxy.shown_as));
    }
    o.proxy = std::move(proxy);
    read_profile(read.text("profile"), o.profile, read);
    read_largest_answer(read, o);
    o.limits.max_header_bytes = read.value("max-header", parse_bytes, "bytes such as 65536, 256K or 1MiB");

    o.job_deadline = read.value("deadline", parse_duration, duration_form);
    o.max_outage = read.value("max-outage", parse_duration, duration_form);
    o.timeouts.submit = read.value("submit-timeout", parse_duration, duration_form);
    auto const interval = read.value("poll-interval", parse_duration_range, "two times such as 2s-5s");
    o.schedule = std::make_shared<fixed_poll_schedule>(interval.min, interval.max);
    o.retry.resubmit_ambiguous =
        read.word<bool>("on-ambiguous", {{"hold", false}, {"resubmit", true}}, "hold or resubmit");
    o.seed = read.value("seed", parse_count, "a number");

    share_connections(read.count_between("connections", 3, 10'000), o.pool);
    o.rates.submits_per_second = read.value("submit-rate", parse_rate, rate_form);
    o.rates.polls_per_second = read.value("poll-rate", parse_rate, rate_form);
    o.rates.bytes_per_second =
        read.value("bandwidth", parse_byte_rate, "bytes a second such as 500k, 10M or 4MiB, 0 for no limit");

    bool const key_is_explained = !key.problems.empty();
    std::vector<std::string> problems = check_certificates(o);
    for (std::string& p : o.validate())
        if (!(key_is_explained && p.starts_with("api_key:"))) problems.push_back(std::move(p));
    for (std::string& p : problems)
        out.problems.push_back(read.names().in_problem(std::move(p)));
    return o;
}

void read_messages(raw_arguments const& raw, surroundings const& around, option_reader& read,
                   logger::settings& s)
{
    s.threshold = read.value("log-level", parse_level, "debug, info, warn or error");
    bool const is_bulk =
        raw.command == command::run || raw.command == command::retry || raw.command == command::load;
    log_format const automatic =
        around.stderr_is_terminal || !is_bulk ? log_format::people : log_format::json;
    s.format = read.word<log_format>(
        "log-format", {{"auto", automatic}, {"human", log_format::people}, {"json", log_format::json}},
        "auto, human or json");
    bool const people = s.format == log_format::people;
    // https://no-color.org: set and not empty, whatever its value.
    auto const no_color = around.env("NO_COLOR");
    auto const term = around.env("TERM");
    s.color = around.stderr_is_terminal && people && (!no_color || no_color->empty()) && term != "dumb";
    s.status_line = around.stderr_is_terminal && people && term != "dumb" && s.threshold <= level::info;
}

void require_doc_type(std::string const& flow, std::string const& doc_type, option_reader& read)
{
    if (flow.empty()) read.problem("--flow", "empty: give single or a flow id");
    if (flow == "single" && doc_type.empty())
        read.problem("--doc-type", "missing: name the type of document, such as invoice, or a --flow");
}

submit_request read_submit(raw_arguments const& raw, surroundings const& around, option_reader& read)
{
    submit_request r(document::from_file(detail::path_on_disk(raw.file)), read.text("doc-type"),
                     read.text("flow"));
    r.type = read_file_type(read);
    if (raw.file.empty()) read.problem("FILE", "empty: name a document, or - for standard input");
    if (raw.file == "-" && around.stdin_is_terminal)
        read.problem("FILE",
                     "- is standard input, which is a terminal: pipe a document to it, or name a file");
    require_doc_type(r.flow, r.doc_type, read);
    return r;
}

/// The command line for the user to repeat, without the proxy's password.
std::string repeated(std::vector<std::string> const& typed)
{
    constexpr std::string_view proxy = "--proxy";
    std::string out = "ocrpipe";
    bool is_proxy = false;
    for (std::string const& word : typed) {
        bool const holds_proxy = word.starts_with(proxy) && word.substr(proxy.size()).starts_with('=');
        out += ' ' + quoted(is_proxy || holds_proxy ? without_password(word) : word);
        is_proxy = word == proxy;
    }
    return out;
}

/// Settings common to run and retry. Document parameters are not included, because retry uses those of the
/// run.
run_plan read_bulk(raw_arguments const& raw, option_reader& read, client_options& client)
{
    run_plan p;
    p.resume_command = repeated(raw.typed);
    p.pipeline.max_in_flight = read.count_between("max-inflight", 1, 10'000'000);
    p.pipeline.share_results =
        read.word<bool>("dedupe", {{"none", false}, {"content", true}}, "none or content");
    p.pipeline.resubmit_ambiguous = client.retry.resubmit_ambiguous;
    p.pipeline.accept_changes = read.is_on("accept-changes");
    p.pipeline.drain_timeout = read.value("drain-timeout", parse_duration, duration_form);
    p.pipeline.max_documents = read.value("max-documents", parse_count, "a number, 0 for no limit");
    p.pipeline.max_duration = read.value("max-duration", parse_duration, duration_form);
    auto const budget =
        read.value("fail-budget", parse_count_or_percent, "a number such as 100, or a share such as 3%");
    p.pipeline.fail_budget = {budget.count, budget.percent};
    p.metrics = read_metrics(read);
    p.pipeline.configuration = {{"base_url", client.endpoint.base_url},
                                {"portal_user_id", client.endpoint.portal_user_id}};
    // One document is read from disk while another is sent.
    p.pipeline.max_submitting = 2 * client.pool.submit_connections;
    // Every document in flight may wait for a connection; a full waiting queue would fail documents
    // needlessly.
    client.pool.max_waiting = std::max(client.pool.max_waiting, p.pipeline.max_in_flight);
    return p;
}

run_plan read_run(raw_arguments const& raw, option_reader& read, client_options& client)
{
    run_plan p = read_bulk(raw, read, client);
    p.pipeline.flow = read.text("flow");
    p.pipeline.doc_type = read.text("doc-type");
    p.pipeline.type = read_file_type(read);
    p.pipeline.text = raw.text;
    p.pipeline.parts = read_parts(read);
    p.inputs = raw.inputs;
    p.null_separated = raw.null_separated;
    p.follow_links = read.is_on("follow-links");
    p.min_age = read.value("min-age", parse_duration, duration_form);
    p.pipeline.directory = raw.output;
    if (raw.output.empty()) read.problem("--out", "empty: name a directory");
    if (std::count(p.inputs.begin(), p.inputs.end(), "-") > 1)
        read.problem("INPUT", "- is given twice: give it once");
    if (std::find(p.inputs.begin(), p.inputs.end(), "") != p.inputs.end())
        read.problem("INPUT", "empty: name a file or directory");
    if (p.null_separated && std::find(p.inputs.begin(), p.inputs.end(), "-") == p.inputs.end())
        read.problem("--null", "no input is -: the option applies only to names on standard input");
    // Each row of a manifest may specify a doc_type; a row without one is reported when it is read.
    auto const is_manifest = [](std::string const& path) { return manifest_format_of(path).has_value(); };
    if (!std::all_of(p.inputs.begin(), p.inputs.end(), is_manifest))
        require_doc_type(p.pipeline.flow, p.pipeline.doc_type, read);
    return p;
}

std::string read_directory(raw_arguments const& raw, option_reader& read)
{
    if (raw.directory.empty()) read.problem("DIR", "empty: name the directory of a run");
    return raw.directory;
}

retry_plan read_retry(raw_arguments const& raw, option_reader& read, client_options& client)
{
    retry_plan p;
    p.run = read_bulk(raw, read, client);
    p.run.pipeline.directory = read_directory(raw, read);
    for (std::string const& word : raw.classes) {
        if (auto const named = errc_named(word); named && *named != errc::ok)
            p.classes.push_back(*named);
        else
            read.problem("--class", fmt::format("\"{}\" is not a failure class: take one from failures.jsonl",
                                                printable_excerpt(word, 64)));
    }
    return p;
}

export_plan read_export(raw_arguments const& raw, option_reader& read)
{
    export_plan p;
    p.directory = read_directory(raw, read);
    // OCRPIPE_PARTS applies only to run and load, and does not select parts here.
    bool const parts = raw.options.find("parts") != raw.options.end();
    if (int(raw.text) + int(parts) + int(raw.csv) != 1)
        read.problem("export", "give one of --text, --parts LIST and --csv");
    p.form = raw.csv ? export_form::csv : parts ? export_form::parts : export_form::text;
    if (parts) {
        p.parts = read_parts(read);
        if (p.parts.empty())
            read.problem("--parts", "empty: give a list of tables, signatures, stamps, images");
    }
    if (!raw.output.empty() && !raw.csv)
        read.problem("--out", "applies only to --csv: the other files are written to DIR");
    if (!raw.output.empty()) p.output = raw.output;
    return p;
}

part_plan read_part(operation part, raw_arguments const& raw, option_reader& read)
{
    part_plan p{part, raw.request_id, raw.sub_id, part == operation::image ? raw.output : "-"};
    if (p.request_id.empty()) read.problem("ID", "empty: give the request id that submit printed");
    if (p.sub_id.empty())
        read.problem(part == operation::image ? "FILE_ID" : "DOCUMENT_ID", "empty: give an id");
    if (p.output.empty()) read.problem("--out", "empty: name a file, or - for standard output");
    return p;
}

bool asks_the_service(raw_arguments const& raw)
{
    switch (raw.command) {
    case command::status:
    case command::report:
    case command::support:
    case command::explain:
    case command::profile:
    case command::load_compare:
    case command::load_merge:
        return false;
    case command::export_results:
        return raw.options.contains("parts");
    default:
        return true;
    }
}

} // namespace

void share_connections(std::size_t total, pool_options& pool) noexcept
{
    pool.poll_connections = std::max<std::size_t>(1, total * 2 / 7);
    pool.part_connections = std::max<std::size_t>(1, total / 7);
    pool.submit_connections = total - pool.poll_connections - pool.part_connections;
}

planning make_plan(raw_arguments const& raw, surroundings const& around)
{
    planning out;
    option_reader read(raw, around, out);
    read_messages(raw, around, read, out.plan.messages);
    client_options& client = out.plan.client;
    if (asks_the_service(raw))
        client = read_client(raw, around, read, out);
    else
        read_profile(read.text("profile"), client.profile, read);
    if (raw.command == command::explain) read_largest_answer(read, client);

    switch (raw.command) {
    case command::run:
        out.plan.command = read_run(raw, read, client);
        break;
    case command::retry:
        out.plan.command = read_retry(raw, read, client);
        break;
    case command::status:
        out.plan.command = status_plan{read_directory(raw, read),
                                       raw.json ? output_form::json : output_form::text, raw.watch};
        break;
    case command::report:
        out.plan.command = report_plan{read_directory(raw, read)};
        break;
    case command::support:
        out.plan.command = support_plan{read_directory(raw, read), raw.request_id, raw.sample};
        break;
    case command::export_results:
        out.plan.command = read_export(raw, read);
        break;
    case command::submit:
        out.plan.command = submit_plan{read_submit(raw, around, read), raw.file == "-",
                                       raw.json ? output_form::json : output_form::text};
        break;
    case command::recognize:
        out.plan.command = recognize_plan{read_submit(raw, around, read), raw.file == "-",
                                          raw.json ? output_form::json : output_form::text};
        break;
    case command::explain:
        out.plan.command = explain_plan{raw.file.empty() ? "-" : raw.file, {}};
        break;
    case command::profile:
        out.plan.command = profile_plan{};
        break;
    case command::result:
        if (raw.explain) {
            out.plan.command = explain_plan{{}, raw.request_id};
            if (raw.wait || raw.text)
                read.problem("--explain",
                             "cannot be combined with --wait or --text: it requests the result once");
        } else {
            out.plan.command =
                result_plan{raw.request_id, raw.wait, raw.text ? output_form::text : output_form::json};
        }
        if (raw.request_id.empty()) read.problem("ID", "empty: give the request id that submit printed");
        break;
    case command::table:
        out.plan.command = read_part(operation::table, raw, read);
        break;
    case command::signature:
        out.plan.command = read_part(operation::signature, raw, read);
        break;
    case command::stamp:
        out.plan.command = read_part(operation::stamp, raw, read);
        break;
    case command::image:
        out.plan.command = read_part(operation::image, raw, read);
        break;
    case command::load: {
        require_doc_type(read.text("flow"), read.text("doc-type"), read);
        load_plan p = read_load(raw, read, read_file_type(read), client);
        p.parts = read_parts(read);
        out.plan.command = std::move(p);
        break;
    }
    case command::load_compare:
        out.plan.command = load_compare_plan{raw.inputs[0], raw.inputs[1]};
        break;
    case command::load_merge:
        out.plan.command = load_merge_plan{raw.output, raw.inputs};
        break;
    case command::doctor:
        out.plan.command = doctor_plan{raw.output.empty() ? "." : raw.output};
        break;
    }
    for (option_spec const& spec : shared_options())
        if (setting const s = resolve(spec, raw.options, around.env); s.from == origin::environment)
            out.notes.push_back(fmt::format("--{} comes from {}", spec.name, s.shown_as));
    // Interactive: report rejected credentials at once instead of probing again.
    if (raw.command != command::run && raw.command != command::retry && raw.command != command::load)
        client.max_auth_refusals = 1;
    return out;
}

} // namespace ocrpipe::cli
