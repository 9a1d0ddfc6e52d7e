#include <ocrpipe/measure/impl/latency_histogram.ipp>
#include <ocrpipe/measure/impl/rate_forecast.ipp>
#include <ocrpipe/measure/impl/report_members.ipp>
#include <ocrpipe/measure/impl/run_measurements.ipp>
#include <ocrpipe/measure/impl/verdict.ipp>
