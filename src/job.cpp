#include <ocrpipe/job/impl/part_fsm.ipp>
#include <ocrpipe/job/impl/result_fsm.ipp>
#include <ocrpipe/job/impl/submit_fsm.ipp>
