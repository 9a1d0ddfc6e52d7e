#include "checks.hpp"

#include "remedy.hpp"
#include "text_units.hpp"

#include <fmt/format.h>

#include <array>

namespace ocrpipe::cli
{
namespace
{

/// With less than this, results soon fill the disk.
constexpr std::uint64_t little_space = 1'000'000'000;

} // namespace

std::string_view name(verdict v) noexcept
{
    static constexpr std::array<std::string_view, 4> names{"ok", "warn", "fail", "skipped"};
    return names[static_cast<std::size_t>(v)];
}

std::string to_people(finding const& f)
{
    return fmt::format("{:<8}{:<14}{}", name(f.how), f.check,
                       to_people(message(level::info, "check", f.text), false));
}

message to_message(finding const& f)
{
    auto const severity = f.how == verdict::fail   ? level::error
                          : f.how == verdict::warn ? level::warn
                                                   : level::info;
    return message(severity, "check", f.text,
                   {{"check", std::string(f.check)}, {"verdict", std::string(name(f.how))}});
}

std::vector<finding> judge_configuration(planning const& p)
{
    std::vector<finding> out;
    for (std::string const& problem : p.problems)
        out.push_back({"configuration", verdict::fail, problem, exit_code::refused});
    for (std::string const& w : p.warnings)
        out.push_back({"configuration", verdict::warn, w});
    if (!p.problems.empty()) return out;
    client_options const& o = p.plan.client;
    out.push_back({"configuration", verdict::ok,
                   fmt::format("{}, user id {}, a key is set{}", o.endpoint.base_url,
                               o.endpoint.portal_user_id, o.proxy.url.empty() ? "" : ", a proxy is set")});
    return out;
}

finding judge_service(result<ocr_result> const& answer)
{
    finding f{"service", verdict::ok, "answers, and accepts the key and the user id"};
    if (answer) return f;
    failure const& what = answer.error();
    auto const describe_failure = [&] {
        auto const advice = remedy(what.code);
        return fmt::format("{}{}{}", to_string(what), advice.empty() ? "" : ": ", advice);
    };
    // The request id is made up: any answer about it proves that the service accepted the credentials.
    if (what.is(errc::still_processing) || what.is(errc::job_lost) || what.is(errc::job_failed) ||
        what.is(errc::job_expired) || what.is(errc::rejected))
        return f;
    if (what.is(errc::throttled) || what.is(errc::service_error) || what.is(errc::unexpected_answer)) {
        f.how = verdict::warn;
        f.text = describe_failure();
        return f;
    }
    f.how = verdict::fail;
    f.code = exit_code::refused;
    f.text = describe_failure();
    return f;
}

finding judge_disk(std::string const& directory, std::uint64_t free_bytes, error_code trouble)
{
    if (trouble)
        return {"disk", verdict::fail,
                fmt::format("{} cannot be written: {}: choose another --out", directory, trouble.message()),
                exit_code::disk_error};
    if (free_bytes < little_space)
        return {"disk", verdict::warn,
                fmt::format("{} has only {} free: make room before a long run", directory,
                            format_bytes(free_bytes))};
    return {"disk", verdict::ok,
            fmt::format("{} can be written and has {} free", directory, format_bytes(free_bytes))};
}

finding judge_file_limit(file_limit const& l)
{
    if (l.now >= l.needed)
        return {"files", verdict::ok, fmt::format("{} may be open at once, a run needs {}", l.now, l.needed)};
    return {"files", verdict::fail, file_limit_message(l)->text, exit_code::refused};
}

} // namespace ocrpipe::cli
