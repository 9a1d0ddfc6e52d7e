#include "emulator/emulator_main.hpp"

#include "emulator/emulator.hpp"
#include "emulator/latency.hpp"
#include "emulator/shape.hpp"
#include "emulator/text.hpp"

#if defined(OCRPIPE_EMULATOR_HAS_TESSERACT)
#include "emulator/tesseract_reader.hpp"
#endif
#if defined(OCRPIPE_EMULATOR_HAS_SAMPLES)
#include "emulator/samples.hpp"
#endif

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <pthread.h>

namespace ocrpipe::emulator
{
namespace
{

#if defined(OCRPIPE_EMULATOR_HAS_TESSERACT)
constexpr char const* default_engine = "tesseract";
#else
constexpr char const* default_engine = "synthetic";
#endif

constexpr int exit_usage = 2;
constexpr int exit_refused = 4;

constexpr char const* examples = R"(Examples:
  ocrpipe emulator                                         reads documents with tesseract, port 8089
  ocrpipe emulator --engine synthetic --latency lognormal:6s,0.35 --workers 40
  ocrpipe emulator --engine synthetic --submit-limit 20 --poll-limit 50
  ocrpipe emulator --fault reset-after-acceptance:count=3 --fault throttle-429:p=0.05:route=result
  ocrpipe emulator --port 0 --truth truth.jsonl            a free port; what was accepted is in the file
  ocrpipe emulator --write-samples samples                 draws a few invoices and ends)";

/// What the command line says, as text; what it means is worked out afterwards so that errors name the
/// option.
struct arguments {
    emulator_options options;
    std::string engine = default_engine;
    std::string languages = "vie+eng";
    std::string latency;
    std::string shape;
    std::string idle_limit;
    std::vector<std::string> faults;
    std::string samples;
    bool list_faults = false;
    bool no_retry_after = false;
};

void declare(CLI::App& app, arguments& a)
{
    auto& o = a.options;
    o.port = 8089;
    app.add_option("--port", o.port, "port to listen on; 0 takes a free one")->capture_default_str();
    app.add_option("--address", o.address, "loopback address to listen on")->capture_default_str();
    app.add_option("--engine", a.engine, "tesseract reads documents; synthetic makes text up from their hash")
        ->check(CLI::IsMember({"tesseract", "synthetic"}))
        ->capture_default_str();
    app.add_option("--languages", a.languages, "tesseract's languages")->capture_default_str();
    app.add_option("--reader-threads", o.reader_threads, "threads that read with tesseract")
        ->capture_default_str();
    app.add_option("--api-key", o.api_key, "the key that is accepted; it guards nothing")
        ->capture_default_str();
    app.add_option("--portal-user-id", o.portal_user_id, "the tenant that is accepted")
        ->capture_default_str();
    app.add_option(
        "--latency", a.latency,
        "fixed:2s, lognormal:6s,0.35 or bimodal:0.1,1s,30s (default fixed:2s; tesseract: its own time)");
    app.add_option("--workers", o.workers, "documents in work at the same time, synthetic; 0 means no limit")
        ->capture_default_str();
    app.add_option("--documents-per-file", o.documents_per_file, "documents found in a file, synthetic")
        ->capture_default_str();
    app.add_option("--submit-limit", o.submits_per_second, "submits a second before 429; 0 means no limit")
        ->capture_default_str();
    app.add_option("--poll-limit", o.polls_per_second,
                   "results and parts a second before 429; 0 means no limit")
        ->capture_default_str();
    app.add_flag("--no-retry-after", a.no_retry_after, "leave Retry-After out of that 429");
    app.add_option("--max-body", o.max_body, "bytes of a submit before 413")->capture_default_str();
    app.add_option("--idle-limit", a.idle_limit, "close idle connections after this, such as 5s");
    app.add_option("--doc-type", o.doc_types,
                   "a doc_type that exists (repeatable); others are answered with 500")
        ->type_name("NAME")
        ->allow_extra_args(false);
    app.add_option("--shape", a.shape, "comma-separated: " + std::string(shape_help()));
    app.add_option("--fault", a.faults, "name[:key=value...] (repeatable); --list-faults tells the names")
        ->type_name("FAULT")
        ->allow_extra_args(false);
    app.add_flag("--list-faults", a.list_faults, "list every fault and end");
    app.add_option("--truth", o.truth_log, "append what is accepted and polled to this JSONL file");
    app.add_option("--seed", o.seed, "of latencies, outcomes and made-up text")->capture_default_str();
    app.add_option("--tls-cert", o.tls.cert, "PEM chain; speaks https");
    app.add_option("--tls-key", o.tls.key, "PEM key of --tls-cert");
    app.add_option("--tls-client-ca", o.tls.client_ca, "PEM; clients must show a certificate it signed");
    app.add_option("--write-samples", a.samples, "draw sample invoices into this folder and end")
        ->type_name("DIR");
    app.footer(examples);
}

void list_faults()
{
    fmt::print("Faults, as --fault name[:count=N][:p=0.1][:route=submit|result|part][:more...]\n"
               "count: only the first N that match; p: that share, chosen by the seed\n\n");
    for (fault_info const& about : fault_catalogue())
        fmt::print("{:<28} {}{}\n", about.name, about.line,
                   about.defaults.empty() ? std::string() : fmt::format(" ({})", about.defaults));
}

std::optional<failure> use_engine(arguments& a)
{
    if (a.engine == "synthetic") return {};
#if defined(OCRPIPE_EMULATOR_HAS_TESSERACT)
    a.options.readers = make_tesseract_readers(a.languages);
    return {};
#else
    return invalid("--engine tesseract: this build has no tesseract; use --engine synthetic");
#endif
}

std::optional<failure> resolve(arguments& a)
{
    auto const named = [](char const* option, failure f) {
        f.reason = fmt::format("{}: {}", option, f.reason);
        return f;
    };
    std::string const latency = !a.latency.empty()        ? a.latency
                                : a.engine == "synthetic" ? "fixed:2s"
                                                          : "fixed:0s";
    auto const model = parse_latency(latency);
    if (!model) return named("--latency", model.error());
    a.options.latency = *model;
    auto shape = parse_shape(a.shape);
    if (!shape) return named("--shape", shape.error());
    a.options.shape = std::move(*shape);
    if (!a.idle_limit.empty()) {
        auto const limit = parse_duration(a.idle_limit);
        if (!limit) return named("--idle-limit", limit.error());
        a.options.idle_limit = *limit;
    }
    for (auto const& text : a.faults) {
        auto rule = parse_fault(text);
        if (!rule) return named("--fault", rule.error());
        a.options.faults.push_back(std::move(*rule));
    }
    a.options.limit_with_retry_after = !a.no_retry_after;
    return use_engine(a);
}

int write_samples([[maybe_unused]] std::string const& dir)
{
#if defined(OCRPIPE_EMULATOR_HAS_SAMPLES)
    for (auto const& path : write_sample_invoices(dir))
        fmt::print("{}\n", path.string());
    return 0;
#else
    fmt::print(stderr, "ocrpipe emulator: --write-samples: this build cannot draw\n");
    return exit_usage;
#endif
}

int serve(emulator_options options)
{
    // Blocked before the first thread starts, so that every thread inherits it and sigwait is the one place
    // that sees them.
    ::sigset_t wanted;
    ::sigemptyset(&wanted);
    ::sigaddset(&wanted, SIGINT);
    ::sigaddset(&wanted, SIGTERM);
    ::sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &wanted, &before);
    emulator service(std::move(options));
    fmt::print("listening on {}\n", service.base_url());
    std::fflush(stdout);
    int signal = 0;
    ::sigwait(&wanted, &signal);
    service.stop();
    for (auto const& account : service.fault_accounting())
        fmt::print(stderr, "fault {}: planned {}, happened {}\n", account.name, account.planned,
                   account.happened);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return 0;
}

} // namespace

