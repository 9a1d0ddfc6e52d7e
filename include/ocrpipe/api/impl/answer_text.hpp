#ifndef OCRPIPE_API_IMPL_ANSWER_TEXT_HPP
#define OCRPIPE_API_IMPL_ANSWER_TEXT_HPP

#include <ocrpipe/api/impl/answer_form.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::detail
{

/// A text that grows, as it is compared with its repetitions: with one blank for each run of white space.
class said_text
{
public:
    /// `text` is what it was before, and perhaps more.
    void grow_to(std::string_view text);
    bool empty() const noexcept { return plain_.empty(); }

    /// Whether it holds a piece; as a whole, when that is asked for, and not as a part of a longer word.
    /// Pieces are mostly asked for in the order of the text. `budget`: bytes that may still be compared.
    bool holds(std::string_view piece, bool whole, std::size_t& budget);
    /// Whether it holds each word of a text with marks.
    bool holds_words_of(std::string_view marked, std::size_t& budget);

private:
    std::size_t find(std::string_view piece, std::size_t from, bool whole, std::size_t& budget) const;

    std::string plain_;
    std::size_t read_ = 0; ///< bytes of the text that are in plain_
    std::size_t at_ = 0;   ///< behind the last piece that was found
};

/// Puts the text of an answer together. The rules, in the order in which they are tried on an object:
///
/// 1. Titles come first. Under the profile's content key the values are printed, a line each, without the
/// names of their fields.
/// 2. A name beside a value is printed as "name: value"; so is a member that is an object with a value.
/// 3. Texts come first, then the lists that a text is made of (pages, lines), then all else in the order of
///    the answer as "key: value", and last what comes in pieces (words).
/// 4. Repetitions of an object's own text are omitted: its pieces, and the same text with markup.
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
    /// Whether every text in `i` stands in `said` already, in any order.
    bool repeats(index i, said_text& said);
    bool is_piece(index i) const;
    bool has_value(index object) const;
    bool has_measure(index object, index member) const;
    bool has_string(index i) const;

    answer_tree const& tree_;
    response_profile const& profile_;
    answer_form const& form_;
    /// Budget of bytes to compare when looking for repetitions; once it is spent, nothing more is omitted.
    std::size_t left_to_compare_ = std::size_t(256) << 20;
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/answer_text.ipp>
#endif

#endif
