#ifndef OCRPIPE_BULK_SOURCE_DETAIL_MANIFEST_ROWS_HPP
#define OCRPIPE_BULK_SOURCE_DETAIL_MANIFEST_ROWS_HPP

#include <ocrpipe/bulk/source/detail/manifest_columns.hpp>
#include <ocrpipe/bulk/source/input_window.hpp>
#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boost::json
{
class object;
}

namespace ocrpipe
{
namespace detail
{

/// The values of a row by key; empty if absent.
struct manifest_row {
    std::array<std::string, manifest_key_names.size()> values;
    std::string& operator[](manifest_key k) noexcept { return values[static_cast<std::size_t>(k)]; }
};

/// Reads the raw rows of a manifest in one format.
class manifest_rows
{
public:
    virtual ~manifest_rows() = default;

    /// Reads the next row; returns false at the end. If the row cannot be read, sets `wrong`; `line` is set
    /// to the line where it begins. No rows follow after a manifest was rejected.
    virtual bool next(manifest_row& row, std::size_t& line, std::string& wrong) = 0;

    /// Lists the unknown columns or keys; empty if there are none. For CSV the list is complete after the
    /// first row, for JSONL at the end.
    virtual std::string ignored() const = 0;

    std::uint64_t bytes = 0;                   ///< size of the rows so far; JSONL only
    errc error_class = errc::invalid_argument; ///< unreadable_file if the manifest itself cannot be read
    /// The error reported by next() is a name that resembles a known one.
    bool has_misnamed_column = false;
};

class jsonl_rows final : public manifest_rows
{
public:
    explicit jsonl_rows(unique_fd fd) noexcept : lines_(std::move(fd)) {}

    bool next(manifest_row& row, std::size_t& line, std::string& wrong) override;
    std::string ignored() const override { return ignored_.summary("keys", rows_); }

private:
    std::string read(std::string_view text, manifest_row& row);
    std::string check_keys(boost::json::object const& object);

    record_reader lines_;
    bool begun_ = false;
    bool refused_ = false;
    std::uint64_t rows_ = 0;
    ignored_columns ignored_;
    std::map<std::string, std::optional<manifest_key>, std::less<>> resembles_;
};

class csv_rows final : public manifest_rows
{
public:
    /// `preferred` is the separator if the header is ambiguous.
    csv_rows(unique_fd fd, char preferred) noexcept
        : window_(std::move(fd), input_encoding::marked), separator_(preferred)
    {
    }

    bool next(manifest_row& row, std::size_t& line, std::string& wrong) override;
    std::string ignored() const override { return ignored_.summary("columns", 0); }

private:
    static constexpr std::size_t unknown = manifest_key_names.size();

    std::string read_header(std::size_t& line);
    void read_separator_line();
    void choose_separator();
    std::string map_columns();
    std::string describe_missing_path() const;
    bool read_record(std::size_t& line, std::string& wrong);
    void skip_line();

    input_window window_;
    char separator_;
    std::size_t line_ = 1; ///< at the window's beginning
    bool given_up_ = false;
    std::vector<std::size_t> columns_; ///< the manifest_key of each column, or unknown
    std::vector<std::string> fields_;
    ignored_columns ignored_;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/manifest_rows.ipp>
#endif

#endif
