#include "raw_arguments.hpp"

#include <ocrpipe/core/config.hpp>

#include "command_description.hpp"
#include "emulator/emulator_main.hpp"
#include "exit_code.hpp"
#include "help_texts.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <span>

namespace ocrpipe::cli
{
namespace
{

/// Options of run that set document parameters; retry takes them from the run.
constexpr std::array<std::string_view, 4> reading_options{"flow", "doc-type", "file-type", "parts"};

bool is_reading_option(std::string_view option)
{
    return std::find(reading_options.begin(), reading_options.end(), option) != reading_options.end();
}

constexpr std::array key_flags{"--api-key", "--api_key", "--apikey"};

constexpr char key_advice[] =
    "error: the key must not be an argument, because other users of this machine can "
    "see arguments: set OCRPIPE_API_KEY, or use --api-key-file or "
    "--api-key-command\n";

bool holds_key_flag(std::vector<std::string> const& arguments)
{
    for (std::string const& a : arguments) {
        if (a == "--") return false;
        auto const name = a.substr(0, a.find('='));
        if (std::find(key_flags.begin(), key_flags.end(), name) != key_flags.end()) return true;
    }
    return false;
}

std::string_view heading(option_group g)
{
    switch (g) {
    case option_group::service:
        return "Service";
    case option_group::messages:
        return "Messages";
    case option_group::document:
        return "Documents";
    case option_group::inputs:
        return "Inputs";
    case option_group::patience:
        return "Waiting";
    case option_group::bulk:
        return "Limits and parts";
    case option_group::ending:
        return "Stopping";
    case option_group::watching:
        return "Watching";
    }
    return {};
}

/// CLI11 writes to these; they must outlive the parse.
struct typed_value {
    option_spec const* spec = nullptr;
    std::string text;
    bool given = false;
    CLI::Option* option = nullptr;
};

class parser
{
public:
    parser() : app_("read documents with an OCR service, one by one or millions in one run", "ocrpipe")
    {
        app_.set_version_flag("--version", "ocrpipe " OCRPIPE_VERSION_STRING, "print the version");
        app_.set_help_flag("-h,--help", "print this help");
        app_.footer(examples);
        app_.require_subcommand(1);
        app_.get_formatter()->column_width(28);
        app_.get_formatter()->label("REQUIRED", "");
        app_.get_formatter()->label("SUBCOMMAND", "COMMAND ...");
        using enum option_group;

        auto* const run =
            add(command::run, "run", "read many documents and write the results to a directory",
                {document, inputs, bulk, ending, watching, patience, service, messages}, run_examples);
        run->add_option(
               "INPUT", raw_.inputs,
               "files, directories, manifests (.jsonl, .csv, .tsv), or - for names on standard input")
            ->required()
            ->type_name("");
        run->add_option("-o,--out", raw_.output, "directory for the results")->required()->type_name("DIR");
        run->add_flag("-0,--null", raw_.null_separated,
                      "names on standard input end with NUL instead of a line feed");
        run->add_flag("--text", raw_.text, "also write the text of each document to DIR/text");

        auto* const retry =
            add(command::retry, "retry", "send failed documents of a run again, with the options of the run",
                {document, bulk, ending, watching, patience, service, messages}, retry_examples);
        add_directory(*retry);
        retry->add_option("--class", raw_.classes, "only documents that failed with these classes")
            ->delimiter(',')
            ->type_name("CLASS,...");

        auto* const status = add(command::status, "status",
                                 "print how many documents are in each state, and how far the run is",
                                 {messages}, status_examples);
        add_directory(*status);
        status->add_flag("--json", raw_.json, "print one JSON object");
        status->add_flag("--watch", raw_.watch, "print again every second until no process works on DIR");

        add_directory(*add(command::report, "report", "write report.json and report.html again", {messages},
                           "It prints the path of report.json. If DIR has a report.json and no ledger, only "
                           "report.html is written."));

        auto* const support = add(command::support, "support", "collect what the service's support asks for",
                                  {messages}, support_examples);
        add_directory(*support);
        add_request_id(*support);
        support->add_flag("--sample", raw_.sample,
                          "add a copy of the document, if the file has not changed since");

        auto* const exported = add(command::export_results, "export",
                                   "make text files, parts or a CSV file from the results of a run",
                                   {patience, service, messages}, export_examples);
        add_directory(*exported);
        exported->add_flag("--text", raw_.text, "write the text of each document to DIR/text");
        add_option(*exported, "parts");
        exported->add_flag("--csv", raw_.csv, "write a table of all fields, in UTF-8 with a byte order mark");
        exported->add_option("-o,--out", raw_.output, "file for the CSV, or - for standard output")
            ->type_name("FILE");
        for (char const* const limit : {"connections", "poll-rate"})
            add_option(*exported, limit);

        auto* const recognize =
            add(command::recognize, "recognize", "submit one document, wait, and print its text",
                {document, patience, service, messages}, recognize_examples);
        recognize
            ->add_option("FILE", raw_.file, "PDF, PNG, JPEG or TIFF, or - for a document on standard input")
            ->required()
            ->type_name("");
        recognize->add_flag("--json", raw_.json, "print the service's JSON instead of the text");

        auto* const submit = add(command::submit, "submit", "submit one document and print its request id",
                                 {document, patience, service, messages}, result_examples);
        submit->add_option("FILE", raw_.file, "PDF, PNG, JPEG or TIFF, or - for a document on standard input")
            ->required()
            ->type_name("");
        submit->add_flag("--json", raw_.json,
                         "print request_id and file_ids as JSON; image needs the file ids");

        auto* const result =
            add(command::result, "result", "print a result", {patience, service, messages}, result_examples);
        add_request_id(*result);
        result->add_flag("--wait", raw_.wait, "wait for the result, at most for --deadline");
        result->add_flag("--text", raw_.text, "print the text instead of the service's JSON");
        result->add_flag("--explain", raw_.explain, "ask once, and explain how the answer is read");

        add_part(command::table, "table", "print the tables of a document");
        add_part(command::signature, "signature", "print the signatures of a document");
        add_part(command::stamp, "stamp", "print the stamps of a document");

        auto* const image = add(command::image, "image", "download a result image",
                                {patience, service, messages}, image_examples);
        add_request_id(*image);
        image->add_option("FILE_ID", raw_.sub_id, "file id, as submit --json prints it")
            ->required()
            ->type_name("");
        image->add_option("-o,--out", raw_.output, "file for the image, or - for standard output")
            ->required()
            ->type_name("FILE");

        auto* const explain = add(command::explain, "explain", "explain how a saved answer is read",
                                  {messages}, explain_examples);
        add_option(*explain, "profile");
        add_option(*explain, "max-answer");
        explain->add_option("FILE", raw_.file, "saved answer, or - for standard input")->type_name("");

        add(command::profile, "profile", "print the response profile, as a start for your own", {messages},
            profile_examples);
        add_option(*commands_.back().app, "profile");

        // Only for the list of commands: these parse their own arguments.
        app_.add_subcommand("emulator",
                            "run an emulator of the service on this machine, for trials and tests")
            ->group("Commands");
        app_.add_subcommand("completion", "print a script that completes commands in bash or zsh")
            ->group("Commands")
            ->add_option("SHELL", "bash or zsh")
            ->required();

        auto* const doctor =
            add(command::doctor, "doctor", "check configuration, network, key, disk and file limits",
                {service, bulk, messages}, doctor_examples);
        doctor->add_option("-o,--out", raw_.output, "directory for the results")->type_name("DIR");
        add_load();
    }

