#include "credentials.hpp"

#include <ocrpipe/bulk/detail/json_text.hpp>
#include <ocrpipe/bulk/detail/unique_fd.hpp>
#include <ocrpipe/http/origin.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <spawn.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char** environ;

namespace ocrpipe::cli
{
namespace
{

/// No key is longer; a wrong path or a command that never stops must not fill the memory.
constexpr std::size_t longest_key = 64 * 1024;

std::optional<std::string> read_some(int fd)
{
    std::string out(longest_key, '\0');
    std::size_t got = 0;
    while (got < out.size()) {
        auto const n = ::read(fd, out.data() + got, out.size() - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return std::nullopt;
        if (n == 0) break;
        got += static_cast<std::size_t>(n);
    }
    out.resize(got);
    return out;
}

std::string first_line(std::string const& text)
{
    std::string_view line(text);
    line = line.substr(0, line.find('\n'));
    auto const blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!line.empty() && blank(line.back()))
        line.remove_suffix(1);
    while (!line.empty() && blank(line.front()))
        line.remove_prefix(1);
    return std::string(line);
}

loaded_key load_from_file(std::string const& path)
{
    loaded_key out;
    auto const problem = [&](std::string why) {
        out.problems.push_back(fmt::format("api key file {}: {}", path, std::move(why)));
        return out;
    };
    detail::unique_fd const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return problem(std::string(std::strerror(errno)));
    struct ::stat st {
    };
    if (::fstat(fd.get(), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRGRP | S_IROTH)) != 0)
        out.warnings.push_back(fmt::format("api key file {0}: others can read it: run chmod 600 {0}", path));
    auto const text = read_some(fd.get());
    if (!text) return problem(std::string(std::strerror(errno)));
    out.key = secret(first_line(*text));
    if (out.key.empty()) return problem("its first line is empty: it must hold the key");
    return out;
}

loaded_key load_from_command(std::string const& command)
{
    loaded_key out;
    auto const problem = [&](std::string why) {
        out.key = secret();
        out.problems.push_back("api key command: " + std::move(why));
        return out;
    };
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return problem(std::strerror(errno));
    detail::unique_fd reader(ends[0]);
    detail::unique_fd writer(ends[1]);

    // Standard input stays ours: with `-` it carries the names of documents.
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
    ::posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGUSR1);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

    std::string shell = "/bin/sh", flag = "-c", text = command;
    char* arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
    ::pid_t child = 0;
    int const error = ::posix_spawn(&child, shell.c_str(), &actions, &attributes, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) return problem(std::strerror(error));

    writer = detail::unique_fd();
    auto const printed = read_some(reader.get());
    reader = detail::unique_fd();
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) return problem(fmt::format("it was ended by signal {}", WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0) return problem(fmt::format("it ended with status {}", WEXITSTATUS(status)));
    out.key = secret(printed ? first_line(*printed) : std::string());
    if (out.key.empty()) return problem("it printed nothing: its first line must be the key");
    return out;
}

std::optional<std::string> first_set(environment const& env, std::initializer_list<char const*> names)
{
    for (char const* n : names)
        if (auto value = env(n); value && !value->empty()) return value;
    return std::nullopt;
}

/// Where the password stands in a URL, by its last @, even one in its path: too much is better masked than
/// too little, and a password with an @ of its own is no URL, but a secret all the same.
std::string_view password_in(std::string_view url)
{
    std::size_t const scheme = url.find("://");
    std::string_view const rest = scheme == std::string_view::npos ? url : url.substr(scheme + 3);
    std::size_t const at = rest.rfind('@');
    std::size_t const colon = rest.find(':');
    if (at == std::string_view::npos || colon == std::string_view::npos || colon > at) return {};
    return rest.substr(colon + 1, at - colon - 1);
}

} // namespace

key_source choose_key_source(typed_options const& typed, environment const& env,
                             std::vector<std::string>& problems)
{
    setting const file = resolve("api-key-file", typed, env);
    setting const command = resolve("api-key-command", typed, env);
    if (file.from == origin::flag && command.from == origin::flag)
        problems.push_back("--api-key-file, --api-key-command: both are given: give one of them");
    if (file.from == origin::flag) return {key_source::kind::file, file.value};
    if (command.from == origin::flag) return {key_source::kind::command, command.value};
    if (auto key = env("OCRPIPE_API_KEY"); key && !key->empty())
        return {key_source::kind::value, std::move(*key)};
    if (file.from == origin::environment) return {key_source::kind::file, file.value};
    if (command.from == origin::environment) return {key_source::kind::command, command.value};
    return {};
}

loaded_key load_key(key_source const& source)
{
    switch (source.what) {
    case key_source::kind::none:
        return {};
    case key_source::kind::value:
        return {secret(first_line(source.text)), {}, {}};
    case key_source::kind::file:
        return load_from_file(source.text);
    case key_source::kind::command:
        return load_from_command(source.text);
    }
    return {};
}

proxy_options choose_proxy(std::string const& base_url, typed_options const& typed, environment const& env)
{
    setting const ours = resolve("proxy", typed, env);
    if (ours.from != origin::default_value) return {ours.value, {}};
    auto const url = base_url.starts_with("http://") ? first_set(env, {"http_proxy"})
                                                     : first_set(env, {"HTTPS_PROXY", "https_proxy"});
    if (!url) return {};
    return {*url, first_set(env, {"NO_PROXY", "no_proxy"}).value_or(std::string())};
}

std::vector<secret> secrets_of(std::string_view proxy_url)
{
    std::string const password(password_in(proxy_url));
    if (password.empty()) return {};
    std::vector<secret> out{secret(password)};
    if (auto const meant = detail::percent_decoded(password); meant && *meant != password)
        out.emplace_back(*meant);
    constexpr std::string_view scheme = "Basic ";
    if (auto const proxy = parse_proxy(proxy_url); proxy && proxy->authorization.starts_with(scheme))
        out.emplace_back(proxy->authorization.substr(scheme.size()));
    return out;
}

std::string without_password(std::string_view proxy_url)
{
    std::string out(proxy_url);
    std::string_view const password = password_in(proxy_url);
    if (!password.empty())
        out.replace(static_cast<std::size_t>(password.data() - proxy_url.data()), password.size(), "***");
    return out;
}

} // namespace ocrpipe::cli
