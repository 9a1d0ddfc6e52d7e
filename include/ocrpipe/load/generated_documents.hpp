#ifndef OCRPIPE_LOAD_GENERATED_DOCUMENTS_HPP
#define OCRPIPE_LOAD_GENERATED_DOCUMENTS_HPP

#include <ocrpipe/core/config.hpp>

#include <cstdint>
#include <string>

namespace ocrpipe
{

/// Sizes of generated documents: all alike, or with a lognormal distribution.
struct document_sizes {
    std::uint64_t median = 20'000; ///< bytes
    double sigma = 0;              ///< standard deviation of the logarithm
};

/// Makes valid PDF documents of one page. Each has other bytes, so that a cache of the service does not find
/// it. Pure: a document is a function of the seed and its number.
class document_generator
{
public:
    document_generator(document_sizes sizes, std::uint64_t seed) : sizes_(sizes), seed_(seed) {}

    /// The size of document `number`, at least that of a page without padding.
    std::uint64_t size(std::uint64_t number) const;

    /// Cost: one copy of the bytes.
    std::string make(std::uint64_t number) const;

private:
    document_sizes sizes_;
    std::uint64_t seed_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/generated_documents.ipp>
#endif

#endif
