#ifndef OCRPIPE_TESTS_SUPPORT_REPEATABLE_RANDOM_HPP
#define OCRPIPE_TESTS_SUPPORT_REPEATABLE_RANDOM_HPP

#include <cstddef>
#include <cstdint>

/// Random numbers that depend on the seed alone, so that a failure can be repeated.
class repeatable_random
{
public:
    explicit repeatable_random(std::uint64_t seed) : state_(seed) {}

    /// A number from 0 to `below` - 1.
    std::size_t operator()(std::size_t below)
    {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::size_t>(state_ >> 33) % below;
    }

private:
    std::uint64_t state_;
};

#endif
