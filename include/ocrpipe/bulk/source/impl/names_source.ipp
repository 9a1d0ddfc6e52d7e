#ifndef OCRPIPE_BULK_SOURCE_IMPL_NAMES_SOURCE_IPP
#define OCRPIPE_BULK_SOURCE_IMPL_NAMES_SOURCE_IPP

#include <ocrpipe/bulk/source/examine.hpp>
#include <ocrpipe/bulk/source/names_source.hpp>

#include <fmt/format.h>

namespace ocrpipe
{

OCRPIPE_DECL std::optional<input> names_source::next()
{
    using outcome = detail::record_reader::outcome;
    for (;;) {
        std::string_view name;
        outcome const o = names_.next(name);
        if (o == outcome::end) return std::nullopt;
        std::string where = fmt::format("{}:{}", label_, names_.number());
        if (o == outcome::failed)
            return input_problem{{}, std::move(where), errc::unreadable_file, names_.error().message()};
        if (o == outcome::too_long)
            return input_problem{
                {}, std::move(where), errc::invalid_argument, "the name is longer than 1 MiB"};
        if (name.empty()) continue;
        if (name.find('\0') != std::string_view::npos)
            return input_problem{{},
                                 std::move(where),
                                 errc::invalid_argument,
                                 "the name contains a NUL byte: names that end with NUL need -0, and UTF-16 "
                                 "needs a byte order mark"};
        return detail::examine_path(detail::clean_path(name), std::move(where), finder_);
    }
}

} // namespace ocrpipe

#endif
