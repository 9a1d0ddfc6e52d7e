#ifndef OCRPIPE_API_IMPL_OCR_RESULT_IPP
#define OCRPIPE_API_IMPL_OCR_RESULT_IPP

#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/impl/body_reader.hpp>
#include <ocrpipe/api/ocr_result.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Builds the typed view. It ends when there are more things in it than any honest answer has, because each
/// takes fifty times as much memory as the "1," that it may have been read from.
struct document_sink : facts_only {
    static constexpr bool wants_texts = true;
    static constexpr std::size_t max_things = 1'000'000; ///< documents, fields, values and coordinates

    void begin_document()
    {
        if (!take()) return;
        in_document = true;
        documents.emplace_back();
        id_rank = static_cast<std::size_t>(-1);
    }
    void end_document(bool failed)
    {
        if (std::exchange(in_document, false)) documents.back().failed = failed;
    }
    void document_member(place p, scalar const& s, std::size_t rank)
    {
        if (documents.empty() || full) return;
        ocr_document& d = documents.back();
        if (p == place::document_id && s.says_something() && rank < id_rank) {
            d.id = s.text;
            id_rank = rank;
        } else if (p == place::document_type) {
            d.type = s.text;
        } else if (p == place::document_status) {
            d.status = s.text;
        } else if (p == place::classification && s.what == scalar::kind::truth) {
            d.correct_classification = s.text == "true";
        }
    }
    void begin_field()
    {
        if (!documents.empty() && take()) documents.back().fields.emplace_back();
    }
    void begin_value()
    {
        if (ocr_field* f = field(); f && take()) f->values.emplace_back();
        in_value = true;
    }
    void end_value()
    {
        in_value = false;
        // An object without a text says nothing.
        if (ocr_field* f = field(); f && !full && !f->values.empty() && f->values.back().text.empty())
            f->values.pop_back();
    }
    void value_member(place p, scalar const& s)
    {
        ocr_field* const f = field();
        if (!f || full) return;
        if (p == place::field_name) {
            f->name = s.text;
        } else if (in_value && !f->values.empty()) {
            ocr_value& v = f->values.back();
            // strtod needs an end; a number's text is short.
            if (p == place::value_name)
                v.name = s.text;
            else if (p == place::text && s.what != scalar::kind::null)
                v.text = s.text;
            else if (p == place::probability && s.says_something())
                v.probability = std::strtod(std::string(s.text).c_str(), nullptr);
            else if (p == place::coordinates && s.what == scalar::kind::number && take())
                v.coordinates.push_back(std::strtod(std::string(s.text).c_str(), nullptr));
        }
    }
    void lone_value(scalar const& s)
    {
        ocr_field* const f = field();
        if (!f || !s.says_something() || !take()) return;
        f->values.emplace_back();
        f->values.back().text = s.text;
    }

    ocr_field* field()
    {
        if (documents.empty()) return nullptr;
        // A value outside any field gets one without a name.
        if (documents.back().fields.empty()) documents.back().fields.emplace_back();
        return &documents.back().fields.back();
    }

    /// Room for another thing; once there is none, nothing is added or changed any more.
    bool take() noexcept
    {
        full = full || left == 0;
        if (!full) --left;
        return !full;
    }

    std::vector<ocr_document> documents;
    std::size_t id_rank = 0;
    std::size_t left = max_things;
    bool full = false;
    bool in_document = false;
    bool in_value = false;
};

} // namespace detail

OCRPIPE_DECL std::vector<ocr_document> ocr_result::documents(response_profile const& profile) const
{
    detail::document_sink sink;
    (void)detail::read_body(raw_, profile, sink);
    return std::move(sink.documents);
}

OCRPIPE_DECL std::string ocr_result::text(response_profile const& profile) const
{
    auto const is_words = [](ocr_field const& f) { return f.name == "words"; };
    std::string out;
    for (ocr_document const& d : documents(profile)) {
        bool const only_words = std::all_of(d.fields.begin(), d.fields.end(), is_words);
        for (ocr_field const& f : d.fields) {
            if (is_words(f) && !only_words) continue;
            for (ocr_value const& v : f.values) {
                if (!out.empty()) out += '\n';
                out += v.text;
            }
        }
    }
    return out;
}

} // namespace ocrpipe

#endif
