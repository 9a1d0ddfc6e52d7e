#ifndef OCRPIPE_TOOLS_CREDENTIALS_HPP
#define OCRPIPE_TOOLS_CREDENTIALS_HPP

#include <ocrpipe/client/client_options.hpp>

#include "option_table.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::cli
{

/// Where the key comes from. The key itself has no flag, because arguments are visible to every user of the
/// machine.
struct key_source {
    enum class kind { none, value, file, command } what = kind::none;
    std::string text;       ///< the key, the file path or the command line, depending on `what`
    std::string shown_as{}; ///< the flag or variable it comes from, for messages
};

/// The precedence of flag over environment, applied to three options that exclude each other; within the
/// environment, the key itself takes precedence.
///
/// Conflicting flags are added to `problems`.
key_source choose_key_source(typed_options const& typed, environment const& env,
                             std::vector<std::string>& problems);

struct loaded_key {
    secret key;
    /// Name the flag or variable and the file, never its content, and never the command, which may contain a
    /// secret.
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
};

/// Reads the key: blocks on the file or until the command ends.
loaded_key load_key(key_source const& source);

/// A proxy (an empty URL means none), and the flag or variable it comes from.
struct chosen_proxy : proxy_options {
    std::string shown_as = "--proxy";
};

/// The proxy for `base_url`: --proxy or OCRPIPE_PROXY, else HTTPS_PROXY or https_proxy for https, http_proxy
/// for http, else ALL_PROXY or all_proxy, as curl reads them. For the latter variables, no proxy is used if
/// NO_PROXY or no_proxy lists the host of `base_url`. The flag and OCRPIPE_PROXY apply to every host.
///
/// HTTP_PROXY in upper case is not read, because an HTTP request header could have set it in a CGI
/// environment.
chosen_proxy choose_proxy(std::string const& base_url, typed_options const& typed, environment const& env);

/// Returns problems with the certificate files, in the form of client_options::validate(), which does not
/// read them. Reads the files only if the address needs them.
std::vector<std::string> check_certificates(client_options const& o);

/// The URL with its password replaced by asterisks, even if the URL is invalid.
std::string without_password(std::string_view proxy_url);

} // namespace ocrpipe::cli

#endif
