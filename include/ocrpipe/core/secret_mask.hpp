#ifndef OCRPIPE_CORE_SECRET_MASK_HPP
#define OCRPIPE_CORE_SECRET_MASK_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/secret.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe
{

/// Replaces secrets in text from outside, such as an answer that echoes the request's header.
///
/// A secret is found in any mixture of upper and lower case, if the end of the text cuts it off after 8
/// characters or more, and if some of its characters are escaped as in a URL, in JSON or in HTML. A secret
/// shorter than 8 characters may occur inside ordinary words: it is found only unescaped and as a whole word.
class secret_mask
{
public:
    /// An empty secret is ignored.
    void add(secret s);

    /// Replaces every secret in `text` by three asterisks, so that its length is hidden too.
    std::string masked(std::string_view text) const;

    /// printable_excerpt() of `body` with its secrets masked. They are masked before the excerpt is cut,
    /// which could leave the beginning of one. Cost: that of the excerpt, however long the body is.
    std::string excerpt(std::string_view body) const;

private:
    std::size_t secret_at(std::string_view text, std::size_t at) const;
    std::string masked_beginning(std::string_view text, std::size_t enough) const;

    std::vector<secret> secrets_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/core/impl/secret_mask.ipp>
#endif

#endif
