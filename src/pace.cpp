#include <ocrpipe/pace/impl/pace_options.ipp>
#include <ocrpipe/pace/impl/retry_after.ipp>
