// A run with a ledger, by the library alone: it is killed while the service works, the folder of its
// documents is renamed, and the next run is refused, because it would pay for the documents again. Under the
// old name, the run goes on: it polls the jobs that were paid for and sends nothing.
#include <ocrpipe/bulk.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace
{

constexpr int documents = 3;

/// Accepts documents. It either has each result at the first poll, or ends the process when every job was
/// polled: a job is polled only after its request id is on the disk.
class scripted_transport final : public ocrpipe::transport
{
public:
    scripted_transport(bool kills, int& submits) : kills_(kills), submits_(submits) {}

    ocrpipe::task<ocrpipe::exchange_result> send(ocrpipe::http_request request) override
    {
        ocrpipe::http_response answer;
        answer.content_type = "application/json";
        bool const is_submit = request.method() == ocrpipe::http_method::post;
        if (!is_submit) polled_.insert(request.target);
        if (kills_ && polled_.size() == documents) ::raise(SIGKILL);
        answer.status = is_submit ? 201 : 200;
        answer.body = R"({"data":{"progress":{"total_doc":1,"ignored":0,"finished":0},"documents":[]}})";
        if (is_submit) answer.body = R"({"data":{"request_id":"r-)" + std::to_string(++submits_) + R"("}})";
        if (!is_submit && !kills_)
            answer.body = R"({"data":{"progress":{"total_doc":1,"ignored":0,"finished":1},"documents":)"
                          R"([{"document_id":"d","status":"done","data":[{"value":"text"}]}]}})";
        ocrpipe::exchange_result const outcome(answer);
        co_return outcome;
    }
    void close() override {}

private:
    bool const kills_;
    int& submits_;
    std::set<std::string> polled_;
};

/// Reads `in` into `out`, and tells how the run ended.
std::string run(fs::path const& in, fs::path const& out, bool kills, int& submits)
{
    boost::asio::io_context ioc(1);
    ocrpipe::client_options options;
    options.endpoint.portal_user_id = "1";
    options.endpoint.api_key = ocrpipe::secret("key");
    options.schedule = std::make_shared<ocrpipe::fixed_poll_schedule>(std::chrono::milliseconds(20),
                                                                      std::chrono::milliseconds(30));
    ocrpipe::client client(ioc, options, std::make_unique<scripted_transport>(kills, submits));

    ocrpipe::sqlite_ledger_options where;
    where.path = (out / "ledger.db").string();
    auto ledger = ocrpipe::open_sqlite_ledger(ioc, where);
    if (!ledger) return to_string(ledger.error());

    ocrpipe::pipeline_options how;
    how.directory = out.string();
    how.doc_type = "INVOICE";
    how.inputs = {in.string()};
    ocrpipe::pipeline pipeline(ioc, client, ocrpipe::open_input(in.string()), how, std::move(*ledger));

    std::optional<ocrpipe::result<ocrpipe::run_report>> outcome;
    boost::asio::co_spawn(ioc, pipeline.run(),
                          [&](std::exception_ptr thrown, ocrpipe::result<ocrpipe::run_report> r) {
                              if (!thrown) outcome.emplace(std::move(r));
                          });
    while (!outcome && ioc.run_one() != 0) {
    }
    if (!outcome) return "no outcome";
    if (!*outcome) return outcome->error().code.message();
    return std::to_string((**outcome).done) + " done";
}

bool expect(std::string const& what, std::string const& is, std::string const& wanted)
{
    std::printf("%s: %s\n", what.c_str(), is.c_str());
    if (is == wanted) return true;
    std::printf("expected: %s\n", wanted.c_str());
    return false;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2) return 2;
    fs::path const base = fs::absolute(argv[1]);
    fs::remove_all(base);
    fs::create_directories(base / "in");
    fs::create_directories(base / "out");
    for (int i = 0; i != documents; ++i)
        std::ofstream(base / "in" / (std::to_string(i) + ".pdf")) << "%PDF-1.4 document " << i;

    if (::pid_t const child = ::fork(); child == 0) {
        int submits = 0;
        run(base / "in", base / "out", true, submits);
        ::_exit(0);
    } else {
        int status = 0;
        ::waitpid(child, &status, 0);
        if (!WIFSIGNALED(status)) return expect("the first run", "was not killed", "killed"), 1;
    }

    int submits = 0;
    fs::rename(base / "in", base / "renamed");
    bool good = expect("renamed", run(base / "renamed", base / "out", false, submits),
                       make_error_code(ocrpipe::errc::configuration_changed).message());
    fs::rename(base / "renamed", base / "in");
    good &= expect("the old name", run(base / "in", base / "out", false, submits), "3 done");
    good &= expect("submits of both", std::to_string(submits), "0");
    return good ? 0 : 1;
}
