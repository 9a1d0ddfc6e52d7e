#ifndef OCRPIPE_API_IMPL_RESULT_PART_IPP
#define OCRPIPE_API_IMPL_RESULT_PART_IPP

#include <ocrpipe/api/result_part.hpp>

#include <utility>

namespace ocrpipe
{

OCRPIPE_DECL result_parts parts_of(ocr_result const& answer, std::span<std::string const> file_ids,
                                   std::span<operation const> kinds, response_profile const& profile)
{
    result_parts found;
    for (operation const kind : kinds) {
        auto const add = [&](std::size_t number, std::string id) {
            if (id.empty())
                ++found.without_id;
            else
                found.parts.push_back({kind, number, std::move(id)});
        };
        if (kind != operation::image) {
            answer.for_each_document_id(add, profile);
            continue;
        }
        if (file_ids.empty()) add(1, {});
        for (std::size_t i = 0; i != file_ids.size(); ++i)
            add(i + 1, file_ids[i]);
    }
    return found;
}

} // namespace ocrpipe

#endif
