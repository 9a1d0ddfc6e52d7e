#ifndef OCRPIPE_API_IMPL_FILE_TYPE_IPP
#define OCRPIPE_API_IMPL_FILE_TYPE_IPP

#include <ocrpipe/api/file_type.hpp>

#include <array>

namespace ocrpipe
{
namespace detail
{

using namespace std::string_view_literals;

struct signature_row {
    std::string_view first_bytes;
    file_format format;
};
inline constexpr std::array file_signatures{
    signature_row{"\x89PNG\r\n\x1A\n"sv, file_format::png},
    signature_row{"\xFF\xD8\xFF"sv, file_format::jpeg},
    signature_row{"II*\0"sv, file_format::tiff},
    signature_row{"MM\0*"sv, file_format::tiff},
    signature_row{"II+\0"sv, file_format::tiff},
    signature_row{"MM\0+"sv, file_format::tiff},
};

struct format_row {
    file_format format;
    std::string_view mime;
    std::string_view extension;
    enum file_type type;
};
inline constexpr std::array file_formats{
    format_row{file_format::unknown, "application/octet-stream", ".bin", file_type::detect},
    format_row{file_format::pdf, "application/pdf", ".pdf", file_type::pdf},
    format_row{file_format::png, "image/png", ".png", file_type::image},
    format_row{file_format::jpeg, "image/jpeg", ".jpg", file_type::image},
    format_row{file_format::tiff, "image/tiff", ".tiff", file_type::image},
};

constexpr format_row const& row_of(file_format f) noexcept
{
    return file_formats[static_cast<std::size_t>(f)];
}
static_assert(row_of(file_format::tiff).format == file_format::tiff,
              "file_formats must be in the order of the enumeration");

} // namespace detail

OCRPIPE_DECL file_format detect_format(std::string_view first_bytes) noexcept
{
    for (auto const& row : detail::file_signatures)
        if (first_bytes.starts_with(row.first_bytes)) return row.format;
    bool const pdf = first_bytes.substr(0, format_probe_size).find("%PDF-") != std::string_view::npos;
    return pdf ? file_format::pdf : file_format::unknown;
}

OCRPIPE_DECL std::string_view mime(file_format f) noexcept { return detail::row_of(f).mime; }

OCRPIPE_DECL std::string_view extension(file_format f) noexcept { return detail::row_of(f).extension; }

OCRPIPE_DECL enum file_type service_type(file_format f) noexcept { return detail::row_of(f).type; }

OCRPIPE_DECL std::string_view wire_word(enum file_type t) noexcept
{
    switch (t) {
    case file_type::pdf:
        return "PDF";
    case file_type::image:
        return "IMAGE";
    case file_type::detect:
        break;
    }
    return {};
}

} // namespace ocrpipe

#endif
