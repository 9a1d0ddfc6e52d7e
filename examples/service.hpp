#ifndef OCRPIPE_EXAMPLES_SERVICE_HPP
#define OCRPIPE_EXAMPLES_SERVICE_HPP

// What the examples share: the service's address and key, from the environment.

#include <ocrpipe/client.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>

inline ocrpipe::client_options options_from_environment()
{
    auto const variable = [](char const* name) {
        char const* const value = std::getenv(name);
        if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
        return std::string(value);
    };
    ocrpipe::client_options options;
    options.endpoint.portal_user_id = variable("OCRPIPE_PORTAL_USER_ID");
    options.endpoint.api_key = ocrpipe::secret(variable("OCRPIPE_API_KEY"));
    if (char const* const url = std::getenv("OCRPIPE_BASE_URL")) options.endpoint.base_url = url;
    return options;
}

#endif
