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

/// A sixteen-byte hash of some strings, such as an id: saves memory when there are a million.
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

/// The results of a run as stored on disk: the last line of each document.
class exported_results
{
public:
    /// Reads all lines once. Reports missing results files, the number of invalid lines, and documents
    /// without a result.
    ///
    /// Errors: errc::invalid_argument if no run was started in the directory; errc::unreadable_file.
    static result<std::unique_ptr<exported_results>> open(std::string directory, logger& log);

    /// Passes the lines to `visit` in file order; stops early if it returns false. Lines written since the
    /// first pass are skipped.
    ///
    /// Errors: errc::unreadable_file.
    result<void> for_each(std::function<bool(result_line const&)> const& visit);

    /// Returns the next of these lines, as an alternative to the callback; nothing at the end.
    result<std::optional<result_line>> next();
    void rewind() { reader_.rewind(); }

    std::uint64_t count() const noexcept { return last_.size(); }

    /// documents_failed if results are missing, else all_done.
    exit_code code() const noexcept { return code_; }

    /// Returns the document's ledger row; nothing if there is no ledger.
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
    std::shared_ptr<ledger> ledger_; ///< null if there is none; used read-only
    std::unordered_map<word_key, result_location, word_key::hash> last_;
    std::uint64_t senseless_ = 0;
    exit_code code_ = exit_code::all_done;
};

} // namespace ocrpipe::cli

#endif
