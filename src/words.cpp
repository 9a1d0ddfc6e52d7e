#include <ocrpipe/impl/document.ipp>
#include <ocrpipe/impl/error.ipp>
#include <ocrpipe/impl/options.ipp>
#include <ocrpipe/impl/result.ipp>
