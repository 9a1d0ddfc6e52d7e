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
    option_spec{"proxy", "URL", "",
                "http://[user:password@]host:port; by default HTTPS_PROXY (http_proxy for http), ALL_PROXY "
                "and NO_PROXY "
                "decide",
                service},
    option_spec{"allow-plain-http", "", "",
                "send the key in clear text to an http:// address that is not this machine", service},
    option_spec{"profile", "FILE", "", "response profile (JSON) for a tenant that answers differently",
                service},

    option_spec{"flow", "FLOW", "single", "single, or a flow id", document},
    option_spec{"doc-type", "TYPE", "", "type of document; required while the flow is single", document},
    option_spec{"file-type", "TYPE", "auto", "auto (by the first bytes), pdf or image", document},
    option_spec{"on-ambiguous", "WHAT", "hold",
                "what to do with a document that the service may or may not have accepted: hold, or resubmit "
                "(it may be billed twice)",
                document},

    option_spec{"follow-links", "", "",
                "also read what symbolic links to directories, and to files outside of the inputs, lead to",
                inputs},
    option_spec{"min-age", "TIME", "0s",
                "skip files that were modified less than TIME ago, since they may still be written; the next "
                "run finds them again; 0s skips none",
                inputs},

    option_spec{"deadline", "TIME", "30m", "give up waiting for a result after TIME; its request id is kept",
                patience},
    option_spec{"poll-interval", "MIN-MAX", "2s-5s", "ask for a result every MIN to MAX", patience},

    option_spec{"max-inflight", "N", "1000", "documents under way at once", bulk},
    option_spec{"connections", "N", "28", "connections: 4 of 7 for submits, 2 for polls, 1 for parts", bulk},
    option_spec{"submit-rate", "RATE", "0", "submits, such as 20/s or 300/m; 0 is no limit", bulk},
    option_spec{"poll-rate", "RATE", "0", "result and part requests, likewise", bulk},
    option_spec{"bandwidth", "BYTES", "0", "upload bytes a second, such as 500k, 10M or 4MiB; 0 is no limit",
                bulk},
    option_spec{"parts", "LIST", "", "fetch these too: tables,signatures,stamps,images", bulk},
    option_spec{"dedupe", "WHAT", "none",
                "none, or content: pay once for equal documents, every copy gets the result", bulk},
    option_spec{"accept-changes", "", "",
                "go on although the configuration differs from the last run's in DIR", bulk},

    option_spec{"drain-timeout", "TIME", "1m", "after an interrupt, ask for what is under way for TIME",
                ending},
    option_spec{"max-documents", "N", "0", "stop when N documents were sent; 0 is no limit", ending},
    option_spec{"max-duration", "TIME", "0s", "stop after TIME; 0s is no limit", ending},
    option_spec{"fail-budget", "N|P%", "0",
                "stop when more than N documents, or P percent, failed; 0 is no limit", ending},

    option_spec{"log-level", "LEVEL", "info", "debug, info, warn or error", messages},
    option_spec{"log-format", "FORMAT", "auto",
                "human, json, or auto: json for run when standard error is no terminal", messages},
    option_spec{"seed", "N", "0", "of the jitter; 0 is a random one", messages, true},
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
