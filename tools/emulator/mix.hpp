#ifndef OCRPIPE_EMULATOR_MIX_HPP
#define OCRPIPE_EMULATOR_MIX_HPP

#include <ocrpipe/core/sha256.hpp>

#include <cstddef>
#include <cstdint>

namespace ocrpipe::emulator
{

/// Mixes two numbers into one (the finaliser of splitmix64 over their combination). Every decision of the
/// emulator that looks random is a mix of the seed and of facts about the document, so that concurrency
/// cannot change it.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept
{
    std::uint64_t z = a * 0x9E3779B97F4A7C15ULL + b + 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

/// A number in [0, 1).
constexpr double unit_interval(std::uint64_t h) noexcept { return static_cast<double>(h >> 11) * 0x1.0p-53; }

/// The first eight bytes of a digest as a number.
constexpr std::uint64_t key_of(sha256_digest const& digest) noexcept
{
    std::uint64_t key = 0;
    for (std::size_t i = 0; i != 8; ++i)
        key = key << 8 | digest[i];
    return key;
}

} // namespace ocrpipe::emulator

#endif
