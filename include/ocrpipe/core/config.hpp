#ifndef OCRPIPE_CORE_CONFIG_HPP
#define OCRPIPE_CORE_CONFIG_HPP

#include <boost/version.hpp>

// tests/compile_matrix.py compiles the library at both ends of the range: Boost 1.81 and 1.92, C++20 and
// C++23.
#if BOOST_VERSION < 108100
#error "ocrpipe needs Boost 1.81 or later; it is tested with 1.81 to 1.92"
#endif
#if __cplusplus < 202002L
#error "ocrpipe needs C++20 or later, such as with -std=c++20"
#endif

// OCRPIPE_HEADER_ONLY is set by the CMake target ocrpipe::header_only. Without it the definitions in
// impl/*.ipp are compiled once, in src/, and user code sees declarations only.
#if defined(OCRPIPE_HEADER_ONLY)
#define OCRPIPE_DECL inline
#else
#define OCRPIPE_DECL
#endif

// The version: the build, the packages and the string below take it from these three numbers.
#define OCRPIPE_VERSION_MAJOR 0
#define OCRPIPE_VERSION_MINOR 1
#define OCRPIPE_VERSION_PATCH 0

#define OCRPIPE_JOINED(a, b, c) OCRPIPE_QUOTED(a.b.c)
#define OCRPIPE_QUOTED(text) #text
#define OCRPIPE_VERSION_STRING                                                                               \
    OCRPIPE_JOINED(OCRPIPE_VERSION_MAJOR, OCRPIPE_VERSION_MINOR, OCRPIPE_VERSION_PATCH)

#endif
