#ifndef OCRPIPE_TOOLS_CREDENTIALS_HPP
#define OCRPIPE_TOOLS_CREDENTIALS_HPP

#include <ocrpipe/client/client_options.hpp>

#include "option_table.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::cli
{

/// Where the key is to come from. It has no flag of its own: arguments are visible to everybody on the
/// machine.
struct key_source {
    enum class kind { none, value, file, command } what = kind::none;
    std::string text;       ///< the key itself, the file's path or the command line, as `what` says
    std::string shown_as{}; ///< the flag or variable that it comes from, for messages
};

/// The precedence of flag over environment, applied to three options that exclude each other; within the
/// environment the key itself wins.
///
/// Two flags that contradict each other are added to `problems`.
key_source choose_key_source(typed_options const& typed, environment const& env,
                             std::vector<std::string>& problems);

struct loaded_key {
    secret key;
    /// Name the flag or variable and the file, never what it holds, and never the command, which may hold a
    /// secret.
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
};

/// Reads the key: blocks on the file or until the command ended.
loaded_key load_key(key_source const& source);

/// A proxy, none where the URL is empty, and the flag or variable that it comes from.
struct chosen_proxy : proxy_options {
    std::string shown_as = "--proxy";
};

/// The proxy for `base_url`: --proxy or OCRPIPE_PROXY, else HTTPS_PROXY or https_proxy for https, http_proxy
/// for http, else ALL_PROXY or all_proxy, as curl reads them. For those, NO_PROXY or no_proxy says which
/// hosts are reached without; if the host of `base_url` is one, there is no proxy. What the flag or
/// OCRPIPE_PROXY says holds for every host.
///
/// HTTP_PROXY in capitals is not read: a web server's request header could have set it.
chosen_proxy choose_proxy(std::string const& base_url, typed_options const& typed, environment const& env);

/// What is wrong with the files of certificates, as client_options::validate() says such things, which does not
/// read them. Reads those files if the address is one that needs them.
std::vector<std::string> check_certificates(client_options const& o);

/// What must not be shown of a proxy's URL: its password, as it was typed and as it means, and what is sent
/// to the proxy instead. Empty for a URL without one.
std::vector<secret> secrets_of(std::string_view proxy_url);

/// The URL with asterisks for its password, also when it is no URL that the proxy can be reached by.
std::string without_password(std::string_view proxy_url);

} // namespace ocrpipe::cli

#endif
