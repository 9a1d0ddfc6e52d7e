#include <ocrpipe/client/impl/client.ipp>
#include <ocrpipe/client/impl/client_metrics.ipp>
#include <ocrpipe/client/impl/client_options.ipp>
#include <ocrpipe/client/impl/prometheus_text.ipp>
#include <ocrpipe/client/impl/service_health.ipp>
#include <ocrpipe/client/impl/shared_pace.ipp>
