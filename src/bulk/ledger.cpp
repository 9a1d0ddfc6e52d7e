#include <ocrpipe/bulk/ledger/impl/batched_ledger.ipp>
#include <ocrpipe/bulk/ledger/impl/ledger.ipp>
#include <ocrpipe/bulk/ledger/impl/ledger_source.ipp>
#include <ocrpipe/bulk/ledger/impl/memory_ledger.ipp>
