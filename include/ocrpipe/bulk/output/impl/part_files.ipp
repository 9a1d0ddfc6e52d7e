#ifndef OCRPIPE_BULK_OUTPUT_IMPL_PART_FILES_IPP
#define OCRPIPE_BULK_OUTPUT_IMPL_PART_FILES_IPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/output/output_failure.hpp>
#include <ocrpipe/bulk/output/part_files.hpp>
#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/core/sha256.hpp>
#include <ocrpipe/core/unique_fd.hpp>
#include <ocrpipe/core/utf8.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <sys/stat.h>

namespace ocrpipe
{
namespace detail
{

/// The code point of a valid UTF-8 sequence.
inline char32_t code_point(std::string_view sequence) noexcept
{
    auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
    if (sequence.size() == 1) return byte(0);
    char32_t c = byte(0) & (0x7Fu >> sequence.size());
    for (std::size_t i = 1; i != sequence.size(); ++i)
        c = c << 6 | (byte(i) & 0x3Fu);
    return c;
}

struct code_points {
    char32_t first, last;
};

/// Characters that are invisible in a file name or reorder it: controls, line and paragraph separators, and
/// Unicode's format characters, default ignorables and noncharacters (15.1, DerivedCoreProperties.txt and
/// UnicodeData.txt).
inline constexpr std::array unseen{
    code_points{0x00, 0x1F},       code_points{0x7F, 0x9F},       code_points{0xAD, 0xAD},
    code_points{0x34F, 0x34F},     code_points{0x600, 0x605},     code_points{0x61C, 0x61C},
    code_points{0x6DD, 0x6DD},     code_points{0x70F, 0x70F},     code_points{0x890, 0x891},
    code_points{0x8E2, 0x8E2},     code_points{0x115F, 0x1160},   code_points{0x17B4, 0x17B5},
    code_points{0x180B, 0x180F},   code_points{0x200B, 0x200F},   code_points{0x2028, 0x202E},
    code_points{0x2060, 0x206F},   code_points{0x3164, 0x3164},   code_points{0xFDD0, 0xFDEF},
    code_points{0xFE00, 0xFE0F},   code_points{0xFEFF, 0xFEFF},   code_points{0xFFA0, 0xFFA0},
    code_points{0xFFF0, 0xFFFB},   code_points{0xFFFE, 0xFFFF},   code_points{0x110BD, 0x110BD},
    code_points{0x110CD, 0x110CD}, code_points{0x13430, 0x1343F}, code_points{0x1BCA0, 0x1BCA3},
    code_points{0x1D173, 0x1D17A}, code_points{0xE0000, 0xE0FFF},
};

inline bool may_be_in_a_name(char32_t c) noexcept
{
    // Not allowed in file names on other systems; replaced so that the files can be copied there.
    if (c < 0x80 && std::string_view("/\\:*?\"<>|").find(static_cast<char>(c)) != std::string_view::npos)
        return false;
    if ((c & 0xFFFE) == 0xFFFE) return false;
    auto const after = std::upper_bound(unseen.begin(), unseen.end(), c,
                                        [](char32_t x, code_points const& r) { return x < r.first; });
    return after == unseen.begin() || std::prev(after)->last < c;
}

/// Maximum length of a label, in bytes: with the digits, ".answer" and the suffix of a temporary file, the
/// name has at most 255 bytes.
inline constexpr std::size_t longest_label =
    255 - std::string_view("-0123456789ab.answer").size() - std::string_view("..tmp").size();

inline std::string label_of(std::string_view id)
{
    std::string_view last = id.substr(id.find_last_of('/') + 1); // npos + 1 is 0
    if (last.size() > longest_label) {
        last.remove_prefix(last.size() - longest_label);
        // Do not cut inside a character: skip up to three continuation bytes.
        for (int i = 0; i != 3 && (static_cast<unsigned char>(last.front()) & 0xC0) == 0x80; ++i)
            last.remove_prefix(1);
    }
    std::string label;
    label.reserve(last.size() + 13);
    while (!last.empty()) {
        std::size_t const n = utf8_sequence_length(last);
        std::string_view const character = last.substr(0, std::max<std::size_t>(n, 1));
        if (n != 0 && may_be_in_a_name(code_point(character)))
            label += character;
        else
            label += '_';
        last.remove_prefix(character.size());
    }
    // Would be a hidden file, or be taken for an option on a command line.
    if (label.starts_with('.') || label.starts_with('-')) label.front() = '_';
    if (label.empty()) label = "_";
    (label += '-') += to_hex(sha256(id)).substr(0, 12);
    return label;
}

} // namespace detail

OCRPIPE_DECL result<std::string> part_files::put(std::string const& folder, std::string const& name,
                                                 std::string_view bytes) const
{
    // One folder per document inside one common folder; both are created if missing.
    for (std::size_t end = 0; end != std::string::npos;) {
        end = folder.find('/', end + 1);
        std::string path = folder_ + "/" + folder.substr(0, end);
        if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
            return detail::output_failure(errno_code(), std::move(path));
    }
    std::string file = folder + "/" + name;
    if (error_code const ec =
            detail::write_file_atomically(folder_ + "/" + folder, name, bytes, detail::durability::process))
        return detail::output_failure(ec, std::move(file));
    return file;
}

OCRPIPE_DECL result<std::string> part_files::write(std::string_view id, operation kind, std::size_t index,
                                                   std::string_view bytes) const
{
    std::string_view const ending =
        kind == operation::image ? extension(detect_format(bytes)) : std::string_view(".json");
    return put(below_ + "/" + detail::label_of(id), fmt::format("{}-{}{}", name(kind), index, ending), bytes);
}

OCRPIPE_DECL result<std::string> part_files::write_text(std::string_view id, std::string_view text) const
{
    return put(below_, detail::label_of(id) + ".txt", text);
}

OCRPIPE_DECL result<std::string> part_files::write_answer(std::string_view id, std::string_view bytes) const
{
    return put(below_, detail::label_of(id) + ".answer", bytes);
}

} // namespace ocrpipe

#endif
