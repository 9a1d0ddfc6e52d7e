#include "credentials.hpp"

#include <ocrpipe/core/unique_fd.hpp>
#include <ocrpipe/http/origin.hpp>
#include <ocrpipe/http/tls_session.hpp>

#include <fmt/format.h>

#include <algorithm>
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

/// Maximum length of a key: a wrong path or an endless command must not exhaust memory.
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

loaded_key load_from_file(std::string const& path, std::string const& shown_as)
{
    loaded_key out;
    auto const problem = [&](std::string why) {
        out.problems.push_back(
            fmt::format("{}: {}: {}", shown_as, printable_excerpt(path, 1024), std::move(why)));
        return out;
    };
    unique_fd const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return problem(std::string(std::strerror(errno)));
    struct ::stat st{};
    if (::fstat(fd.get(), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRGRP | S_IROTH)) != 0)
        out.warnings.push_back(fmt::format("{0}: {1}: others can read it: run chmod 600 {1}", shown_as,
                                           printable_excerpt(path, 1024)));
    auto const text = read_some(fd.get());
    if (!text) return problem(std::string(std::strerror(errno)));
    out.key = secret(first_line(*text));
    if (out.key.empty()) return problem("its first line is empty: it must contain the key");
    return out;
}

/// Whether a variable holds our key, or a proxy with its password.
bool is_secret(std::string_view variable)
{
    std::size_t const end = std::min(variable.find('='), variable.size());
    std::string_view const name = variable.substr(0, end);
    if (name == "OCRPIPE_API_KEY" || name == "OCRPIPE_PROXY") return true;
    bool const is_proxy = name.ends_with("_proxy") || name.ends_with("_PROXY");
    return is_proxy && variable.find('@', end) != variable.npos;
}

/// This process's environment without them.
std::vector<char*> environment_without_secrets()
{
    std::vector<char*> out;
    for (char** v = environ; *v; ++v)
        if (!is_secret(*v)) out.push_back(*v);
    out.push_back(nullptr);
    return out;
}

loaded_key load_from_command(std::string const& command, std::string const& shown_as)
{
    loaded_key out;
    auto const problem = [&](std::string why) {
        out.key = secret();
        out.problems.push_back(fmt::format("{}: the command: {}", shown_as, std::move(why)));
        return out;
    };
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return problem(std::strerror(errno));
    unique_fd reader(ends[0]);
    unique_fd writer(ends[1]);

    // Do not share standard input: with `-` it carries the names of documents.
    ::posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
    ::posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    sigaddset(&defaults, SIGUSR1);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);

    std::string shell = "/bin/sh", flag = "-c", text = command;
    char* arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
    std::vector<char*> variables = environment_without_secrets();
    ::pid_t child = 0;
    int const error =
        ::posix_spawn(&child, shell.c_str(), &actions, &attributes, arguments, variables.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) return problem(std::strerror(error));

    writer = unique_fd();
    auto const printed = read_some(reader.get());
    reader = unique_fd();
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) return problem(fmt::format("it was killed by signal {}", WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0)
        return problem(fmt::format("it exited with status {}", WEXITSTATUS(status)));
    out.key = secret(printed ? first_line(*printed) : std::string());
    if (out.key.empty()) return problem("it printed nothing: its first line must be the key");
    return out;
}

struct variable {
    std::string name;
    std::string value;
};

/// The first of these variables that is set; an empty one counts as unset.
variable first_set(environment const& env, std::initializer_list<char const*> names)
{
    for (char const* n : names)
        if (auto value = env(n); value && !value->empty()) return {n, std::move(*value)};
    return {};
}

} // namespace

key_source choose_key_source(typed_options const& typed, environment const& env,
                             std::vector<std::string>& problems)
{
    setting const file = resolve("api-key-file", typed, env);
    setting const command = resolve("api-key-command", typed, env);
    if (file.from == origin::flag && command.from == origin::flag)
        problems.push_back("--api-key-file, --api-key-command: both are given: use only one");
    if (file.from == origin::flag) return {key_source::kind::file, file.value, file.shown_as};
    if (command.from == origin::flag) return {key_source::kind::command, command.value, command.shown_as};
    if (variable key = first_set(env, {"OCRPIPE_API_KEY"}); !key.value.empty())
        return {key_source::kind::value, std::move(key.value), std::move(key.name)};
    if (file.from == origin::environment) return {key_source::kind::file, file.value, file.shown_as};
    if (command.from == origin::environment)
        return {key_source::kind::command, command.value, command.shown_as};
    return {};
}

loaded_key load_key(key_source const& source)
{
    switch (source.what) {
    case key_source::kind::none:
        return {};
    case key_source::kind::value: {
        loaded_key out{secret(first_line(source.text)), {}, {}};
        if (out.key.empty())
            out.problems.push_back(source.shown_as + ": its first line is empty: give the key");
        return out;
    }
    case key_source::kind::file:
        return load_from_file(source.text, source.shown_as);
    case key_source::kind::command:
        return load_from_command(source.text, source.shown_as);
    }
    return {};
}

chosen_proxy choose_proxy(std::string const& base_url, typed_options const& typed, environment const& env)
{
    setting const ours = resolve("proxy", typed, env);
    if (ours.from != origin::default_value) return {{ours.value, {}}, ours.shown_as};
    auto const service = parse_origin(base_url);
    variable url = service && !service->tls
                       ? first_set(env, {"http_proxy", "ALL_PROXY", "all_proxy"})
                       : first_set(env, {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"});
    if (url.value.empty()) return {};
    std::string no_proxy = first_set(env, {"NO_PROXY", "no_proxy"}).value;
    if (service && bypasses_proxy(service->host, service->port, no_proxy)) return {};
    return {{std::move(url.value), std::move(no_proxy)}, std::move(url.name)};
}

std::vector<std::string> check_certificates(client_options const& o)
{
    std::vector<std::string> problems;
    auto const service = parse_origin(o.endpoint.base_url);
    bool const names_files = !o.tls.ca_file.empty() || !o.tls.client_cert.empty();
    bool const is_whole = o.tls.client_cert.empty() == o.tls.client_key.empty();
    if (service && service->tls && names_files && is_whole)
        if (auto const tls = detail::tls_context::make(o.tls); !tls) problems.push_back(tls.error().reason);
    return problems;
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
