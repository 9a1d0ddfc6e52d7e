#ifndef OCRPIPE_BENCH_CLIENT_ARGUMENTS_HPP
#define OCRPIPE_BENCH_CLIENT_ARGUMENTS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace bench
{

/// The command line that every client of the harness understands.
struct client_arguments {
    std::string url;            ///< scheme, host and port
    std::string files;          ///< folder of document-000000.pdf and so on
    std::size_t file_count = 1; ///< files in it; document i is file i modulo this
    std::size_t documents = 1000;
    std::size_t size = 20 * 1024; ///< bytes of each file
    std::size_t connections = 64;
    std::chrono::milliseconds processing{0}; ///< the result is asked for so long after the submit's answer
    std::string out;
    std::string ca;      ///< PEM; for https
    std::string variant; ///< of the client, where it has several
    double rate = 0;     ///< submits a second, and as many results; 0 for no limit; the engine's only
};

inline client_arguments parse_client_arguments(int argc, char** argv)
{
    client_arguments a;
    if (argc % 2 == 0) throw std::invalid_argument("each option needs a value");
    for (int i = 1; i < argc; i += 2) {
        std::string_view const key = argv[i];
        std::string const value = argv[i + 1];
        if (key == "--url")
            a.url = value;
        else if (key == "--files")
            a.files = value;
        else if (key == "--file-count")
            a.file_count = std::stoull(value);
        else if (key == "--documents")
            a.documents = std::stoull(value);
        else if (key == "--size")
            a.size = std::stoull(value);
        else if (key == "--connections")
            a.connections = std::stoull(value);
        else if (key == "--processing")
            a.processing = std::chrono::milliseconds(std::stoll(value));
        else if (key == "--out")
            a.out = value;
        else if (key == "--ca")
            a.ca = value;
        else if (key == "--variant")
            a.variant = value;
        else if (key == "--rate")
            a.rate = std::stod(value);
        else
            throw std::invalid_argument("unknown option " + std::string(key));
    }
    if (a.url.empty() || a.files.empty() || a.out.empty())
        throw std::invalid_argument("--url, --files and --out are required");
    if (a.file_count == 0 || a.connections == 0)
        throw std::invalid_argument("--file-count and --connections must not be 0");
    return a;
}

/// What the service wants of every request, and where it is served.
inline constexpr std::string_view route = "/maas/user-bench/greennode/idp/v1/ocr/ingest";
inline constexpr std::string_view portal_user_id = "bench";
inline constexpr std::string_view api_key = "bench-key";

inline std::string file_path(client_arguments const& a, std::size_t document)
{
    std::string const number = std::to_string(document % a.file_count);
    return a.files + "/document-" + std::string(6 - number.size(), '0') + number + ".pdf";
}

} // namespace bench

#endif
