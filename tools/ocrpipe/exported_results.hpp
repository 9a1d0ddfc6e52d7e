#ifndef OCRPIPE_TOOLS_EXPORTED_RESULTS_HPP
#define OCRPIPE_TOOLS_EXPORTED_RESULTS_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/output/result_line.hpp>
#include <ocrpipe/bulk/output/results_reader.hpp>

#include "exit_code.hpp"
#include "logger.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace ocrpipe::cli
{

/// Sixteen bytes that stand for some words, such as an id: far fewer than the words when there are a million.
class word_key
{
public:
    word_key(std::initializer_list<std::string_view> words);
    bool operator==(word_key const&) const = default;

    struct hash {
        std::size_t operator()(word_key const& k) const noexcept { return static_cast<std::size_t>(k.high_); }
    };

private:
    std::uint64_t high_ = 0;
    std::uint64_t low_ = 0;
};

/// The results of a run as they are on the disk: for each document its last line.
class exported_results
{
public:
    /// Reads all lines once. Says which results files are not there, how many lines make no sense, and which
    /// documents have no result.
    ///
    /// Errors: errc::invalid_argument when no run was begun in the directory; errc::unreadable_file.
    static result<std::unique_ptr<exported_results>> open(std::string directory, logger& log);

    /// Shows the lines, in the order of the files; ends early when `visit` returns false. Lines that a run
    /// has written since are left out.
    ///
    /// Errors: errc::unreadable_file.
    result<void> for_each(std::function<bool(result_line const&)> const& visit);

    /// The next of these lines, for those who do not want to be called; nothing at the end.
    result<std::optional<result_line>> next();
    void rewind() { reader_.rewind(); }

    std::uint64_t count() const noexcept { return last_.size(); }

    /// documents_failed when results are missing, else all_done.
    exit_code code() const noexcept { return code_; }

    /// What the ledger knows of the document; nothing when there is no ledger.
    std::optional<ledger_row> row(std::string_view id);

    std::string const& directory() const noexcept { return directory_; }

private:
    exported_results(std::string directory, results_reader reader,
                     std::unique_ptr<boost::asio::io_context> ioc, std::shared_ptr<ledger> l)
        : directory_(std::move(directory))
        , reader_(std::move(reader))
        , ioc_(std::move(ioc))
        , ledger_(std::move(l))
    {
    }
    result<void> find_last_lines();
    void say_what_is_missing(logger& log);

    std::string directory_;
    results_reader reader_;
    std::unique_ptr<boost::asio::io_context> ioc_;
    std::shared_ptr<ledger> ledger_; ///< null when there is none; used for looking only
    std::unordered_map<word_key, result_location, word_key::hash> last_;
    std::uint64_t senseless_ = 0;
    exit_code code_ = exit_code::all_done;
};

} // namespace ocrpipe::cli

#endif
