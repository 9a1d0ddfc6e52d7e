#ifndef OCRPIPE_TOOLS_PLAN_HPP
#define OCRPIPE_TOOLS_PLAN_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/client/client_options.hpp>

#include "logger.hpp"
#include "raw_arguments.hpp"

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
    std::string resume_command; ///< what to type to go on
};

struct retry_plan {
    run_plan run;              ///< without inputs: the ledger knows them
    std::vector<errc> classes; ///< empty for the default: all that cannot be billed twice
};

/// status, report and support look at a run that is, or was.
struct status_plan {
    std::string directory;
    output_form form = output_form::text;
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

/// export makes files from the results of a run.
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

/// How an answer is read: a saved one, or the one that the service gives now.
struct explain_plan {
    std::string file;       ///< a path, or - for standard input; empty for the service's
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

/// What will be done: typed, in range, everything from flags and environment resolved.
struct plan {
    logger::settings messages;
    client_options client;
    std::variant<run_plan, retry_plan, status_plan, report_plan, support_plan, export_plan, submit_plan,
                 recognize_plan, result_plan, explain_plan, profile_plan, part_plan, doctor_plan>
        command;
};

/// A plan with all that is wrong with it, at once; it may be carried out when `problems` is empty. doctor
/// reports them as a check.
struct planning {
    struct plan plan;
    /// "--flag: what is wrong: remedy", or with the variable that the value comes from; no secret.
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
    std::vector<std::string> notes; ///< which options the environment decided, without their values
};

/// What a plan needs to know of its surroundings.
struct surroundings {
    environment env;
    bool stderr_is_terminal = false;
    bool stdin_is_terminal = false;
};

/// Turns what was typed into what will be done. Reads the key, and the files of the profile and of
/// certificates when they are named; touches nothing else.
planning make_plan(raw_arguments const& raw, surroundings const& around);

/// Splits a number of connections over the lanes as the defaults of pool_options are: 4 of 7 for submits, 2
/// for polls, 1 for parts.
void share_connections(std::size_t total, pool_options& pool) noexcept;

} // namespace ocrpipe::cli

#endif
