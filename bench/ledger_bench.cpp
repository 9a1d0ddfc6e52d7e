// How fast the ledger takes documents, durable, and how fast a resumed run finds them again.
//
// ledger_bench [--documents N] [--window N] [--delay-ms N] [--dir DIR] [--commit WORD]
//
// Each document goes new -> intent -> submitted -> done, one step after the handler of the last, with
// `window` documents on their way, as in a run. Afterwards every document is looked up by its id. The work is
// checked: counts, every row, and the database's own integrity.

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>

#include <boost/asio/io_context.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

using namespace ocrpipe;
namespace fs = std::filesystem;

namespace
{

struct arguments {
    std::uint64_t documents = 200'000;
    std::uint64_t window = 1'000;
    std::int64_t delay_ms = sqlite_ledger_options().max_delay.count();
    std::string dir = ".";
    std::string commit = "unknown";
};

arguments parse(int argc, char** argv)
{
    arguments a;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view const key = argv[i];
        if (key == "--documents")
            a.documents = std::stoull(argv[i + 1]);
        else if (key == "--window")
            a.window = std::stoull(argv[i + 1]);
        else if (key == "--delay-ms")
            a.delay_ms = std::stoi(argv[i + 1]);
        else if (key == "--dir")
            a.dir = argv[i + 1];
        else if (key == "--commit")
            a.commit = argv[i + 1];
        else
            throw std::invalid_argument("unknown option " + std::string(key));
    }
    return a;
}

void require(bool fine, std::string const& what)
{
    if (!fine) throw std::runtime_error("the work was not done: " + what);
}

