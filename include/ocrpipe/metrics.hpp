#ifndef OCRPIPE_METRICS_HPP
#define OCRPIPE_METRICS_HPP

// Umbrella header for programs that publish what a client does: an observer that counts, and its text for
// Prometheus.

#include <ocrpipe/client/client_metrics.hpp>
#include <ocrpipe/client/prometheus_text.hpp>

#endif
