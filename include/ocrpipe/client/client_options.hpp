#ifndef OCRPIPE_CLIENT_CLIENT_OPTIONS_HPP
#define OCRPIPE_CLIENT_CLIENT_OPTIONS_HPP

#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/core/config.hpp>
#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/pace/pace_options.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace ocrpipe
{

/// Everything that a client is built from: the options of its connections, of its pace, and its own.
/// `validate()` reports every problem at once.
struct client_options : http_options, pace_options {
    response_profile profile;
    /// From the submit's acceptance to the result; afterwards the operation ends with errc::still_processing
    /// and keeps the request_id.
    std::chrono::milliseconds job_deadline{30 * 60'000};

    /// Every problem found, as "option: what is wrong: remedy"; empty when there is none.
    std::vector<std::string> validate() const;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/client/impl/client_options.ipp>
#endif

#endif
