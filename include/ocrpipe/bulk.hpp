#ifndef OCRPIPE_BULK_HPP
#define OCRPIPE_BULK_HPP

// Umbrella header for programs that read many documents: sources, the ledger, the pipeline and its output
// files. To call open_sqlite_ledger(), also link ocrpipe::sqlite_ledger.

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/ledger/ledger_source.hpp>
#include <ocrpipe/bulk/ledger/memory_ledger.hpp>
#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>
#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/bulk/output/result_line.hpp>
#include <ocrpipe/bulk/output/results_reader.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/bulk/run/run_configuration.hpp>
#include <ocrpipe/bulk/source/directory_source.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>
#include <ocrpipe/bulk/source/names_source.hpp>
#include <ocrpipe/bulk/source/open_input.hpp>
#include <ocrpipe/client.hpp>
#include <ocrpipe/measure/run_measurements.hpp>

#endif
