#ifndef OCRPIPE_API_IMPL_ANSWER_TEXT_HPP
#define OCRPIPE_API_IMPL_ANSWER_TEXT_HPP

#include <ocrpipe/api/impl/answer_form.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::detail
{

/// Puts the text of an answer together. The rules, in the order in which they are tried on an object:
///
/// 1. Under the profile's content key the values are printed, a line each, without the names of their fields.
/// 2. A name beside a value is printed as "name: value".
/// 3. Texts come first, then the lists that a text is made of (pages, lines), then all else in the order of
///    the answer as "key: value", and last what comes in pieces (words).
/// 4. What repeats the texts of the same object is left out: its pieces, and the same text with marks.
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
    bool repeats(index i, std::string_view text);
    bool repeats_words(std::string_view marked, std::string_view text);
    std::size_t find(std::string_view text, std::string_view piece, std::size_t from, bool whole);
    bool is_printed(index i) const;

    answer_tree const& tree_;
    response_profile const& profile_;
    answer_form const& form_;
    /// Looking for repetitions ends after this many bytes were compared; then nothing is left out any more.
    std::size_t left_to_compare_ = 0;
    bool begun_ = false;
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/answer_text.ipp>
#endif

#endif