    CLI::App const& app() const noexcept { return app_; }

    std::variant<raw_arguments, early_exit> parse(std::vector<std::string> const& arguments)
    {
        // CLI11 consumes a vector from the back.
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
        try {
            app_.parse(reversed);
        } catch (CLI::CallForHelp const&) {
            return early_exit{0, app_.help(), false};
        } catch (CLI::CallForVersion const& e) {
            return early_exit{0, std::string(e.what()) + "\n", false};
        } catch (CLI::ParseError const& e) {
            return usage_error(e);
        }
        auto const found =
            std::find_if(commands_.begin(), commands_.end(), [](chosen const& c) { return c.app->parsed(); });
        if (found == commands_.end())
            return early_exit{static_cast<int>(exit_code::usage),
                              "error: emulator and completion must be the first argument\n", true};
        raw_.command = found->what;
        raw_.typed = arguments;
        for (typed_value const& v : values_)
            if (v.option->count() != 0)
                raw_.options.insert_or_assign(std::string(v.spec->name),
                                              v.spec->value.empty() ? "true" : v.text);
        return raw_;
    }

private:
    struct chosen {
        enum command what;
        CLI::App* app;
    };

    CLI::App* add(enum command what, char const* name, char const* help,
                  std::initializer_list<option_group> groups, char const* footer)
    {
        // Only a name that is set afterwards may have two words; the list of commands has the first.
        CLI::App* const app = app_.add_subcommand("", help);
        bool const is_listed = std::string_view(name).find(' ') == std::string_view::npos;
        app->name(name)->group(is_listed ? "Commands" : "")->footer(footer);
        commands_.push_back({what, app});
        for (option_group const g : groups)
            for (option_spec const& s : shared_options())
                if (s.group == g && !(what == command::retry && is_reading_option(s.name)))
                    add_shared(*app, s);
        return app;
    }

