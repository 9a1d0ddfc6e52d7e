#ifndef OCRPIPE_BULK_LEDGER_RESULT_LOCATION_HPP
#define OCRPIPE_BULK_LEDGER_RESULT_LOCATION_HPP

#include <cstdint>

namespace ocrpipe
{

/// Where in the results files a line stands.
struct result_location {
    std::uint64_t file = 0; ///< the number in the file's name, from 1
    std::uint64_t offset = 0;
    std::uint64_t length = 0; ///< bytes, its line break included

    friend bool operator==(result_location const&, result_location const&) = default;
};

} // namespace ocrpipe

#endif
