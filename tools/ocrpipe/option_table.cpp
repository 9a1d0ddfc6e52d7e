#include "option_table.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace ocrpipe::cli
{
namespace
{

using enum option_group;

constexpr std::array table{
    option_spec{"base-url", "URL", "https://maas-llm-aiplatform-hcm.api.vngcloud.vn",
                "scheme, host and port of the service", service},
    option_spec{"portal-user-id", "ID", "", "the service's PORTAL_USER_ID; required", service},
    option_spec{"api-key-file", "FILE", "", "read the key from the first line of FILE", service},
    option_spec{"api-key-command", "COMMAND", "",
                "read the key from the first line that COMMAND prints (/bin/sh)", service},
    option_spec{"ca-file", "FILE", "", "trust these certificates (PEM) instead of the system's", service},
    option_spec{"client-cert", "FILE", "", "client certificate chain (PEM)", service},
    option_spec{"client-key", "FILE", "", "its private key (PEM)", service},
    option_spec{
        "proxy", "URL", "",
        "http://[user:password@]host:port or host:port; by default, HTTPS_PROXY (http_proxy for http), "
        "ALL_PROXY and NO_PROXY decide",
        service},
    option_spec{"allow-plain-http", "", "",
                "allow sending the key in clear text to an http:// address of another machine", service},
    option_spec{"max-answer", "BYTES", "64MiB",
                "largest answer to accept, such as 500M or 1GiB; a run may need five times as much memory",
                service},
    option_spec{"max-header", "BYTES", "64KiB", "longest header of an answer to accept, such as 1MiB",
                service},
    option_spec{"profile", "FILE", "", "response profile (JSON), if your tenant answers in another form",
                service},

    option_spec{"flow", "FLOW", "single", "single, or a flow id", document},
    option_spec{"doc-type", "TYPE", "", "type of document; required if the flow is single", document},
    option_spec{"file-type", "TYPE", "auto", "auto (detect from the first bytes), pdf or image", document},
    option_spec{"on-ambiguous", "WHAT", "hold",
                "hold or resubmit a document that the service may have accepted; resubmit may bill it twice",
                document},

    option_spec{"follow-links", "", "",
                "also follow symbolic links to directories, and to files outside the inputs", inputs},
    option_spec{
        "min-age", "TIME", "0s",
        "skip files that were modified less than TIME ago, because they may be incomplete; the next run "
        "finds them; 0s skips none",
        inputs},

    option_spec{"deadline", "TIME", "30m", "stop waiting for a result after TIME; its request id is kept",
                patience},
    option_spec{
        "submit-timeout", "TIME", "2m",
        "wait for the answer to a submit for TIME, plus 1 s for every 100 kB of the document; after that, "
        "the document may have been accepted",
        patience},
    option_spec{"poll-interval", "MIN-MAX", "2s-5s", "ask for a result every MIN to MAX", patience},

    option_spec{"max-inflight", "N", "1000", "maximum number of documents under way", bulk},
    option_spec{"connections", "N", "28",
                "number of connections: 4 of 7 for submits, 2 for polls, 1 for parts", bulk},
    option_spec{"submit-rate", "RATE", "0", "maximum rate of submits, such as 20/s or 300/m; 0 is no limit",
                bulk},
    option_spec{"poll-rate", "RATE", "0", "maximum rate of requests for results and parts; 0 is no limit",
                bulk},
    option_spec{"bandwidth", "BYTES", "0",
                "maximum upload in bytes a second, such as 500k, 10M or 4MiB; a document is sent without a break, "
                "and the next one waits; 0 is no limit",
                bulk},
    option_spec{"parts", "LIST", "", "also fetch these parts: tables,signatures,stamps,images", bulk},
    option_spec{"dedupe", "WHAT", "none",
                "none, or content: send equal documents once and give each copy the result", bulk},
    option_spec{"accept-changes", "", "",
                "continue although the configuration differs from the last run in DIR", bulk},

    option_spec{"drain-timeout", "TIME", "1m", "after an interrupt, wait up to TIME for documents under way",
                ending},
    option_spec{"max-documents", "N", "0", "stop after sending N documents; 0 is no limit", ending},
    option_spec{"max-duration", "TIME", "0s",
                "take no more documents after TIME, and wait for those under way as after an interrupt; 0s "
                "is no limit",
                ending},
    option_spec{"max-outage", "TIME", "0s",
                "stop when the service has been unusable for TIME; 0s is no limit, but a minute if it was "
                "never reached",
                ending},
    option_spec{"fail-budget", "N|P%", "0",
                "stop when more than N documents, or P percent of at least 100, have failed; 0 is no limit",
                ending},

    option_spec{
        "metrics", "ADDRESS", "",
        "while it runs, show the report at http://ADDRESS/ and metrics for Prometheus at /metrics; ADDRESS "
        "is an IP address and a port, such as 127.0.0.1:9464",
        watching},
    option_spec{"metrics-allow-remote", "", "",
                "let --metrics listen on an address that other machines can reach; there is no password",
                watching},

    option_spec{"log-level", "LEVEL", "info", "debug, info, warn or error", messages},
    option_spec{"log-format", "FORMAT", "auto",
                "human, json, or auto: json for run and retry if standard error is not a terminal", messages},
    option_spec{"seed", "N", "0", "seed of the jitter; 0 picks a random one", messages, true},
};

} // namespace

std::span<option_spec const> shared_options() noexcept { return table; }

std::string environment_name(std::string_view option)
{
    std::string out = "OCRPIPE_";
    for (char const c : option)
        out += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return out;
}

setting resolve(option_spec const& spec, typed_options const& typed, environment const& env)
{
    if (auto const flag = typed.find(spec.name); flag != typed.end())
        return {flag->second, origin::flag, "--" + std::string(spec.name)};
    std::string variable = environment_name(spec.name);
    if (auto value = env(variable); value && !value->empty())
        return {std::move(*value), origin::environment, std::move(variable)};
    return {std::string(spec.default_value), origin::default_value, "--" + std::string(spec.name)};
}

setting resolve(std::string_view option, typed_options const& typed, environment const& env)
{
    auto const spec =
        std::find_if(table.begin(), table.end(), [&](option_spec const& s) { return s.name == option; });
    assert(spec != table.end());
    return resolve(*spec, typed, env);
}

} // namespace ocrpipe::cli
