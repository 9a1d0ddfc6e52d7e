#ifndef OCRPIPE_TESTING_HPP
#define OCRPIPE_TESTING_HPP

// Umbrella header for tests of programs that use the library: a transport that follows a script, and a clock
// that a test moves. The emulator of the service is a library of its own, ocrpipe::emulator.

#include <ocrpipe/client.hpp>
#include <ocrpipe/testing/manual_clock.hpp>
#include <ocrpipe/testing/scripted_transport.hpp>

#endif
