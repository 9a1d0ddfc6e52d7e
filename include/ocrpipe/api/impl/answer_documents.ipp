#ifndef OCRPIPE_API_IMPL_ANSWER_DOCUMENTS_IPP
#define OCRPIPE_API_IMPL_ANSWER_DOCUMENTS_IPP

// How answer_form converts documents to their typed view.

#include <ocrpipe/api/impl/answer_form.hpp>
#include <ocrpipe/api/ocr_result.hpp>

#include <cstdlib>
#include <utility>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL std::vector<ocr_document> answer_form::typed_documents() const
{
    std::vector<ocr_document> out;
    if (tree_.empty()) return out;
    for (index const d : documents_)
        if (tree_.is_object(d) || content_of(d) != content_kind::none) out.push_back(typed(d));
    // An envelope without content is not a document.
    if (list_ == answer_tree::none && out.size() == 1 && out.front().fields.empty()) out.clear();
    return out;
}

OCRPIPE_DECL void
answer_form::for_each_document_id(std::function<void(std::size_t, std::string)> const& f) const
{
    std::size_t number = 0;
    auto const note = [&](std::string id) { f(++number, std::move(id)); };
    if (list_ == answer_tree::none) {
        for (ocr_document& d : typed_documents())
            note(std::move(d.id));
        return;
    }
    // Without the fields, which may need many times the memory.
    for (index const d : documents_)
        if (tree_.is_object(d))
            note(id_of(d));
        else if (content_of(d) != content_kind::none)
            note({});
}

OCRPIPE_DECL std::string answer_form::word(index object, response_profile::words const& keys) const
{
    for (std::string const& key : keys)
        if (index const i = tree_.member(object, key); i != answer_tree::none && !tree_.is_container(i))
            if (std::string text = tree_.text(i); !text.empty()) return text;
    return {};
}

OCRPIPE_DECL std::string answer_form::id_of(index document) const
{
    std::string id = word(document, profile_.document_id_keys);
    if (id.empty())
        tree_.for_each_child(document, [&](index c) {
            static constexpr auto ids = std::to_array<std::string_view>({"documentid", "docid"});
            if (id.empty() && !tree_.is_container(c) && is_called(c, ids)) id = tree_.text(c);
        });
    return id;
}

OCRPIPE_DECL ocr_document answer_form::typed(index document) const
{
    ocr_document out;
    if (!tree_.is_object(document)) {
        add_free_fields(document, out);
        return out;
    }
    out.id = id_of(document);
    out.type = word(document, profile_.document_type_keys);
    out.status = word(document, profile_.status_keys);
    out.failed = is_failed(document);
    index const classification = by_keys(document, profile_.classification_keys);
    if (classification != answer_tree::none && tree_.type_of(classification) == answer_tree::type::truth)
        out.correct_classification = tree_.is_true(classification);
    index const content = by_keys(document, profile_.content_keys);
    if (content != answer_tree::none) add_fields(content, out);
    if (out.fields.empty()) add_free_fields(document, out);
    return out;
}

/// Adds the fields below a content key.
OCRPIPE_DECL void answer_form::add_fields(index i, ocr_document& to) const
{
    if (tree_.is_array(i)) return tree_.for_each_child(i, [&](index c) { add_fields(c, to); });
    if (tree_.type_of(i) == answer_tree::type::null) return;
    ocr_field field;
    if (tree_.is_object(i)) {
        if (index const name = by_keys(i, profile_.name_keys); name != answer_tree::none)
            field.name = tree_.text(name);
        for (auto const* keys : {&profile_.text_keys, &profile_.values_keys})
            if (index const values = by_keys(i, *keys); values != answer_tree::none)
                add_values(values, field);
    } else {
        add_values(i, field);
    }
    to.fields.push_back(std::move(field));
}

OCRPIPE_DECL void answer_form::add_values(index i, ocr_field& to) const
{
    if (tree_.is_array(i)) return tree_.for_each_child(i, [&](index c) { add_values(c, to); });
    if (tree_.type_of(i) == answer_tree::type::null) return;
    ocr_value value;
    if (!tree_.is_object(i)) {
        value.text = tree_.text(i);
        if (!value.text.empty()) to.values.push_back(std::move(value));
        return;
    }
    if (index const name = by_keys(i, profile_.name_keys); name != answer_tree::none)
        value.name = tree_.text(name);
    if (index const text = by_keys(i, profile_.text_keys); text != answer_tree::none) {
        if (tree_.is_container(text)) return add_values(text, to);
        value.text = tree_.text(text);
    }
    if (index const p = by_keys(i, profile_.probability_keys);
        p != answer_tree::none && !tree_.is_container(p) && !tree_.text(p).empty())
        value.probability = std::strtod(tree_.text(p).c_str(), nullptr);
    if (index const c = by_keys(i, profile_.coordinates_keys); c != answer_tree::none) {
        value.coordinates = tree_.numbers(c);
        tree_.for_each_child(c, [&](index inner) {
            if (tree_.type_of(inner) == answer_tree::type::number)
                value.coordinates.push_back(std::strtod(tree_.text(inner).c_str(), nullptr));
            std::vector<double> const more = tree_.numbers(inner);
            value.coordinates.insert(value.coordinates.end(), more.begin(), more.end());
        });
    }
    // An object without a text is not a value itself, but may contain values.
    if (!value.text.empty()) to.values.push_back(std::move(value));
    if (index const inner = by_keys(i, profile_.values_keys); inner != answer_tree::none)
        add_values(inner, to);
}

/// Adds a field for each member with a text, and for each name with its value.
OCRPIPE_DECL void answer_form::add_free_fields(index i, ocr_document& to) const
{
    auto const is_printed = [this](index c) { return is_shown(c); };
    auto const add = [&](std::string name, std::string text) {
        if (to.fields.empty() || to.fields.back().name != name) {
            to.fields.emplace_back();
            to.fields.back().name = std::move(name);
        }
        to.fields.back().values.emplace_back();
        to.fields.back().values.back().text = std::move(text);
    };
    if (!tree_.is_container(i)) {
        if (is_printed(i)) add(tree_.key(i), tree_.text(i));
        return;
    }
    if (tree_.kind(i) == key_kind::error || tree_.kind(i) == key_kind::progress) return;
    if (tree_.is_array(i)) {
        tree_.for_each_child(i, [&](index c) {
            if (tree_.is_container(c))
                add_free_fields(c, to);
            else if (is_printed(c))
                add(tree_.key(i), tree_.text(c));
        });
        return;
    }
    index label = answer_tree::none;
    if (labels_a_value(i))
        tree_.for_each_child(i, [&](index c) {
            if (label == answer_tree::none && tree_.kind(c) == key_kind::label && is_printed(c)) label = c;
        });
    tree_.for_each_child(i, [&](index c) {
        if (c == label) return;
        if (label != answer_tree::none && tree_.kind(c) == key_kind::text && is_printed(c))
            add(tree_.text(label), tree_.text(c));
        else
            add_free_fields(c, to);
    });
}

} // namespace detail
} // namespace ocrpipe

#endif
