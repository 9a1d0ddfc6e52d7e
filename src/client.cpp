#include <ocrpipe/client/impl/client.ipp>
#include <ocrpipe/client/impl/client_options.ipp>
