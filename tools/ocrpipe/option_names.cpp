#include "option_names.hpp"

#include <array>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

struct member {
    std::string_view name; ///< as in the problems of validate()
    std::string_view option;
};
constexpr std::array members{
    member{"proxy:", "proxy"},
    member{"base_url:", "base-url"},
    member{"portal_user_id:", "portal-user-id"},
    member{"ca_file:", "ca-file"},
    member{"client_cert:", "client-cert"},
    member{"client_key:", "client-key"},
    member{"job_deadline:", "deadline"},
    member{"timeouts.submit:", "submit-timeout"},
    member{"limits.max_answer_bytes:", "max-answer"},
    member{"limits.max_header_bytes:", "max-header"},
    member{"profile.", "profile"},
};

/// Members in the middle of a problem. The word before them keeps file names from being taken for members.
constexpr std::array mentions{
    member{"or allow_plain_http", "allow-plain-http"},
    member{"without client_cert", "client-cert"},
    member{"without client_key", "client-key"},
};

bool is_of_a_flag(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

} // namespace

option_names::option_names(typed_options const& typed, environment const& env)
{
    for (option_spec const& spec : shared_options())
        if (setting s = resolve(spec, typed, env); s.from == origin::environment)
            set(spec.name, std::move(s.shown_as));
}

void option_names::set(std::string_view option, std::string source)
{
    sources_.insert_or_assign("--" + std::string(option), std::move(source));
}

std::string option_names::of(std::string_view option) const
{
    std::string flag = "--" + std::string(option);
    auto const found = sources_.find(flag);
    return found != sources_.end() ? found->second : flag;
}

std::string option_names::in_problem(std::string problem) const
{
    if (problem.starts_with("api_key: missing"))
        return "api key: missing: set OCRPIPE_API_KEY, or use --api-key-file or --api-key-command; the key "
               "itself is created in the service's portal";
    constexpr std::string_view key = "api_key:";
    if (problem.starts_with(key)) return key_ + ": the key" + problem.substr(key.size());
    for (member const& m : members)
        if (problem.starts_with(m.name)) {
            std::string rest = problem.substr(m.name.size());
            for (auto const& [text, option] : mentions)
                if (auto const at = rest.find(text); at != rest.npos)
                    rest.replace(at, text.size(),
                                 std::string(text.substr(0, text.find(' ') + 1)) + of(option));
            return of(m.option) + (m.name.ends_with('.') ? ": " : ":") + rest;
        }
    return problem;
}

std::string option_names::in_sentence(std::string text) const
{
    for (auto const& [flag, source] : sources_)
        for (std::size_t at = 0; (at = text.find(flag, at)) != text.npos;) {
            std::size_t const end = at + flag.size();
            bool const is_whole =
                (at == 0 || !is_of_a_flag(text[at - 1])) && (end == text.size() || !is_of_a_flag(text[end]));
            if (is_whole) text.replace(at, flag.size(), source);
            at += is_whole ? source.size() : flag.size();
        }
    return text;
}

} // namespace ocrpipe::cli
