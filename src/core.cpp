#include <ocrpipe/core/impl/atomic_file.ipp>
#include <ocrpipe/core/impl/error.ipp>
#include <ocrpipe/core/impl/error_advice.ipp>
#include <ocrpipe/core/impl/json_text.ipp>
#include <ocrpipe/core/impl/result.ipp>
#include <ocrpipe/core/impl/secret_mask.ipp>
#include <ocrpipe/core/impl/sha256.ipp>
#include <ocrpipe/core/impl/trace_context.ipp>
