#ifndef OCRPIPE_BULK_RUN_DETAIL_GIVEN_IDS_HPP
#define OCRPIPE_BULK_RUN_DETAIL_GIVEN_IDS_HPP

#include <cstddef>
#include <deque>
#include <functional>
#include <string_view>
#include <unordered_map>

namespace ocrpipe::detail
{

/// The request_ids that the service gave lately, and to which content: a service or a proxy that answers two
/// documents with the same one would give both the same result.
///
/// Memory: bounded; only hashes of the last `capacity` ids are kept.
class given_ids
{
public:
    explicit given_ids(std::size_t capacity = 65'536) : capacity_(capacity) {}

    /// Notes whose document got a request_id. False if a document with other content got it before.
    bool note(std::string_view request_id, std::string_view content)
    {
        std::hash<std::string_view> const hash;
        std::size_t const id = hash(request_id);
        auto const [place, is_new] = contents_.try_emplace(id, hash(content));
        if (!is_new) return place->second == hash(content);
        order_.push_back(id);
        if (order_.size() > capacity_) {
            contents_.erase(order_.front());
            order_.pop_front();
        }
        return true;
    }

private:
    std::size_t capacity_;
    std::unordered_map<std::size_t, std::size_t> contents_;
    std::deque<std::size_t> order_; ///< of the ids, oldest first
};

} // namespace ocrpipe::detail

#endif
