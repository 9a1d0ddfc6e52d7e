#include <ocrpipe/bulk.hpp>
#include <ocrpipe/client.hpp>

#include <string_view>

/// Also makes sure that the libraries that sources need are found.
std::string_view version_seen_by_the_other_unit()
{
    auto const missing = ocrpipe::open_input("/no/such/b\u1EA3ng");
    return missing->next() && !missing->next() ? OCRPIPE_VERSION_STRING : "";
}
