#include <ocrpipe/client.hpp>

#include <string_view>

std::string_view version_seen_by_the_other_unit() { return OCRPIPE_VERSION_STRING; }
