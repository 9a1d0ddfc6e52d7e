#ifndef OCRPIPE_EMULATOR_FAULT_REPLY_HPP
#define OCRPIPE_EMULATOR_FAULT_REPLY_HPP

#include "emulator/fault.hpp"
#include "emulator/reply.hpp"

#include <chrono>
#include <string_view>

namespace ocrpipe::emulator
{

/// A plain JSON error, as the API answers where it does not succeed. Assumed: `code` and `message`.
reply error_reply(int status, std::string_view message);

/// The answer of a rate limit.
reply throttled_reply(bool with_retry_after);

/// What the gateway in front of the API answers (Observed): `Forbidden` in plain text, and a 404 of its own.
reply gateway_forbidden();
reply gateway_not_found();

/// The answer of a fault of the stage before acceptance. `path` is the request's, for redirects.
reply replacement(fault_rule const& rule, std::string_view path, std::chrono::system_clock::time_point now);

/// Lets a fault of the stage after acceptance spoil the true answer. `without_id` is a submit's answer that
/// lacks the request_id.
void spoil(reply& r, fault_rule const& rule, std::string_view without_id);

} // namespace ocrpipe::emulator

#endif
