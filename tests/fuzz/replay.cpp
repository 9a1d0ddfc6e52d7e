// Runs one target on every file of its corpus: fuzz_replay TARGET FOLDER. Fails if the corpus is missing or
// empty.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

extern "C" {
int fuzz_answer(std::uint8_t const*, std::size_t);
int fuzz_strange(std::uint8_t const*, std::size_t);
int fuzz_json(std::uint8_t const*, std::size_t);
int fuzz_multipart(std::uint8_t const*, std::size_t);
int fuzz_retry_after(std::uint8_t const*, std::size_t);
int fuzz_manifest(std::uint8_t const*, std::size_t);
int fuzz_profile(std::uint8_t const*, std::size_t);
int fuzz_redirect(std::uint8_t const*, std::size_t);
int fuzz_http_answer(std::uint8_t const*, std::size_t);
int fuzz_http_exchange(std::uint8_t const*, std::size_t);
}

namespace
{

struct target {
    std::string_view name;
    int (*run)(std::uint8_t const*, std::size_t);
};
constexpr target targets[] = {
    {"answer", fuzz_answer},
    {"strange", fuzz_strange},
    {"json", fuzz_json},
    {"multipart", fuzz_multipart},
    {"retry_after", fuzz_retry_after},
    {"manifest", fuzz_manifest},
    {"profile", fuzz_profile},
    {"redirect", fuzz_redirect},
    {"http_answer", fuzz_http_answer},
    {"http_exchange", fuzz_http_exchange},
};

} // namespace

int main(int argc, char** argv)
{
    auto const* const found = argc != 3 ? std::end(targets)
                                        : std::find_if(std::begin(targets), std::end(targets),
                                                       [&](target const& t) { return t.name == argv[1]; });
    if (found == std::end(targets)) {
        std::fputs("usage: fuzz_replay TARGET FOLDER, with one of the targets beside this file\n", stderr);
        return 2;
    }
    std::vector<std::filesystem::path> files;
    std::error_code ec;
    for (auto const& entry : std::filesystem::directory_iterator(argv[2], ec))
        if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    if (files.empty()) {
        std::fprintf(stderr, "%s holds no inputs\n", argv[2]);
        return 1;
    }
    for (auto const& file : files) {
        std::ifstream in(file, std::ios::binary);
        std::vector<char> const bytes((std::istreambuf_iterator<char>(in)), {});
        if (!in) {
            std::fprintf(stderr, "%s cannot be read\n", file.c_str());
            return 1;
        }
        // Printed first, because a violation aborts the program.
        std::printf("%s\n", file.filename().c_str());
        std::fflush(stdout);
        // A copy of exactly the size, so that a sanitizer sees a read beyond it.
        found->run(reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size());
    }
    std::printf("%zu inputs\n", files.size());
    return 0;
}
