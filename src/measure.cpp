#include <ocrpipe/measure/impl/latency_histogram.ipp>
