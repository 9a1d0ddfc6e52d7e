#include <ocrpipe/pace/impl/retry_after.ipp>
