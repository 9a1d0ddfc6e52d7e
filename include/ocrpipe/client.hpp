#ifndef OCRPIPE_CLIENT_HPP
#define OCRPIPE_CLIENT_HPP

// Umbrella header for programs that read documents one by one: the client and its options.

#include <ocrpipe/api/chunk_source.hpp>
#include <ocrpipe/client/client.hpp>
#include <ocrpipe/client/client_options.hpp>

#endif
