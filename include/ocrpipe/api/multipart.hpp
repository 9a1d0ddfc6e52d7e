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

/// The body of a submit: the form's fields in memory, the document streamed between them, never held whole.
///
/// Field order: flow, doc_type unless it is empty, file_type, the extra fields, file.
/// Source: OCR API Usage Guide, "Submit OCR"; RFC 7578; the WHATWG rules for multipart/form-data.
class multipart_body final : public body_source
{
public:
    /// Opens the document and finds its file_type when the request does not give one.
    ///
    /// `boundary_seed` makes the boundary; two bodies under way at once should differ in it. A boundary that
    /// occurs in a field is passed over; in the document it occurs with a chance of 2^-128 a position.
    /// Errors: errc::invalid_argument naming flow or doc_type; errc::unsupported_file_type when the type is
    /// to be found and the first bytes are
    ///   none of the known formats; those of document_reader::open(). A type that was given is believed,
    ///   whatever the bytes say.
    static result<multipart_body> make(submit_request const& request,
                                       std::vector<std::pair<std::string, std::string>> const& extra_fields,
                                       std::uint64_t boundary_seed);

    /// "multipart/form-data; boundary=…".
    std::string content_type() const { return "multipart/form-data; boundary=" + boundary_; }

    std::uint64_t size() const noexcept override { return head_.size() + document_.size() + tail_.size(); }

    /// Errors: those of document_reader::read(); errc::file_changed when the file grew or shrank since
    /// make().
    std::size_t read(std::span<char> out, error_code& ec) override;
    void rewind() override;

private:
    explicit multipart_body(document_reader document) : document_(std::move(document)) {}

    document_reader document_;
    std::string boundary_;
    std::string head_;
    std::string tail_;
    std::uint64_t position_ = 0;
};

/// A name of a field or file as it stands between quotes in a Content-Disposition.
///
/// Quote, CR and LF become %22, %0D and %0A as browsers do it; other control characters, bytes that are not
/// UTF-8, and the backslash (which some servers take for the beginning of an escape) become %XX too. Valid
/// UTF-8 is sent as it is, % included. Source: WHATWG HTML, "multipart/form-data encoding algorithm".
OCRPIPE_DECL std::string escape_form_name(std::string_view name);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/multipart.ipp>
#endif

#endif
