#ifndef OCRPIPE_CLIENT_HPP
#define OCRPIPE_CLIENT_HPP

// Umbrella header for programs that read documents one by one: the client, its options, and what to do about its errors.

#include <ocrpipe/api/chunk_source.hpp>
#include <ocrpipe/client/client.hpp>
#include <ocrpipe/client/client_options.hpp>
#include <ocrpipe/core/error_advice.hpp>

#endif
