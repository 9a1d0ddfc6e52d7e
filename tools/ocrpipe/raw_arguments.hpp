#ifndef OCRPIPE_TOOLS_RAW_ARGUMENTS_HPP
#define OCRPIPE_TOOLS_RAW_ARGUMENTS_HPP

#include "option_table.hpp"

#include <string>
#include <variant>
#include <vector>

namespace ocrpipe::cli
{

enum class command {
    run,
    retry,
    status,
    report,
    support,
    export_results,
    submit,
    result,
    recognize,
    table,
    signature,
    stamp,
    image,
    explain,
    profile,
    doctor,
    load,
    load_compare,
    load_merge
};

/// Options of load, as typed.
struct raw_load {
    std::string rate;
    std::string stages;
    std::string concurrency;
    std::string duration;
    std::string generate = "20k";
    std::string drain_timeout = "10m";
    std::string send_delay = "10ms"; ///< the bound of its 99th percentile
    std::string step = "30s";
    std::vector<std::string> thresholds;
    bool poisson = false;
    bool find_capacity = false;
    bool yes = false;
};

/// The command line as typed: no value is validated, nothing comes from the environment.
struct raw_arguments {
    enum command command = command::run;
    typed_options options;
    std::vector<std::string> typed;   ///< all arguments, to suggest a command line to repeat
    std::vector<std::string> inputs;  ///< run's INPUT...
    std::string directory;            ///< DIR of retry, status, report, support and export
    std::vector<std::string> classes; ///< retry --class
    std::string file;                 ///< FILE of submit, recognize and explain; - is standard input
    std::string request_id;           ///< ID
    std::string sub_id;               ///< DOCUMENT_ID or FILE_ID
    std::string output;               ///< run's and doctor's --out, image's and export's -o
    bool null_separated = false;      ///< -0
    bool wait = false;                ///< result --wait
    bool explain = false;             ///< result --explain
    bool json = false;                ///< recognize --json, submit --json, status --json
    bool watch = false;               ///< status --watch
    bool sample = false;              ///< support --sample
    bool text = false;                ///< result --text, run --text, export --text
    bool csv = false;                 ///< export --csv
    raw_load load;
};

/// The command ends after parsing: help, the version, or a usage error.
struct early_exit {
    int code = 0;
    std::string text; ///< whole lines
    bool to_stderr = false;
};

/// Reads the command line without argv[0].
///
/// Usage errors never repeat values, because the key may have been typed in the wrong place.
std::variant<raw_arguments, early_exit> parse_arguments(std::vector<std::string> const& arguments);

} // namespace ocrpipe::cli

#endif
