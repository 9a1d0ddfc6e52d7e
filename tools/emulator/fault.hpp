#ifndef OCRPIPE_EMULATOR_FAULT_HPP
#define OCRPIPE_EMULATOR_FAULT_HPP

#include <ocrpipe/core/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::emulator
{

/// What the emulator can be told to do wrong. The catalogue has a line about each.
enum class fault_kind {
    refuse_connection,
    reset_on_accept,
    early_413,
    reset_during_upload,
    reset_before_answer,
    throttle_429,
    throttle_429_retry_after,
    throttle_text_400,
    error_500_before_acceptance,
    error_503_retry_after,
    forbidden_403,
    gateway_404,
    html_200,
    envelope_error,
    redirect_same_origin,
    redirect_other_origin,
    status,
    reset_after_acceptance,
    error_500_after_acceptance,
    no_request_id,
    stall,
    slow_body,
    truncated_body,
    reset_mid_body,
    bad_json,
    bad_http,
    empty_200,
    null_200,
    empty_object_200,
    huge_header,
    huge_body,
    close_keep_alive,
    close_delimited,
    gzip_unasked,
    chunked_trailers,
    continue_100,
    another_job,
    endless_pending,
    terminal_before_filled,
    empty_result,
    job_failed,
    document_failed,
    unknown_status,
    total_doc_zero,
    not_found_young,
    lost_404,
    gone_410,
    part_absent,
};

/// The three kinds of traffic a fault can be limited to, as bits.
enum fault_route : unsigned { route_submit = 1, route_result = 2, route_part = 4, route_any = 7 };

/// The moment at which a fault is decided, and so what its decision may depend on.
enum class fault_stage {
    listener,   ///< before there is a connection
    connection, ///< right after accept: decided by the connection's ordinal
    header,     ///< the header of a submit is read, the body is not: decided by the request's ordinal
    /// The request is read and valid: decided by document, attempt and poll; nothing was accepted.
    before_acceptance,
    /// The same, but a submit was accepted and a poll has its true answer, which is then spoilt.
    after_acceptance,
    job, ///< a property of the job, drawn when it is accepted, seen by its polls
};

/// Parameters a kind understands besides count, p and route, as bits.
enum fault_parameter : unsigned {
    takes_ms = 1,
    takes_bytes = 2,
    takes_polls = 4,
    takes_code = 8,
    takes_after = 16,
    takes_word = 32,
};

/// One fault to be done: kind and parameters. Built by parse_fault.
struct fault_rule {
    fault_kind kind = fault_kind::status;
    unsigned routes = route_any;
    std::uint64_t count = 0; ///< at most so many times; 0 means no limit
    double p = 1;            ///< share of the matching requests or jobs
    std::chrono::milliseconds ms{0};
    std::uint64_t bytes = 0;
    std::uint32_t polls = 0;       ///< of each job, for faults of jobs
    int code = 0;                  ///< HTTP status or embedded code
    std::chrono::seconds after{0}; ///< Retry-After
    bool after_as_date = false;    ///< Retry-After as an HTTP-date
    std::chrono::seconds skew{0};  ///< how far the emulator's Date is ahead, where Retry-After is a date
    std::string word;              ///< a status word or a location
    std::string text;              ///< as the user wrote it
};

struct fault_info {
    fault_kind kind;
    std::string_view name;
    fault_stage stage;
    unsigned routes;     ///< where it can happen; all of them by default
    unsigned parameters; ///< what it understands
    std::string_view defaults;
    std::string_view line; ///< what it does, for people
};

/// Every fault, in the order of fault_kind.
std::span<fault_info const> fault_catalogue() noexcept;
fault_info const& info(fault_kind kind) noexcept;

/// Reads
/// `name[:count=N][:p=0.1][:route=submit|result|part][:ms=500][:bytes=100][:polls=2][:code=502][:after=1][:form=date]
/// [:skew=3600][:word=CANCELLED]`.
///
/// Errors: errc::invalid_argument, which names what is wrong: the name, a parameter this fault does not
/// understand, or a value.
result<fault_rule> parse_fault(std::string_view text);

/// Planned and done, for one rule. `planned` is the rule's count, or 1 where the rule has no count.
struct fault_account {
    std::string name; ///< the rule as the user wrote it
    std::uint64_t planned = 0;
    std::uint64_t happened = 0;
};

/// Chooses which rule takes an event, and keeps the accounts. The first rule that matches wins.
class fault_plan
{
public:
    fault_plan(std::vector<fault_rule> rules, std::uint64_t seed);

    void add(fault_rule rule) { entries_.push_back({std::move(rule)}); }

    /// The index of the rule that takes this event, whose count is then used up by one. `key` stands for the
    /// facts that decide.
    std::optional<std::size_t> take(fault_stage stage, unsigned route, std::uint64_t key);

    /// The rule's effect was carried out on a client.
    void happened(std::size_t rule) { entries_[rule].happened += 1; }

    fault_rule const& operator[](std::size_t rule) const { return entries_[rule].rule; }
    std::vector<fault_account> accounts() const;

private:
    struct entry {
        fault_rule rule;
        std::uint64_t taken = 0;
        std::uint64_t happened = 0;
    };

    std::vector<entry> entries_;
    std::uint64_t seed_;
};

} // namespace ocrpipe::emulator

#endif
