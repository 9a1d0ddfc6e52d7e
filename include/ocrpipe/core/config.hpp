#ifndef OCRPIPE_CORE_CONFIG_HPP
#define OCRPIPE_CORE_CONFIG_HPP

// OCRPIPE_HEADER_ONLY is set by the CMake target ocrpipe::header_only. Without it the definitions in
// impl/*.ipp are compiled once, in src/, and user code sees declarations only.
#if defined(OCRPIPE_HEADER_ONLY)
#define OCRPIPE_DECL inline
#else
#define OCRPIPE_DECL
#endif

// The version. CMake reads these three numbers.
#define OCRPIPE_VERSION_MAJOR 0
#define OCRPIPE_VERSION_MINOR 1
#define OCRPIPE_VERSION_PATCH 0
#define OCRPIPE_VERSION_STRING "0.1.0"

#endif
