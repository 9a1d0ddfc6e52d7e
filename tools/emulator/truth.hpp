#ifndef OCRPIPE_EMULATOR_TRUTH_HPP
#define OCRPIPE_EMULATOR_TRUTH_HPP

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe::emulator
{

/// What truly happened to one document: the bytes received under one file name.
struct truth_document {
    std::string sha256;    ///< of the file part's bytes, hexadecimal
    std::string file_name; ///< as the client sent it, decoded
    std::uint64_t size = 0;
    std::string doc_type;
    std::uint64_t submits = 0;  ///< complete, valid submits within the rate limit, accepted or not
    std::uint64_t accepted = 0; ///< how many of them became jobs: more than one is a document paid twice
    std::uint64_t acceptances_sent = 0;   ///< answers with a request_id that were written whole
    std::uint64_t polls = 0;              ///< result requests for any of its jobs
    std::uint64_t results_delivered = 0;  ///< answers with its finished result that were written whole
    std::vector<std::string> request_ids; ///< one for each acceptance
};

struct truth_snapshot {
    std::vector<truth_document> documents; ///< in the order of their first submit

    std::uint64_t accepted() const
    {
        std::uint64_t sum = 0;
        for (auto const& d : documents)
            sum += d.accepted;
        return sum;
    }

    /// How often the document that was accepted most often was accepted: 1 when nothing was paid twice.
    std::uint64_t most_accepted() const
    {
        std::uint64_t most = 0;
        for (auto const& d : documents)
            most = std::max(most, d.accepted);
        return most;
    }

    /// Null when no document has that file name.
    truth_document const* by_name(std::string_view file_name) const
    {
        for (auto const& d : documents)
            if (d.file_name == file_name) return &d;
        return nullptr;
    }
};

/// Appends what happens to a JSONL file, a line an event, flushed line by line so that a killed emulator has
/// told all it did.
///
/// Lines: `accepted` (time, ready_in_ms: with the synthetic engine the time from then until the result is
/// ready, sha256, file_name, size, flow, doc_type, file_type, request_id, attempt), `acceptance_sent` (time,
/// request_id), `poll` (time, request_id, verdict), `result_delivered` (time, request_id). Times are
/// milliseconds since 1970.
class truth_log
{
public:
    /// An empty path: nothing is written. Throws std::system_error when the file cannot be opened.
    explicit truth_log(std::string const& path);

    bool enabled() const noexcept { return file_ != nullptr; }

    /// `fields` alternates names and values; values are written as JSON strings.
    void write(std::string_view event,
               std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

private:
    struct closer {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, closer> file_;
};

} // namespace ocrpipe::emulator

#endif
