#ifndef OCRPIPE_EMULATOR_EMULATOR_OPTIONS_HPP
#define OCRPIPE_EMULATOR_EMULATOR_OPTIONS_HPP

#include "fault.hpp"
#include "latency.hpp"
#include "recognition.hpp"
#include "shape.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ocrpipe::emulator
{

/// PEM files. Without a certificate the emulator speaks plain HTTP.
struct tls_server_options {
    std::string cert;      ///< chain
    std::string key;       ///< required with cert
    std::string client_ca; ///< when given, clients must show a certificate that it signed
};

struct emulator_options {
    std::string address = "127.0.0.1"; ///< a loopback address; anything else is refused
    unsigned short port = 0;           ///< 0: the system chooses a free one
    std::string api_key = "test-key";  ///< the only key accepted
    std::string portal_user_id = "1";  ///< the only tenant
    tls_server_options tls;

    /// Empty: the synthetic engine, whose text is a function of the document's hash. Else one reader for each
    /// worker thread.
    reader_factory readers;
    unsigned reader_threads = 2; ///< 1 to 64, only used with readers

    response_shape shape;
    std::uint64_t seed = 1; ///< of latencies, outcomes and the synthetic text
    latency_model latency;  ///< from the moment a worker is free; with readers, the least time a job takes
    /// Documents in work at the same time with the synthetic engine; 0: no limit, no queue.
    std::uint32_t workers = 0;
    /// Found in a file by the synthetic engine, 1 to 50; they finish one after the other.
    std::uint32_t documents_per_file = 1;

    std::uint64_t submits_per_second = 0; ///< fixed windows of a second, then 429; 0: no limit
    std::uint64_t polls_per_second = 0;   ///< results and parts; 0: no limit
    bool limit_with_retry_after = true;   ///< whether that 429 carries Retry-After

    /// Bytes of a submit's body; a longer one is answered with 413.
    std::uint64_t max_body = 64 * 1024 * 1024;
    milliseconds idle_limit{0}; ///< idle connections are closed after this; 0: never
    /// doc_types that exist. Empty: all, except those that begin with UNKNOWN. Others are answered with 500,
    /// as was observed.
    std::vector<std::string> doc_types;

    std::vector<fault_rule> faults; ///< the first that matches wins
    std::string truth_log;          ///< JSONL file that is appended to; empty: none

    /// Every problem found, as "option: what is wrong"; empty when there is none.
    std::vector<std::string> validate() const;
};

} // namespace ocrpipe::emulator

#endif
