#ifndef OCRPIPE_BULK_SOURCE_SOURCE_NOTES_HPP
#define OCRPIPE_BULK_SOURCE_SOURCE_NOTES_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <unordered_set>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// Shared by the sources of one run: counts of what they skipped, messages for a log, and the set of
/// directories that they have read.
///
/// Thread safety: the counts, add() and take() from any thread; everything else only on the thread that reads
/// the sources.
/// Cost: about 50 bytes for each directory and for each document reached through a symbolic link.
class source_notes
{
public:
    struct note {
        std::string event; ///< a stable word, such as "unknown_columns"
        std::string text;
    };

    std::atomic<std::uint64_t> links_skipped{0}; ///< symbolic links that were not followed
    /// Of them, those whose target is read under another name.
    std::atomic<std::uint64_t> links_repeated{0};
    std::atomic<std::uint64_t> too_young{0};            ///< documents skipped by input_options::min_age
    std::atomic<std::uint64_t> empty_inputs{0};         ///< inputs in which no document was found
    std::atomic<std::uint64_t> hidden{0};               ///< names that begin with a dot
    std::atomic<std::uint64_t> directories_repeated{0}; ///< found again and skipped

    /// Queues a message for take(). While 1000 messages are queued, further ones are dropped.
    void add(std::string event, std::string text)
    {
        std::lock_guard const lock(mutex_);
        if (notes_.size() < max_notes) notes_.push_back({std::move(event), std::move(text)});
        has_notes_.store(true, std::memory_order_release);
    }

    /// Returns the messages queued since the last call.
    std::vector<note> take()
    {
        if (!has_notes_.load(std::memory_order_acquire)) return {};
        std::lock_guard const lock(mutex_);
        has_notes_.store(false, std::memory_order_relaxed);
        return std::exchange(notes_, {});
    }

    /// Identifies a directory or file independently of its name.
    struct identity {
        ::dev_t device = 0;
        ::ino_t inode = 0;
        bool operator==(identity const&) const = default;
    };

    /// Returns false if the directory was entered before.
    bool enter(identity directory) { return directories_.insert(directory).second; }
    bool has_entered(identity directory) const { return directories_.contains(directory); }

    /// Returns false if another link led to the same file before.
    bool reach_by_link(identity file) { return linked_files_.insert(file).second; }
    bool was_reached_by_link(identity file) const
    {
        return !linked_files_.empty() && linked_files_.contains(file);
    }

    /// Real paths of the directories given to the run.
    std::vector<std::string> roots;

private:
    static constexpr std::size_t max_notes = 1000;

    struct hash {
        std::size_t operator()(identity const& i) const noexcept
        {
            return static_cast<std::size_t>((i.inode ^ (i.device << 32)) * 0x9E3779B97F4A7C15u);
        }
    };

    std::mutex mutex_;
    std::vector<note> notes_;
    std::atomic<bool> has_notes_{false};
    std::unordered_set<identity, hash> directories_;
    std::unordered_set<identity, hash> linked_files_;
};

} // namespace ocrpipe

#endif
