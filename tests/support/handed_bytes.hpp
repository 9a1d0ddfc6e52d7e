#ifndef OCRPIPE_TESTS_SUPPORT_HANDED_BYTES_HPP
#define OCRPIPE_TESTS_SUPPORT_HANDED_BYTES_HPP

#include <cstdint>

/// How many bytes this process has handed to the kernel on its connections to `port` of the loopback address.
std::uint64_t bytes_handed_to(unsigned short port);

#endif