    /// Adds one shared option without the rest of its group.
    void add_option(CLI::App& app, std::string_view name)
    {
        for (option_spec const& s : shared_options())
            if (s.name == name) add_shared(app, s);
    }

    void add_shared(CLI::App& app, option_spec const& s)
    {
        typed_value& v = values_.emplace_back();
        v.spec = &s;
        std::string const flag = "--" + std::string(s.name);
        std::string help(s.help);
        if (!s.default_value.empty()) help += fmt::format(" [{}]", s.default_value);
        if (s.value.empty()) {
            v.option = app.add_flag(flag, v.given, help);
        } else {
            v.option = app.add_option(flag, v.text, help)->type_name(std::string(s.value));
            // The last one wins, so that an alias or a script can be overridden.
            v.option->take_last();
        }
        v.option->group(s.hidden ? std::string() : std::string(heading(s.group)));
    }

    void add_load()
    {
        using enum option_group;
        auto* const load = add(command::load, "load", "measure how the service behaves under load",
                               {document, watching, patience, service, messages}, load_examples);
        load->add_option("INPUT", raw_.inputs,
                         "files, directories or manifests, sent in turn; if none, documents are generated")
            ->type_name("");
        load->add_option("-o,--out", raw_.output, "directory for report.json, report.html and jobs.jsonl")
            ->required()
            ->type_name("DIR");
        auto const text = [&](char const* flag, std::string& into, char const* value, std::string help) {
            if (!into.empty()) help += fmt::format(" [{}]", into);
            load->add_option(flag, into, help)->type_name(value)->take_last()->group("Load");
        };
        raw_load& l = raw_.load;
        text("--rate", l.rate, "RATE", "rate at which documents become due, such as 50/s or 300/m");
        text("--stages", l.stages, "LIST",
             "rates one after the other, such as '0->50/s:2m,50/s:10m'; a stage with -> is a ramp");
        text("--concurrency", l.concurrency, "N",
             "closed loop: keep N documents in flight; with --parts, each until its parts have ended");
        load->add_flag("--poisson", l.poisson, "arrivals at random times, not at regular ones")
            ->group("Load");
        text("--duration", l.duration, "TIME",
             "stop the arrivals after TIME; this or --max-documents is required");
        text("--generate", l.generate, "SIZE",
             "size of generated documents, such as 20k or lognormal(20k,0.5); each is different");
        text("--drain-timeout", l.drain_timeout, "TIME",
             "after the last arrival, wait for unfinished documents for at most TIME");
        text("--send-delay", l.send_delay, "TIME",
             "if 1 % of the documents leave later than TIME after they were due, the generator is too slow");
        load->add_flag("--find-capacity", l.find_capacity,
                       "search for the highest rate that the service sustains, beginning with --rate")
            ->group("Load");
        text("--step", l.step, "TIME", "length of a step of --find-capacity");
        load->add_option("--threshold", l.thresholds,
                         "conditions such as 'e2e.p95<30s,error_rate<1%,backlog_slope<=0'; if one does not "
                         "hold, the exit code is 99 (repeatable)")
            ->type_name("LIST")
            ->allow_extra_args(false)
            ->group("Load");
        load->add_flag("--yes", l.yes, "allow sending documents to another machine")->group("Load");
        for (char const* const limit :
             {"max-documents", "connections", "submit-rate", "poll-rate", "bandwidth", "parts"})
            add_option(*load, limit);

        // `load compare` and `load merge`; see parse_arguments().
        auto* const compare = add(command::load_compare, "load compare", "compare two load tests", {messages},
                                  load_compare_examples);
        compare->add_option("DIR", raw_.inputs, "directories of two load tests")
            ->required()
            ->expected(2)
            ->type_name("A B");
        auto* const merge =
            add(command::load_merge, "load merge", "join load tests that ran at the same time", {messages},
                load_compare_examples);
        merge->add_option("OUT", raw_.output, "directory for the joint report")->required()->type_name("");
        merge->add_option("DIR", raw_.inputs, "directories of the load tests")->required()->type_name("A B");
    }

