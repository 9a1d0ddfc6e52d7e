#ifndef OCRPIPE_API_IMPL_ANSWER_FORM_HPP
#define OCRPIPE_API_IMPL_ANSWER_FORM_HPP

#include <ocrpipe/api/answer_facts.hpp>
#include <ocrpipe/api/impl/answer_tree.hpp>
#include <ocrpipe/api/impl/status_words.hpp>
#include <ocrpipe/api/profile.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe
{
struct ocr_document;
struct ocr_field;
} // namespace ocrpipe

namespace ocrpipe::detail
{

/// Interprets an answer of any form: the state of the job, the location of its documents, and which of them
/// have content.
///
/// The profile's keys come first. For the rest the names of members decide (key_kind). Pure. Assumed: all of
/// it; see the README, "Answers of an unfamiliar form".
class answer_form
{
public:
    using index = answer_tree::index;

    /// The tree and the profile must outlive it.
    answer_form(answer_tree const& tree, response_profile const& profile);

    /// Replaces the members of `facts` that the reader of known forms cannot determine.
    void complete(body_facts& facts) const;

    /// The objects or texts that are the job's documents. Without a list, the object that holds the content.
    std::vector<index> const& documents() const noexcept { return documents_; }
    std::vector<ocr_document> typed_documents() const;
    /// Calls `f(number, id)` for each of typed_documents(), with its position from 1; the id may be empty.
    void for_each_document_id(std::function<void(std::size_t, std::string)> const& f) const;

    /// The text of all content in the answer, in reading order.
    std::string text() const;

    /// How much content `i` and its descendants hold, ignoring bookkeeping. `in_fields`: below the profile's
    /// content key, where names are those of fields.
    content_kind content_of(index i, bool in_fields = false) const;
    /// Like content_of(), for a document: the profile's content key decides if it is present.
    content_kind content_of_document(index i) const;

    /// Whether a value appears in the text. This includes values that do not count as content: a text such as
    /// "in progress" may be part of the document.
    bool is_shown(index i) const;

    /// Whether an object has a value next to a label, even an empty one.
    bool labels_a_value(index object) const;

    /// Whether the answer to a table, signature or stamp request contains data, including coordinates.
    bool has_part() const { return !tree_.empty() && has_values(answer_tree::root); }

    /// The node of the relevant status, or none.
    index status() const noexcept { return status_; }
    /// The node of the list of documents, or none.
    index list() const noexcept { return list_; }
    /// The object that holds the list or, without a list, the content. None if the list is the root.
    index holder() const noexcept { return holder_; }

    /// Whether the answer reports an error and has no text.
    bool is_error() const noexcept { return has_error_ && !has_text_; }

    /// Finds the ids in the answer to a submit, at any position. In an error, only an id in the data is the
    /// job's; others belong to the request.
    void complete_submit(body_facts& facts) const;

private:
    struct step {
        index object;
        std::size_t parent; ///< index into steps_
        int depth;
    };

    void walk_objects();
    void find_documents();
    void find_status();
    void find_flags(index object);
    void find_counts(index object);
    /// A count of things that are finished, such as "pages_done" of "pages_total".
    struct finished_count {
        std::string noun;
        double finished;
    };
    bool misses(finished_count const& counted) const;
    void find_error();
    bool is_called(index object, std::span<std::string_view const> names) const;

    bool is_key(index i, response_profile::words const& keys) const;
    index by_keys(index object, response_profile::words const& keys) const;
    bool is_waiting_note(index i) const;
    std::optional<job_status> job_status_at(index i) const;
    content_kind content_of_leaf(index i, bool labels, bool notes_count = false) const;
    bool has_values(index i) const;
    bool is_one_document(index list) const;
    bool is_failed(index document) const;
    template<class Wanted>
    index nearest(index from, Wanted wanted, bool notes) const;
    std::string status_text() const;
    bool is_status_word(index i) const;
    std::string word(index object, response_profile::words const& keys) const;
    std::string id_of(index document) const;
    ocr_document typed(index document) const;
    void add_fields(index i, ocr_document& to) const;
    void add_values(index i, ocr_field& to) const;
    void add_free_fields(index i, ocr_document& to) const;
    bool has_text(index i) const;
    bool has_empty_place(index i) const;
    std::uint64_t hash_of(index i, content_kind least, bool texts, std::uint64_t seed) const;

    answer_tree const& tree_;
    response_profile const& profile_;
    std::vector<step> steps_; ///< objects below no array, the nearest to the root first
    std::vector<index> documents_;
    index list_ = answer_tree::none;
    index holder_ = answer_tree::none;
    index status_ = answer_tree::none;
    std::vector<finished_count> finished_counts_;
    bool says_pending_ = false;
    bool says_finished_ = false;
    bool says_failed_ = false;
    bool has_text_ = false;
    bool has_error_ = false;
    int error_status_ = 0; ///< the error's HTTP status, if any
};

/// The id after a request id key in a text that is not JSON, such as a truncated answer; empty if there is
/// none, or if its end is missing. `whole`: the text is not truncated, so its end may be the end of the id.
OCRPIPE_DECL std::string visible_request_id(std::string_view body, response_profile const& profile,
                                            bool whole);

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/answer_documents.ipp>
#include <ocrpipe/api/impl/answer_form.ipp>
#include <ocrpipe/api/impl/answer_ids.ipp>
#include <ocrpipe/api/impl/answer_status.ipp>
#include <ocrpipe/api/impl/answer_text.hpp>
#endif

#endif