void with_emulator_arguments(std::function<void(CLI::App const&)> const& use)
{
    CLI::App app("", "ocrpipe emulator");
    arguments a;
    declare(app, a);
    use(app);
}

int emulator_main(std::vector<std::string> const& args)
{
    CLI::App app("The OCR service on this machine, for trying things out and for tests", "ocrpipe emulator");
    arguments a;
    declare(app, a);
    try {
        // CLI11 takes them from the back.
        app.parse(std::vector<std::string>(args.rbegin(), args.rend()));
    } catch (CLI::ParseError const& e) {
        return app.exit(e) == 0 ? 0 : exit_usage;
    }
    try {
        if (a.list_faults) {
            list_faults();
            return 0;
        }
        if (!a.samples.empty()) return write_samples(a.samples);
        if (auto const wrong = resolve(a)) {
            fmt::print(stderr, "ocrpipe emulator: {}\n", wrong->reason);
            return exit_usage;
        }
        return serve(std::move(a.options));
    } catch (std::invalid_argument const& e) {
        fmt::print(stderr, "ocrpipe emulator: {}\n", e.what());
        return exit_usage;
    } catch (std::exception const& e) {
        fmt::print(stderr, "ocrpipe emulator: {}\n", e.what());
        return exit_refused;
    }
}

} // namespace ocrpipe::emulator
