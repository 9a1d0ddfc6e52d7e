#ifndef OCRPIPE_API_IMPL_MULTIPART_IPP
#define OCRPIPE_API_IMPL_MULTIPART_IPP

#include <ocrpipe/api/multipart.hpp>
#include <ocrpipe/core/percent.hpp>
#include <ocrpipe/core/utf8.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace ocrpipe
{
namespace detail
{

inline std::uint64_t splitmix64(std::uint64_t& state) noexcept
{
    std::uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

inline std::string next_boundary(std::uint64_t& state)
{
    constexpr std::string_view prefix = "ocrpipe-";
    std::string boundary(prefix.size() + 32, '\0');
    char* out = std::copy(prefix.begin(), prefix.end(), boundary.data());
    for (int half = 0; half != 2; ++half) {
        std::uint64_t bits = splitmix64(state);
        for (int digit = 0; digit != 16; ++digit, bits <<= 4)
            *out++ = "0123456789abcdef"[bits >> 60];
    }
    return boundary;
}

inline void append_all(std::string& out, std::initializer_list<std::string_view> pieces)
{
    for (std::string_view const piece : pieces)
        out.append(piece);
}

/// `name` must be the result of escape_form_name().
inline void append_field(std::string& out, std::string_view boundary, std::string_view name,
                         std::string_view value)
{
    append_all(out, {"--", boundary, "\r\nContent-Disposition: form-data; name=\"", name, "\"\r\n\r\n", value,
                     "\r\n"});
}

/// Whether an ASCII character needs no escape in a form name.
constexpr bool is_plain_in_form_name(char c) noexcept
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

} // namespace detail

OCRPIPE_DECL std::string escape_form_name(std::string_view name)
{
    if (std::all_of(name.begin(), name.end(), detail::is_plain_in_form_name)) return std::string(name);
    std::string out;
    std::size_t plain = 0; // leading bytes of `name` that need no escape
    while (plain != name.size()) {
        std::size_t const n = detail::utf8_sequence_length(name.substr(plain));
        if (n > 1 || detail::is_plain_in_form_name(name[plain])) {
            plain += n;
            continue;
        }
        detail::append_percent_encoded(out += name.substr(0, plain), name[plain]);
        name.remove_prefix(plain + 1);
        plain = 0;
    }
    out += name;
    return out;
}

OCRPIPE_DECL result<multipart_body>
multipart_body::make(submit_request const& request,
                     std::vector<std::pair<std::string, std::string>> const& extra_fields,
                     std::uint64_t boundary_seed)
{
    if (request.flow.empty())
        return failure(errc::invalid_argument, phase::prepare, "flow: empty: give \"single\" or a flow id");
    if (request.flow == "single" && request.doc_type.empty())
        return failure(errc::invalid_argument, phase::prepare, "doc_type: required when flow is \"single\"");

    result<document_reader> reader = document_reader::open(request.doc);
    if (!reader) return std::move(reader).error();
    std::array<char, format_probe_size> first;
    error_code ec;
    std::size_t const got = reader->read(first, ec);
    auto const failed = [&doc = request.doc](errc e) {
        return failure(e, phase::prepare, printable_excerpt(doc.is_file() ? doc.path() : doc.name(), 1024));
    };
    if (ec) return failed(static_cast<errc>(ec.value()));
    reader->rewind();

    file_format const format = detect_format({first.data(), got});
    enum file_type const type = request.type != file_type::detect ? request.type : service_type(format);
    if (type == file_type::detect) return failed(errc::unsupported_file_type);

    std::string file_name = escape_form_name(request.doc.name());
    if (file_name.empty()) file_name = fmt::format("document{}", extension(format));

    multipart_body body(std::move(*reader));
    do {
        body.boundary_ = detail::next_boundary(boundary_seed);
    } while (std::any_of(
                 extra_fields.begin(), extra_fields.end(),
                 [&](auto const& field) { return field.second.find(body.boundary_) != std::string::npos; }) ||
             request.flow.find(body.boundary_) != std::string::npos ||
             request.doc_type.find(body.boundary_) != std::string::npos);

    body.head_.reserve(512);
    detail::append_field(body.head_, body.boundary_, "flow", request.flow);
    if (!request.doc_type.empty())
        detail::append_field(body.head_, body.boundary_, "doc_type", request.doc_type);
    detail::append_field(body.head_, body.boundary_, "file_type", wire_word(type));
    for (auto const& [name, value] : extra_fields)
        detail::append_field(body.head_, body.boundary_, escape_form_name(name), value);
    detail::append_all(body.head_, {"--", body.boundary_,
                                    "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"",
                                    file_name, "\"\r\nContent-Type: ", mime(format), "\r\n\r\n"});
    body.tail_.reserve(body.boundary_.size() + 8);
    detail::append_all(body.tail_, {"\r\n--", body.boundary_, "--\r\n"});
    return body;
}

OCRPIPE_DECL std::size_t multipart_body::read(std::span<char> out, error_code& ec)
{
    ec = {};
    std::size_t filled = 0;
    std::uint64_t const tail_at = head_.size() + document_.size();
    while (filled != out.size() && position_ != size()) {
        std::span<char> const rest = out.subspan(filled);
        std::size_t n = 0;
        if (position_ < head_.size()) {
            n = head_.copy(rest.data(), rest.size(), static_cast<std::size_t>(position_));
        } else if (position_ < tail_at) {
            n = document_.read(rest, ec);
            if (!ec && n == 0) ec = make_error_code(errc::file_changed);
            if (ec) return 0;
        } else {
            n = tail_.copy(rest.data(), rest.size(), static_cast<std::size_t>(position_ - tail_at));
        }
        filled += n;
        position_ += n;
    }
    return filled;
}

/// Yields what is at hand first, then what the source has, then the rest of the body. So the body is not
/// complete before the source has shown that it ended where it promised to.
OCRPIPE_DECL task<std::size_t> multipart_body::fetch(std::span<char> out, error_code& ec)
{
    std::uint64_t const held_until = head_.size() + document_.at_hand();
    std::uint64_t const tail_at = head_.size() + document_.size();
    if (position_ >= held_until && position_ < tail_at) {
        std::size_t const n = co_await document_.fetch(out, ec);
        position_ += n;
        co_return n;
    }
    std::uint64_t const left = (position_ < held_until ? held_until : size()) - position_;
    co_return read(out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left))), ec);
}

OCRPIPE_DECL void multipart_body::rewind()
{
    document_.rewind();
    position_ = 0;
}

} // namespace ocrpipe

#endif
