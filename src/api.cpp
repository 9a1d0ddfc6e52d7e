#include <ocrpipe/api/impl/body_facts.ipp>
#include <ocrpipe/api/impl/classify.ipp>
#include <ocrpipe/api/impl/file_type.ipp>
#include <ocrpipe/api/impl/multipart.ipp>
#include <ocrpipe/api/impl/ocr_result.ipp>
#include <ocrpipe/api/impl/operation.ipp>
#include <ocrpipe/api/impl/profile.ipp>
#include <ocrpipe/api/impl/strict_json.ipp>
