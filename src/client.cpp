#include <ocrpipe/impl/client.ipp>
