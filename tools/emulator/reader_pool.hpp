#ifndef OCRPIPE_EMULATOR_READER_POOL_HPP
#define OCRPIPE_EMULATOR_READER_POOL_HPP

#include "emulator/recognition.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ocrpipe::emulator
{

/// Threads that read documents, each with a reader of its own.
class reader_pool
{
public:
    using outcome = std::shared_ptr<result<recognition>>;

    /// `finished` is called in a worker thread, once for each document that was put in and not dropped by the
    /// destructor.
    reader_pool(reader_factory make, unsigned threads,
                std::function<void(std::uint32_t job, outcome)> finished);

    /// Drops what waits and waits for what is being read.
    ~reader_pool();

    /// Whether a document of that size should wait elsewhere: more than 256 MiB of documents wait here
    /// already.
    bool full(std::size_t bytes);

    void put(std::uint32_t job, std::string document);

private:
    struct work {
        std::uint32_t job;
        std::string document;
    };

    void run();

    reader_factory make_;
    std::function<void(std::uint32_t, outcome)> finished_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<work> waiting_;
    std::size_t waiting_bytes_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

} // namespace ocrpipe::emulator

#endif
