#ifndef OCRPIPE_TOOLS_LOAD_DOCUMENTS_HPP
#define OCRPIPE_TOOLS_LOAD_DOCUMENTS_HPP

#include <ocrpipe/load/load_run.hpp>

#include "logger.hpp"
#include "plan.hpp"

#include <cstdint>
#include <functional>

namespace ocrpipe::cli
{

/// The documents of a load test: generated, or the files of its inputs, in turn. Problems with inputs are
/// warnings. Empty if there is no document.
std::function<load_document(std::uint64_t number)> open_documents(load_plan const& p, logger& log);

} // namespace ocrpipe::cli

#endif
