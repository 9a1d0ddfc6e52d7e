#ifndef OCRPIPE_EMULATOR_REPLY_HPP
#define OCRPIPE_EMULATOR_REPLY_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::emulator
{

/// How an answer travels: whole, or spoilt in one way.
enum class delivery {
    plain,
    early,          ///< the answer, then the connection closes with the request's body unread
    reset_upload,   ///< some bytes of the request's body are read, then a reset
    reset,          ///< no answer, a reset
    stall,          ///< the answer after a pause
    drip,           ///< the body piece by piece
    truncate,       ///< a part of the body, then the end of the connection
    reset_mid_body, ///< a part of the body, then a reset
    not_http,       ///< bytes that are no answer
    close_after,    ///< the answer promises keep-alive, then the connection ends
    close_delimited,
    gzip,
    chunked, ///< with trailers
    interim, ///< 100 and 103 first
    huge_header,
};

/// An answer as the service decided it, before it becomes bytes.
struct reply {
    enum class event { none, acceptance, result };

    int status = 200;
    std::string_view content_type = "application/json";
    std::string headers; ///< further lines, each with its CRLF
    std::string body;
    delivery how = delivery::plain;
    std::chrono::milliseconds ms{0};
    std::uint64_t bytes = 0;
    std::chrono::seconds date_skew{0};

    event what = event::none; ///< what its being written whole means
    std::uint32_t job = 0;
    std::optional<std::size_t> fault; ///< the rule whose effect this answer is
};

/// One thing to do with a connection.
struct wire_step {
    enum class kind { write, wait, reset, close };

    kind what = kind::write;
    std::string bytes;
    std::chrono::milliseconds ms{0};
};

/// The bytes of an answer, the pauses between them and the end of the connection, in order. Pure; consumes
/// the reply's body.
///
/// Without a final reset or close the connection stays open.
std::vector<wire_step> wire_plan(reply& r, bool keep_alive, std::chrono::system_clock::time_point now);

/// Whether a client that got every step has the whole answer.
bool arrives_whole(delivery how) noexcept;

} // namespace ocrpipe::emulator

#endif
