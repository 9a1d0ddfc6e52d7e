#include <ocrpipe/bulk/run/impl/intake.ipp>
#include <ocrpipe/bulk/run/impl/pipeline.ipp>
#include <ocrpipe/bulk/run/impl/pipeline_begin.ipp>
#include <ocrpipe/bulk/run/impl/pipeline_copies.ipp>
#include <ocrpipe/bulk/run/impl/pipeline_document.ipp>
#include <ocrpipe/bulk/run/impl/pipeline_parts.ipp>
#include <ocrpipe/bulk/run/impl/read_ahead.ipp>
#include <ocrpipe/bulk/run/impl/run_directory.ipp>
