#ifndef OCRPIPE_API_IMPL_ANSWER_TEXT_HPP
#define OCRPIPE_API_IMPL_ANSWER_TEXT_HPP

#include <ocrpipe/api/impl/answer_form.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::detail
{

/// The text printed so far, for finding repetitions of it. Each run of white space counts as one space.
class printed_text
{
public:
    /// `text` begins with the text of the previous call.
    void grow_to(std::string_view text);

    /// Whether it contains a piece. `whole`: the piece must not be a part of a longer word. `budget`: bytes
    /// that may still be compared. Cost: low if the calls follow the order of the text.
    bool holds(std::string_view piece, bool whole, std::size_t& budget);
    /// Whether it contains each word of a text with markup.
    bool holds_words_of(std::string_view marked, std::size_t& budget);

private:
    std::size_t find(std::string_view piece, std::size_t from, bool whole, std::size_t& budget) const;

    std::string plain_;
    std::size_t read_ = 0; ///< bytes of the text that are in plain_
    std::size_t at_ = 0;   ///< the end of the last piece found
};

/// Prints the text of an answer. The members of an object are printed by these rules:
///
/// 1. The order is: titles, texts, the parts of a text (pages, lines), other members in the order of the
///    answer, the text with markup, words.
/// 2. Under the profile's content key, the values are printed one per line, without the field names.
/// 3. Other members are printed as "key: value". So are a name with its value, and an object that is a value.
/// 4. Members that repeat the object's own text are omitted: its pieces, and the same text with markup.
///
/// Pages are separated by a blank line, lines and all other elements by a line break, words by a space, the
/// cells of a row by a tab.
class answer_text
{
public:
    using index = answer_tree::index;

    answer_text(answer_tree const& tree, response_profile const& profile, answer_form const& form)
        : tree_(tree), profile_(profile), form_(form)
    {
    }

    std::string of(index i);

private:
    std::string of_object(index i);
    std::string of_list(index i);
    std::string of_known_content(index i);
    void add_values(index i, std::string& out) const;
    /// Whether `printed` contains every text in `i`, in any order.
    bool repeats(index i, printed_text& printed);
    bool is_piece(index i) const;
    bool has_value(index object) const;
    bool has_measure(index object, index member) const;
    bool has_string(index i) const;

    answer_tree const& tree_;
    response_profile const& profile_;
    answer_form const& form_;
    /// Bytes that may be compared to find repetitions. At 0, no more repetitions are omitted.
    std::size_t left_to_compare_ = std::size_t(256) << 20;
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/answer_text.ipp>
#endif

#endif
