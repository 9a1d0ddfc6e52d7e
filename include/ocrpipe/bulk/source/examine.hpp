#ifndef OCRPIPE_BULK_SOURCE_EXAMINE_HPP
#define OCRPIPE_BULK_SOURCE_EXAMINE_HPP

#include <ocrpipe/bulk/source/input.hpp>
#include <ocrpipe/bulk/source/name_finder.hpp>
#include <ocrpipe/core/config.hpp>

#include <string>
#include <string_view>

struct stat;

namespace ocrpipe
{
namespace detail
{

/// A path without "." parts, doubled and trailing slashes. ".." stays: what it means depends on symbolic
/// links.
OCRPIPE_DECL std::string clean_path(std::string_view path);

/// `name` below `folder`, cleaned; `name` alone when it is absolute.
OCRPIPE_DECL std::string join_path(std::string_view folder, std::string_view name);

/// What the file system says about a path that somebody named: an item with path, id and size, or why it is
/// none.
///
/// A name in another Unicode normalization form is found: the item's path is then the one on the disk, and
/// its id the one that was given. `finder` remembers the directories that it looked through.
OCRPIPE_DECL input examine_path(std::string path, std::string where, name_finder& finder);
OCRPIPE_DECL input examine_path(std::string path, std::string where);

/// The same when the answer of stat is there already.
OCRPIPE_DECL input examine_status(std::string path, std::string where, struct ::stat const& status);

/// A problem with a path, with what errno says, and with what may be the cause when the path looks like one
/// from another system.
OCRPIPE_DECL input_problem unreadable(std::string path, std::string where, int error_number);

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/examine.ipp>
#endif

#endif
