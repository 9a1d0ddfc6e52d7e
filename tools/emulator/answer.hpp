#ifndef OCRPIPE_EMULATOR_ANSWER_HPP
#define OCRPIPE_EMULATOR_ANSWER_HPP

#include "emulator/recognition.hpp"
#include "emulator/shape.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::emulator
{

/// Gives jobs their ids and finds jobs by them without keeping a table.
///
/// An id holds the job's index and a check made of `nonce`, so that an id of an earlier life of the emulator
/// is unknown to this one.
class id_codec
{
public:
    id_codec(response_shape::id_style style, std::uint64_t nonce) : style_(style), nonce_(nonce) {}

    std::string request_id(std::uint32_t job) const { return make('r', job, 0); }
    std::string document_id(std::uint32_t job, std::uint32_t n) const { return make('d', job, n); }
    std::string file_id(std::uint32_t job, std::uint32_t n) const { return make('f', job, n); }

    /// The job of a request id as it stood in the path, percent-decoded. Its index may lie beyond the jobs
    /// there are.
    std::optional<std::uint32_t> job_of(std::string_view request_id) const;

private:
    std::string make(char what, std::uint32_t job, std::uint32_t n) const;

    response_shape::id_style style_;
    std::uint64_t nonce_;
};

/// One document of a finished result.
struct answered_document {
    std::string_view status;
    std::vector<recognized_page> const* pages = nullptr; ///< null: no content, as `ocr_data: null`
};

/// Writes the service's JSON in one shape. Pure.
class answer_writer
{
public:
    answer_writer(response_shape shape, std::uint64_t nonce)
        : shape_(std::move(shape)), ids_(shape_.ids, nonce)
    {
    }

    response_shape const& shape() const noexcept { return shape_; }
    id_codec const& ids() const noexcept { return ids_; }

    std::string submitted(std::uint32_t job) const;
    std::string without_request_id() const;

    /// A result of `documents.size()` finished documents out of `total`; `status` may be empty, `message`
    /// too.
    std::string result(std::uint32_t job, std::string_view doc_type, std::string_view status,
                       std::size_t total, std::vector<answered_document> const& documents,
                       std::string_view message = {}) const;

    /// What a job answers while it is not finished.
    std::string pending(std::uint32_t job, std::string_view doc_type, std::size_t total,
                        std::vector<answered_document> const& documents) const;

    /// A status word and nothing that tells what it means.
    std::string unknown_status(std::string_view word) const;

    /// Table, signature and stamp. Assumed: no public sample shows them.
    std::string part(std::string_view kind, std::uint32_t job, std::uint32_t document,
                     recognized_page const& page) const;

    /// Assumed: what the service writes beside a status that is not 2xx.
    static std::string error(int code, std::string_view message);

private:
    void append_id(std::string& out, std::string_view id) const;
    void append_document(std::string& out, std::uint32_t job, std::uint32_t n, std::string_view doc_type,
                         answered_document const& document) const;
    void append_field(std::string& out, std::string_view name, std::size_t page,
                      std::vector<recognized_text> const& values) const;

    response_shape shape_;
    id_codec ids_;
};

} // namespace ocrpipe::emulator

#endif
