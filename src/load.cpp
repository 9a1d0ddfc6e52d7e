#include <ocrpipe/load/impl/arrival_plan.ipp>
#include <ocrpipe/load/impl/backlog_trend.ipp>
#include <ocrpipe/load/impl/capacity_search.ipp>
#include <ocrpipe/load/impl/job_record.ipp>
#include <ocrpipe/load/impl/survival.ipp>
