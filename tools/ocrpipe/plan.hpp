#ifndef OCRPIPE_TOOLS_PLAN_HPP
#define OCRPIPE_TOOLS_PLAN_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/client/client_options.hpp>
#include <ocrpipe/load/arrival_plan.hpp>
#include <ocrpipe/load/generated_documents.hpp>
#include <ocrpipe/load/thresholds.hpp>

#include "logger.hpp"
#include "raw_arguments.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ocrpipe::cli
{

enum class output_form { text, json };

struct run_plan {
    std::vector<std::string> inputs;
    bool null_separated = false;
    bool follow_links = false;
    std::chrono::milliseconds min_age{0};
    pipeline_options pipeline;
    std::optional<boost::asio::ip::tcp::endpoint> metrics; ///< where to show the run while it goes on
    std::string resume_command;                            ///< the command that resumes the run
};

struct retry_plan {
    run_plan run;              ///< without inputs: the ledger knows them
    std::vector<errc> classes; ///< empty for the default: all that cannot be billed twice
};

/// status, report and support inspect an active or finished run.
struct status_plan {
    std::string directory;
    output_form form = output_form::text;
    bool watch = false; ///< until no process works on the directory
};

struct report_plan {
    std::string directory;
};

struct support_plan {
    std::string directory;
    std::string request_id;
    bool sample = false;
};

enum class export_form { text, parts, csv };

/// export creates files from the results of a run.
struct export_plan {
    std::string directory;
    export_form form = export_form::text;
    std::vector<operation> parts; ///< with export_form::parts
    std::string output = "-";     ///< with export_form::csv: a path, or - for standard output
};

struct submit_plan {
    submit_request request;
    bool from_standard_input = false; ///< the document is yet to be read
    output_form form = output_form::text;
};

struct recognize_plan {
    submit_request request;
    bool from_standard_input = false; ///< the document is yet to be read
    output_form form = output_form::text;
};

struct result_plan {
    std::string request_id;
    bool wait = false;
    output_form form = output_form::json;
};

/// explain shows how an answer is interpreted: a saved one, or the service's current one.
struct explain_plan {
    std::string file;       ///< a path, or - for standard input; empty to use the service's answer
    std::string request_id; ///< of a job at the service
};

struct profile_plan {
};

struct part_plan {
    operation part = operation::table;
    std::string request_id;
    std::string sub_id;
    std::string output = "-"; ///< a path, or - for standard output
};

struct doctor_plan {
    std::string directory = ".";
};

/// load measures the service; see load_run.
struct load_plan {
    std::vector<std::string> inputs; ///< empty: documents are generated
    document_sizes sizes;
    std::uint64_t seed = 1;
    arrival_plan arrivals;
    std::string arrivals_text; ///< for people
    std::string flow;
    std::string doc_type;
    enum file_type type = file_type::detect;
    std::vector<operation> parts; ///< kinds to fetch after each result
    std::chrono::milliseconds drain_timeout{0};
    double send_delay = 0.01; ///< seconds
    std::vector<threshold> thresholds;
    bool find_capacity = false;
    double step_seconds = 30;
    bool limited = false; ///< the client's limits are on, so a document may leave late by choice
    std::string directory;
    std::optional<boost::asio::ip::tcp::endpoint> metrics; ///< where to show the test while it goes on
};

struct load_compare_plan {
    std::string before;
    std::string after;
};

struct load_merge_plan {
    std::string output;
    std::vector<std::string> directories;
};

/// What will be done: parsed, in range, with flags and environment resolved.
struct plan {
    logger::settings messages;
    client_options client;
    std::variant<run_plan, retry_plan, status_plan, report_plan, support_plan, export_plan, submit_plan,
                 recognize_plan, result_plan, explain_plan, profile_plan, part_plan, doctor_plan, load_plan,
                 load_compare_plan, load_merge_plan>
        command;
};

/// A plan with all its problems; it may be carried out only if `problems` is empty. doctor reports them as a
/// check.
struct planning {
    struct plan plan;
    /// "--flag: what is wrong: remedy", or with the variable that the value comes from; no secret.
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
    std::vector<std::string> notes; ///< options set by the environment, without their values
};

/// What planning needs to know about the environment.
struct surroundings {
    environment env;
    bool stderr_is_terminal = false;
    bool stdin_is_terminal = false;
};

/// Converts the arguments into a plan. Reads the key, and the profile and certificate files if specified;
/// accesses nothing else.
planning make_plan(raw_arguments const& raw, surroundings const& around);

/// Divides the connections among the lanes in the proportion of the pool_options defaults: 4 of 7 for
/// submits, 2 for polls, 1 for parts.
void share_connections(std::size_t total, pool_options& pool) noexcept;

} // namespace ocrpipe::cli

#endif
