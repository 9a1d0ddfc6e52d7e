#ifndef OCRPIPE_BULK_HPP
#define OCRPIPE_BULK_HPP

// The door for a program that reads many documents: where they come from, the durable record of a run, the
// run itself, and what it leaves behind. open_sqlite_ledger() needs the library ocrpipe::sqlite_ledger.

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/ledger/ledger_source.hpp>
#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>
#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/bulk/output/result_line.hpp>
#include <ocrpipe/bulk/output/results_reader.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/bulk/source/directory_source.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>
#include <ocrpipe/bulk/source/names_source.hpp>
#include <ocrpipe/bulk/source/open_input.hpp>
#include <ocrpipe/client.hpp>

#endif
