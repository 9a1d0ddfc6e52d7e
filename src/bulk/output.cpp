#include <ocrpipe/bulk/output/impl/failures_writer.ipp>
#include <ocrpipe/bulk/output/impl/jsonl_file.ipp>
#include <ocrpipe/bulk/output/impl/part_files.ipp>
#include <ocrpipe/bulk/output/impl/report.ipp>
#include <ocrpipe/bulk/output/impl/result_line.ipp>
#include <ocrpipe/bulk/output/impl/results_reader.ipp>
#include <ocrpipe/bulk/output/impl/results_writer.ipp>
