#ifndef OCRPIPE_BULK_RUN_DETAIL_CONTENT_SHARING_HPP
#define OCRPIPE_BULK_RUN_DETAIL_CONTENT_SHARING_HPP

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ocrpipe::detail
{

/// Decides which of several documents with equal content is sent: the first one, the original. The others are
/// copies and wait for its result. Pure.
///
/// `Document` is a handle, such as a shared_ptr. The content is a key, equal for documents that yield the
/// same result.
template<class Document>
class content_sharing
{
public:
    enum class role {
        original, ///< no other document with this content is under way
        copy,     ///< the document waits for its original
        held,     ///< an earlier submit of this content may have been accepted: do not send it
    };

    /// Makes a document that is already with the service the original of its content; false if there is one.
    bool claim(std::string const& content) { return contents_.try_emplace(content, std::in_place).second; }

    role join(std::string const& content, Document const& d)
    {
        auto const [place, first] = contents_.try_emplace(content, std::in_place);
        if (first) return role::original;
        if (!place->second) return role::held;
        place->second->push_back(d);
        return role::copy;
    }

    /// join() returns role::held for this content from now on.
    void hold(std::string const& content) { contents_[content] = std::nullopt; }

    /// Call this when the original has ended. Returns its copies, and forgets the content.
    std::vector<Document> release(std::string const& content)
    {
        auto const node = contents_.extract(content);
        return node && node.mapped() ? std::move(*node.mapped()) : std::vector<Document>();
    }

private:
    /// The copies of each original; nullopt for content that is held.
    std::unordered_map<std::string, std::optional<std::vector<Document>>> contents_;
};

} // namespace ocrpipe::detail

#endif
