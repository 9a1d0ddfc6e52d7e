#include "completion.hpp"

#include <algorithm>

namespace ocrpipe::cli
{
namespace
{

constexpr std::string_view bash_script = R"(# bash completion of ocrpipe
_ocrpipe() {
    mapfile -t COMPREPLY < <("$1" complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1)
}
complete -o default -F _ocrpipe ocrpipe
)";

constexpr std::string_view zsh_script = R"(#compdef ocrpipe
_ocrpipe() {
    local -a found
    found=("${(@f)$("${words[1]}" complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    found=("${(@)found:#}")
    found=("${(@)found//:/\\:}")
    found=("${(@)found/$'\t'/:}")
    if (( $#found )); then
        _describe ocrpipe found
    else
        _files
    fi
}
if [[ $funcstack[1] = _ocrpipe ]]; then
    _ocrpipe "$@"
else
    compdef _ocrpipe ocrpipe
fi
)";

argument_description const* option_of(command_description const& command, std::string_view flag)
{
    for (argument_description const& a : command.arguments)
        if (std::find(a.flags.begin(), a.flags.end(), flag) != a.flags.end()) return &a;
    return nullptr;
}

bool is_flag(std::string_view word) { return word.size() > 1 && word.front() == '-'; }

std::vector<candidate> flags_of(command_description const& command, std::string_view prefix)
{
    std::vector<candidate> out;
    for (argument_description const& a : command.arguments)
        for (std::string const& flag : a.flags)
            if (flag.starts_with(prefix)) out.push_back({flag, a.help});
    return out;
}

std::string joined(std::span<std::string const> words)
{
    std::string out;
    for (std::string const& w : words)
        out += (out.empty() ? "" : " ") + w;
    return out;
}

/// Words that continue the name of a command.
std::vector<candidate> names_after(std::span<command_description const> commands,
                                   std::span<std::string const> words)
{
    std::string const typed = joined(words);
    std::size_t const known = typed.size() - words.back().size();
    std::vector<candidate> out;
    for (command_description const& c : commands) {
        if (!c.name.starts_with(typed) || c.name.size() == known) continue;
        std::string word = c.name.substr(known);
        if (word.find(' ') == std::string::npos) out.push_back({std::move(word), c.help});
    }
    return out;
}

/// The command whose name the words begin with, the longer one of two; the last word is not finished.
command_description const* command_of(std::span<command_description const> commands,
                                      std::span<std::string const> words)
{
    for (std::size_t const n : {2u, 1u}) {
        if (words.size() <= n) continue;
        std::string const name = joined(words.first(n));
        for (command_description const& c : commands)
            if (c.name == name) return &c;
    }
    return nullptr;
}

/// The positional arguments among finished words; an option's value is none.
std::vector<std::string> positional(command_description const& command, std::span<std::string const> words)
{
    std::vector<std::string> out;
    bool only_positional = false;
    for (std::size_t i = 0; i != words.size(); ++i) {
        if (only_positional || !is_flag(words[i])) {
            out.push_back(words[i]);
        } else if (words[i] == "--") {
            only_positional = true;
        } else if (auto const* const a = option_of(command, words[i]); a != nullptr && a->takes_value()) {
            // bash makes --option=value three words.
            if (i + 1 != words.size() && words[i + 1] == "=") ++i;
            if (i + 1 != words.size()) ++i;
        }
    }
    return out;
}

} // namespace

std::vector<candidate> complete(std::span<command_description const> commands,
                                std::span<std::string const> words, request_ids const& ids)
{
    if (commands.empty() || words.empty()) return {};
    std::string const& last = words.back();
    bool const is_option = is_flag(last) || last == "-";
    if (words.size() == 1 && is_option) return flags_of(commands.front(), last);
    std::vector<candidate> out = names_after(commands.subspan(1), words);
    auto const* const found = command_of(commands.subspan(1), words);
    if (found == nullptr) return out;

    std::size_t const name_words = 1 + (found->name.find(' ') != std::string::npos);
    auto const finished = words.subspan(name_words, words.size() - name_words - 1);
    if (!finished.empty()) {
        std::string const& before = finished.back();
        auto const* const option = option_of(*found, before);
        if (before == "=" || (option != nullptr && option->takes_value())) return out;
    }
    if (is_option) return flags_of(*found, last);

    std::vector<std::string> const given = positional(*found, finished);
    std::size_t index = 0;
    std::optional<std::string> directory;
    for (argument_description const& a : found->arguments) {
        if (a.is_option()) continue;
        if (index == given.size()) {
            if (a.value == "ID")
                for (std::string& id : ids(directory, last))
                    out.push_back({std::move(id), {}});
            return out;
        }
        if (a.value == "DIR") directory = given[index];
        ++index;
    }
    return out;
}

std::optional<std::string_view> completion_script(std::string_view shell) noexcept
{
    if (shell == "bash") return bash_script;
    if (shell == "zsh") return zsh_script;
    return std::nullopt;
}

} // namespace ocrpipe::cli
