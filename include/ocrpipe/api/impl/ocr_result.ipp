#ifndef OCRPIPE_API_IMPL_OCR_RESULT_IPP
#define OCRPIPE_API_IMPL_OCR_RESULT_IPP

#include <ocrpipe/api/impl/answer_form.hpp>
#include <ocrpipe/api/ocr_result.hpp>

namespace ocrpipe
{

OCRPIPE_DECL std::vector<ocr_document> ocr_result::documents(response_profile const& profile) const
{
    auto const tree = detail::answer_tree::read(raw_);
    if (!tree) return {};
    return detail::answer_form(*tree, profile).typed_documents();
}

OCRPIPE_DECL void
ocr_result::for_each_document_id(std::function<void(std::size_t number, std::string id)> const& f,
                                 response_profile const& profile) const
{
    if (auto const tree = detail::answer_tree::read(raw_))
        detail::answer_form(*tree, profile).for_each_document_id(f);
}

OCRPIPE_DECL std::string ocr_result::text(response_profile const& profile) const
{
    auto const tree = detail::answer_tree::read(raw_);
    return tree ? detail::answer_form(*tree, profile).text() : std::string();
}

} // namespace ocrpipe

#endif
