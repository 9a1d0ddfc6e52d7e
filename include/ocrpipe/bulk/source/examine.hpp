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

/// Removes "." components and doubled and trailing slashes. ".." is kept, because its meaning depends on
/// symbolic links.
OCRPIPE_DECL std::string clean_path(std::string_view path);

/// Joins `folder` and `name` and cleans the result; an absolute `name` is used alone.
OCRPIPE_DECL std::string join_path(std::string_view folder, std::string_view name);

/// Examines a path given by the user: returns an item with path, id and size, or the problem with it.
///
/// A name in another Unicode normalization form is found: the item then has the path on disk and the id as
/// given. `finder` caches the directories that it has searched.
OCRPIPE_DECL input examine_path(std::string path, std::string where, name_finder& finder);
OCRPIPE_DECL input examine_path(std::string path, std::string where);

/// The same, with a result of stat() that the caller already has.
OCRPIPE_DECL input examine_status(std::string path, std::string where, struct ::stat const& status);

/// Returns a problem with the errno message and, if the path looks as if it came from another operating
/// system, the likely cause.
OCRPIPE_DECL input_problem unreadable(std::string path, std::string where, int error_number);

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/examine.ipp>
#endif

#endif
