#ifndef OCRPIPE_LOAD_HPP
#define OCRPIPE_LOAD_HPP

// Umbrella header for programs that measure the service: arrivals, the load test, what its records say, and
// the search for the service's capacity.

#include <ocrpipe/client.hpp>
#include <ocrpipe/load/arrival_plan.hpp>
#include <ocrpipe/load/capacity_search.hpp>
#include <ocrpipe/load/comparison.hpp>
#include <ocrpipe/load/generated_documents.hpp>
#include <ocrpipe/load/job_record.hpp>
#include <ocrpipe/load/load_report.hpp>
#include <ocrpipe/load/load_run.hpp>
#include <ocrpipe/load/load_summary.hpp>
#include <ocrpipe/load/thresholds.hpp>

#endif