    void add_directory(CLI::App& app)
    {
        app.add_option("DIR", raw_.directory, "directory of the run")->required()->type_name("");
    }

    void add_request_id(CLI::App& app)
    {
        app.add_option("ID", raw_.request_id, "request id, as submit prints it")->required()->type_name("");
    }

    void add_part(enum command what, char const* name, char const* help)
    {
        auto* const app =
            add(what, name, help, {option_group::patience, option_group::service, option_group::messages},
                "Take the document ids from the result.");
        add_request_id(*app);
        app->add_option("DOCUMENT_ID", raw_.sub_id, "document id, from the result")
            ->required()
            ->type_name("");
    }

    CLI::App& chosen_app()
    {
        auto const found =
            std::find_if(commands_.begin(), commands_.end(), [](chosen const& c) { return c.app->parsed(); });
        return found == commands_.end() ? app_ : *found->app;
    }

    early_exit usage_error(CLI::ParseError const& e)
    {
        std::string const name = chosen_app().get_name();
        std::string what;
        if (dynamic_cast<CLI::ExtrasError const*>(&e) != nullptr)
            what = describe_extras();
        else if (dynamic_cast<CLI::RequiredError const*>(&e) != nullptr && name == "ocrpipe")
            what = "the first argument must be a command";
        else if (dynamic_cast<CLI::ConversionError const*>(&e) != nullptr)
            what = "an option has an invalid value";
        else
            what = e.what();
        auto const help =
            name == "ocrpipe" ? std::string("ocrpipe --help") : fmt::format("ocrpipe {} --help", name);
        return {static_cast<int>(exit_code::usage), fmt::format("error: {}: see {}\n", what, help), true};
    }

    // CLI11's own message repeats the text that it did not understand, which may be a misplaced secret.
    std::string describe_extras()
    {
        std::string unknown;
        std::size_t surplus = 0;
        bool of_run = false;
        for (std::string const& a : app_.remaining(true)) {
            if (a == "--") continue;
            if (a.size() > 1 && a.front() == '-') {
                std::string const flag = a.substr(0, a.find('='));
                unknown += (unknown.empty() ? "" : ", ") + flag;
                of_run = of_run || (flag.starts_with("--") && is_reading_option(flag.substr(2))) ||
                         flag == "--text";
            } else {
                ++surplus;
            }
        }
        if (of_run && chosen_app().get_name() == "retry")
            return fmt::format("retry has no option {}; it reads documents with the options of the run: to "
                               "change these, repeat the run command with --accept-changes",
                               unknown);
        if (!unknown.empty()) return "there is no option " + unknown;
        return surplus == 1 ? "there is one argument too many"
                            : fmt::format("there are {} arguments too many", surplus);
    }

    CLI::App app_;
    raw_arguments raw_;
    std::vector<chosen> commands_;
    std::deque<typed_value> values_; ///< CLI11 holds references
};

} // namespace

std::vector<command_description> describe_commands()
{
    parser const p;
    std::vector<command_description> out{describe(p.app())};
    for (CLI::App const* const command : p.app().get_subcommands({})) {
        out.push_back(describe(*command));
        if (command->get_name() == "emulator")
            emulator::with_emulator_arguments([&](CLI::App const& app) {
                command_description described = describe(app);
                out.back().arguments = std::move(described.arguments);
                out.back().footer = std::move(described.footer);
            });
    }
    return out;
}

std::variant<raw_arguments, early_exit> parse_arguments(std::vector<std::string> const& arguments)
{
    if (arguments.empty()) return early_exit{static_cast<int>(exit_code::usage), short_help, true};
    if (holds_key_flag(arguments)) return early_exit{static_cast<int>(exit_code::usage), key_advice, true};
    std::vector<std::string> words = arguments;
    if (words.size() > 1 && words[0] == "load" && (words[1] == "compare" || words[1] == "merge")) {
        words[0] += " " + words[1];
        words.erase(words.begin() + 1);
    }
    return parser().parse(words);
}

} // namespace ocrpipe::cli
