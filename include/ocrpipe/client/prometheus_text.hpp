#ifndef OCRPIPE_CLIENT_PROMETHEUS_TEXT_HPP
#define OCRPIPE_CLIENT_PROMETHEUS_TEXT_HPP

#include <ocrpipe/client/client.hpp>
#include <ocrpipe/client/client_metrics.hpp>

#include <string>

namespace ocrpipe
{

/// The figures in the text format of Prometheus, version 0.0.4, each with a HELP and a TYPE line. The
/// names begin with ocrpipe_; no two of them are the same, so both texts together are a valid page.
///
/// Returns lines for the answer to GET /metrics, whose Content-Type is prometheus_content_type.
/// Source: Prometheus, "Exposition formats".
OCRPIPE_DECL std::string prometheus_text(metrics_snapshot const& m);
OCRPIPE_DECL std::string prometheus_text(client_statistics const& s);

inline constexpr char prometheus_content_type[] = "text/plain; version=0.0.4; charset=utf-8";

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/client/impl/prometheus_text.ipp>
#endif

#endif
