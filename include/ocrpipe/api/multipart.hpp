#ifndef OCRPIPE_API_MULTIPART_HPP
#define OCRPIPE_API_MULTIPART_HPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// The multipart body of a submit: the form fields are held in memory, the document is streamed.
///
/// Field order: flow, doc_type unless it is empty, file_type, the extra fields, file.
/// Source: OCR API Usage Guide, "Submit OCR"; RFC 7578; the WHATWG rules for multipart/form-data.
class multipart_body final : public body_source
{
public:
    /// Opens the document, and detects its file_type if the request does not specify one.
    ///
    /// `boundary_seed` determines the boundary; use different seeds for bodies sent at the same time. A
    /// boundary that occurs in a field is skipped; the probability that it occurs in the document is 2^-128
    /// per position.
    /// Errors: errc::invalid_argument naming flow or doc_type; errc::unsupported_file_type if the type must
    /// be detected and the first bytes match no known format; those of document_reader::open(). A type given
    /// in the request is not checked against the bytes.
    static result<multipart_body> make(submit_request const& request,
                                       std::vector<std::pair<std::string, std::string>> const& extra_fields,
                                       std::uint64_t boundary_seed);

    /// "multipart/form-data; boundary=…".
    std::string content_type() const { return "multipart/form-data; boundary=" + boundary_; }

    std::uint64_t size() const noexcept override { return head_.size() + document_.size() + tail_.size(); }

    /// Errors: those of document_reader::read(); errc::file_changed if the file grew or shrank since make().
    std::size_t read(std::span<char> out, error_code& ec) override;
    void rewind() override;

    // Of a document from chunks.
    bool is_streamed() const noexcept override { return document_.is_streamed(); }
    task<std::size_t> fetch(std::span<char> out, error_code& ec) override;
    bool can_rewind() const noexcept override { return document_.can_rewind(); }
    std::string why() const override { return document_.why(); }

private:
    explicit multipart_body(document_reader document) : document_(std::move(document)) {}

    document_reader document_;
    std::string boundary_;
    std::string head_;
    std::string tail_;
    std::uint64_t position_ = 0;
};

/// Escapes the name of a field or file for a quoted string in Content-Disposition.
///
/// Quote, CR and LF become %22, %0D and %0A, as in browsers. Other control characters, invalid UTF-8 bytes,
/// and the backslash (which some servers treat as an escape) become %XX too. All other valid UTF-8 is sent
/// unchanged, including %. Source: WHATWG HTML, "multipart/form-data encoding algorithm".
OCRPIPE_DECL std::string escape_form_name(std::string_view name);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/multipart.ipp>
#endif

#endif