/// Wall and CPU time since its construction.
class stopwatch
{
public:
    double wall() const
    {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }
    double cpu() const { return used() - cpu_; }

private:
    static double used()
    {
        ::rusage u{};
        ::getrusage(RUSAGE_SELF, &u);
        return double(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
               1e-6 * double(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    }
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    double cpu_ = used();
};

std::uint64_t mix(std::uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

/// Paths as of a directory read in the file system's order: neighbours share nothing but the beginning.
std::string id_of(std::uint64_t n)
{
    return fmt::format("archive/2024/{:03}/invoice-{:016x}.pdf", mix(n) % 1000, mix(n));
}

ledger_document document_of(std::uint64_t n, std::string const& parameters)
{
    ledger_document d;
    d.id = d.path = id_of(n);
    d.sha256 = fmt::format("{:016x}{:016x}{:016x}{:016x}", mix(n), mix(n + 1), mix(n + 2), mix(n + 3));
    d.size = 20'000 + n % 1000;
    d.mtime_ns = 1'700'000'000'000'000'000 + static_cast<std::int64_t>(n);
    d.flow = "single";
    d.doc_type = "invoice";
    d.parameters = parameters;
    return d;
}

std::string request_of(std::uint64_t n) { return fmt::format("{:016x}-{:016x}", mix(n), n); }

class writing
{
public:
    writing(ledger& l, std::uint64_t documents) : ledger_(l), documents_(documents) {}

    void begin(std::uint64_t window)
    {
        while (next_ < std::min(window, documents_))
            admit();
    }
    std::uint64_t done() const { return done_; }

private:
    void admit()
    {
        std::uint64_t const n = next_++;
        ledger_.admit_intent(document_of(n, parameters_), std::nullopt, [this, n](error_code ec) {
            require(!ec, "intent: " + ec.message());
            submit_record r;
            r.request_id = request_of(n);
            ledger_.submitted(id_of(n), std::move(r), [this, n](error_code ec) { submitted(n, ec); });
        });
    }

    void submitted(std::uint64_t n, error_code ec)
    {
        require(!ec, "submitted: " + ec.message());
        finish_record r;
        r.result = result_location{1, n * 2000, 2000};
        r.polls = 2;
        ledger_.finished(id_of(n), std::move(r), [this](error_code ec) {
            require(!ec, "finished: " + ec.message());
            ++done_;
            if (next_ != documents_) admit();
        });
    }

    ledger& ledger_;
    std::uint64_t const documents_;
    std::string const parameters_ = parameters_fingerprint("single", "invoice", file_type::detect);
    std::uint64_t next_ = 0;
    std::uint64_t done_ = 0;
};

std::string cpu_model()
{
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    return "unknown CPU";
}

void report(std::string_view what, std::uint64_t count, double wall, double cpu)
{
    fmt::print("{:<34} {:>9.0f} /s   wall {:6.2f} s   cpu {:6.2f} s   {:5.1f} us cpu each\n", what,
               double(count) / wall, wall, cpu, 1e6 * cpu / double(count));
}

int run(int argc, char** argv)
{
    arguments const a = parse(argc, argv);
    ::utsname system{};
    ::uname(&system);
    fmt::print("machine:  {}, {} cores, {} {}\ncompiler: {}\ncommit:   {}\ncommand: ", cpu_model(),
               std::thread::hardware_concurrency(), system.sysname, system.release, __VERSION__, a.commit);
    for (int i = 0; i != argc; ++i)
        fmt::print(" {}", argv[i]);
    fmt::print("\n\n");

    fs::path const dir = fs::path(a.dir) / fmt::format("ledger-bench-{}", ::getpid());
    require(fs::create_directory(dir), "a new folder");
    struct removal {
        fs::path dir;
        ~removal()
        {
            std::error_code ignored;
            fs::remove_all(dir, ignored);
        }
    } const removed_at_the_end{dir};
    sqlite_ledger_options options;
    options.path = (dir / "ledger.db").string();
    options.max_delay = std::chrono::milliseconds(a.delay_ms);

    {
        boost::asio::io_context ioc(1);
        auto l = open_sqlite_ledger(ioc, options).value();
        stopwatch const watch;
        writing w(*l, a.documents);
        w.begin(a.window);
        ioc.run();
        require(w.done() == a.documents, "all handlers called");
        report("documents, 3 durable changes each", a.documents, watch.wall(), watch.cpu());
        stopwatch const closing;
        require(!l->close(), "closed");
        fmt::print("{:<34} {:.2f} s\n", "close (checkpoint)", closing.wall());
    }
    std::uintmax_t const bytes = fs::file_size(options.path);
    fmt::print("{:<34} {:.0f} bytes a document, {} in all; ids of {} bytes\n", "database",
               double(bytes) / double(a.documents), bytes, id_of(0).size());

    boost::asio::io_context ioc(1);
    stopwatch const opening;
    auto l = open_sqlite_ledger(ioc, options).value();
    fmt::print("{:<34} {:.3f} s\n", "open", opening.wall());
    {
        stopwatch const watch;
        for (std::uint64_t n = 0; n != a.documents; ++n) {
            std::optional<ledger_row> const row = l->find(id_of(n)).value();
            require(row && row->state == document_state::done && row->request_id == request_of(n),
                    "row " + id_of(n));
        }
        report("find by id, in order of admission", a.documents, watch.wall(), watch.cpu());
    }
    {
        stopwatch const watch;
        for (std::uint64_t n = 0; n != a.documents; ++n)
            require(l->find(id_of(mix(n) % a.documents)).value().has_value(), "a row");
        report("find by id, in random order", a.documents, watch.wall(), watch.cpu());
    }
    {
        stopwatch const watch;
        for (std::uint64_t n = 0; n != a.documents; ++n)
            require(!l->find("absent/" + id_of(n)).value(), "no row");
        report("find of absent ids", a.documents, watch.wall(), watch.cpu());
    }
    {
        stopwatch const watch;
        require(l->counts().value()[document_state::done] == a.documents, "counts");
        report("counts, rows read", a.documents, watch.wall(), watch.cpu());
    }
    {
        stopwatch const watch;
        std::uint64_t cursor = 0;
        require(l->rows(document_states::open(), cursor, 1000).value().empty(), "no open rows");
        report("open rows, rows read", a.documents, watch.wall(), watch.cpu());
    }
    {
        stopwatch const watch;
        require(l->interrupted_intents_to_ambiguous().value() == 0, "no intents");
        report("interrupted intents, rows read", a.documents, watch.wall(), watch.cpu());
    }
    {
        stopwatch const watch;
        require(l->last_result_location().value()->offset == (a.documents - 1) * 2000, "the last result");
        report("last result, rows read", a.documents, watch.wall(), watch.cpu());
    }
    {
        stopwatch const watch;
        std::string const parameters = parameters_fingerprint("single", "invoice", file_type::detect);
        for (std::uint64_t n = 0; n < a.documents; n += 10)
            require(l->find_done_by_content(document_of(n, parameters).sha256, parameters).value()->id ==
                        id_of(n),
                    "content");
        report("find by content", a.documents / 10, watch.wall(), watch.cpu());
    }
    ::rusage u{};
    ::getrusage(RUSAGE_SELF, &u);
    fmt::print("{:<34} {} MiB\n", "peak memory", u.ru_maxrss / 1024);
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return run(argc, argv);
    } catch (std::exception const& e) {
        std::cerr << "ledger_bench: " << e.what() << '\n';
        return 1;
    }
}
