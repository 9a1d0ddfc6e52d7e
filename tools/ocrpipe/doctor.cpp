#include <ocrpipe/client.hpp>
#include <ocrpipe/core/unique_fd.hpp>
#include <ocrpipe/http/origin.hpp>

#include "checks.hpp"
#include "commands.hpp"
#include "interruption.hpp"
#include "standard_output.hpp"

#include <boost/asio/io_context.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <netdb.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

/// A well-formed request id that the service never issues: all zeros except the version.
constexpr char impossible_request_id[] = "00000000-0000-4000-8000-000000000000";

/// Looks up the host to connect to. `o` must be valid.
finding check_name(client_options const& o)
{
    ocrpipe::origin at = *parse_origin(o.endpoint.base_url);
    if (!o.proxy.url.empty() && !bypasses_proxy(at.host, at.port, o.proxy.no_proxy))
        at = parse_proxy(o.proxy.url)->at;
    ::addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    ::addrinfo* found = nullptr;
    int const error = ::getaddrinfo(at.host.c_str(), at.port.c_str(), &hints, &found);
    if (error != 0)
        return {"name", verdict::fail,
                fmt::format("{} has no address: {}: check --base-url, the network and --proxy", at.host,
                            ::gai_strerror(error)),
                exit_code::refused};
    std::size_t count = 0;
    for (auto const* a = found; a != nullptr; a = a->ai_next)
        ++count;
    ::freeaddrinfo(found);
    return {"name", verdict::ok, fmt::format("{} has {} address{}", at.host, count, count == 1 ? "" : "es")};
}

finding check_service(client_options options)
{
    // Interactive: one attempt is enough.
    options.retry.max_attempts = 1;
    options.timeouts.first_byte = std::chrono::seconds(15);
    asio::io_context ioc(1);
    client c(ioc, std::move(options));
    interruption const signals(ioc, [&](int) { c.close(); });
    std::optional<result<ocr_result>> answer;
    c.async_result(impossible_request_id, [&](result<ocr_result> r) { answer.emplace(std::move(r)); });
    while (!answer && ioc.run_one() != 0) {
    }
    if (signals.code() != exit_code::all_done)
        return {"service", verdict::skipped, "interrupted", signals.code()};
    return judge_service(*answer);
}

/// The directory itself, or its nearest existing ancestor: a run creates the rest.
std::string existing_part_of(std::string const& directory)
{
    std::error_code ec;
    auto path = std::filesystem::absolute(directory, ec).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    while (!ec && !std::filesystem::exists(path, ec) && path.has_relative_path())
        path = path.parent_path();
    return path.string();
}

/// Writes a megabyte and waits until it is on the disk; leaves nothing behind, even if it is killed midway.
error_code write_test(std::string const& directory)
{
    std::string path = directory + "/.ocrpipe-doctor-XXXXXX";
    int const fd = ::mkstemp(path.data());
    if (fd < 0) return errno_code();
    ::unlink(path.c_str());
    std::string const megabyte(1 << 20, 'x');
    error_code ec;
    if (::write(fd, megabyte.data(), megabyte.size()) != static_cast<::ssize_t>(megabyte.size())) {
        ec = errno_code();
        // A short write without an error means a full disk.
        if (!ec) ec = error_code(ENOSPC, boost::system::system_category());
    } else if (::fsync(fd) != 0) {
        ec = errno_code();
    }
    ::close(fd);
    return ec;
}

finding check_disk(std::string const& directory)
{
    std::string const where = existing_part_of(directory);
    struct ::statvfs s {
    };
    if (::statvfs(where.c_str(), &s) != 0) return judge_disk(where, 0, errno_code());
    return judge_disk(where, std::uint64_t(s.f_bavail) * s.f_frsize, write_test(where));
}

} // namespace

exit_code examine(planning const& p, logger& log)
{
    auto code = exit_code::all_done;
    bool const json = log.how().format == log_format::json;
    auto const say = [&](finding f) {
        if (f.how != verdict::ok) f.text = log.how().names.in_sentence(std::move(f.text));
        f.text = log.masked(f.text);
        std::string const line =
            json ? to_json(to_message(f), std::chrono::system_clock::now()) : to_people(f);
        code = worst(code, f.code);
        if (auto const ec = write_standard_output(line + "\n")) code = worst(code, exit_code::disk_error);
    };

    for (finding const& f : judge_configuration(p))
        say(f);
    if (p.problems.empty()) {
        finding const name = check_name(p.plan.client);
        say(name);
        if (name.how == verdict::ok)
            say(check_service(p.plan.client));
        else
            say({"service", verdict::skipped, "its address is not known"});
    } else {
        say({"service", verdict::skipped, "fix the configuration first"});
    }
    say(check_disk(std::get<doctor_plan>(p.plan.command).directory));
    say(judge_file_limit(raise_file_limit(p.plan.client.pool)));
    return code;
}

} // namespace ocrpipe::cli
