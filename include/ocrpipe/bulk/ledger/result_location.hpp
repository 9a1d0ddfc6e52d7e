#ifndef OCRPIPE_BULK_LEDGER_RESULT_LOCATION_HPP
#define OCRPIPE_BULK_LEDGER_RESULT_LOCATION_HPP

#include <cstdint>

namespace ocrpipe
{

/// Position of a line in the results files.
struct result_location {
    std::uint64_t file = 0; ///< number in the file name, from 1
    std::uint64_t offset = 0;
    std::uint64_t length = 0; ///< bytes, including the line break

    friend bool operator==(result_location const&, result_location const&) = default;
};

} // namespace ocrpipe

#endif
