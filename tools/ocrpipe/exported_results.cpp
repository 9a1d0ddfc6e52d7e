#include "exported_results.hpp"

#include <ocrpipe/bulk/output/results_writer.hpp>
#include <ocrpipe/core/sha256.hpp>

#include "run_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace ocrpipe::cli
{

word_key::word_key(std::initializer_list<std::string_view> words)
{
    sha256_stream hash;
    for (std::string_view const w : words) {
        hash.update(fmt::format("{}:", w.size()));
        hash.update(w);
    }
    std::string const hex = hash.hex();
    std::from_chars(hex.data(), hex.data() + 16, high_, 16);
    std::from_chars(hex.data() + 16, hex.data() + 32, low_, 16);
}

result<std::unique_ptr<exported_results>> exported_results::open(std::string directory, logger& log)
{
    result<results_reader> reader = results_reader::open(directory);
    bool const has_results = reader && !reader->files().empty();
    auto ioc = std::make_unique<boost::asio::io_context>();
    // Results can be exported without their ledger.
    result<std::shared_ptr<ledger>> l = open_run_ledger(*ioc, directory, ledger_use::look);
    if (!l && !(has_results && l.error().is(errc::invalid_argument))) return l.error();
    if (!reader) return reader.error();
    std::unique_ptr<exported_results> r(new exported_results(std::move(directory), std::move(*reader),
                                                             std::move(ioc), l ? std::move(*l) : nullptr));
    if (result<void> found = r->find_last_lines(); !found) return found.error();
    r->say_what_is_missing(log);
    return r;
}

result<void> exported_results::find_last_lines()
{
    for (;;) {
        result<bool> const more = reader_.next();
        if (!more) return more.error();
        if (!*more) break;
        if (std::optional<result_line> const line = read_result_line(reader_.line()))
            last_.insert_or_assign(word_key({line->id}), reader_.where());
        else
            ++senseless_;
    }
    reader_.rewind();
    return {};
}

void exported_results::say_what_is_missing(logger& log)
{
    auto const warn = [&](std::string_view event, std::string text) {
        code_ = exit_code::documents_failed;
        log.write(message(level::warn, event, std::move(text)));
    };
    std::uint64_t last_file = reader_.files().empty() ? 0 : reader_.files().back();
    std::optional<document_counts> counts;
    if (ledger_) {
        if (auto const last = ledger_->last_result_location(); last && *last)
            last_file = std::max(last_file, (**last).file);
        if (auto counted = ledger_->counts()) counts = std::move(*counted);
    }
    if (senseless_ > 0)
        warn("senseless_lines",
             fmt::format(
                 "{} lines of results-*.jsonl in {} are not results and are left out: restore the files",
                 senseless_, directory_));
    if (std::string const gone = missing_results_files(reader_.files(), last_file); !gone.empty())
        warn("results_moved_away",
             fmt::format(
                 "{} is not in {}: its results are left out; restore it, then run the same command again",
                 gone, directory_));
    if (!counts) return;
    std::uint64_t const without =
        counts->total() - (*counts)[document_state::done] - (*counts)[document_state::skipped];
    if (without > 0)
        log.write(message(level::info, "without_result",
                          fmt::format("{} of {} documents have no result: see ocrpipe status {}", without,
                                      counts->total(), directory_)));
}

result<std::optional<result_line>> exported_results::next()
{
    for (;;) {
        result<bool> const more = reader_.next();
        if (!more) return more.error();
        if (!*more) return std::optional<result_line>();
        std::optional<result_line> line = read_result_line(reader_.line());
        if (!line) continue;
        auto const last = last_.find(word_key({line->id}));
        if (last != last_.end() && last->second == reader_.where()) return line;
    }
}

result<void> exported_results::for_each(std::function<bool(result_line const&)> const& visit)
{
    rewind();
    for (;;) {
        result<std::optional<result_line>> line = next();
        if (!line) return line.error();
        if (!*line || !visit(**line)) return {};
    }
}

std::optional<ledger_row> exported_results::row(std::string_view id)
{
    if (!ledger_) return std::nullopt;
    result<std::optional<ledger_row>> found = ledger_->find(id);
    return found ? std::move(*found) : std::nullopt;
}

} // namespace ocrpipe::cli
