#ifndef OCRPIPE_TOOLS_LOAD_DOCUMENTS_HPP
#define OCRPIPE_TOOLS_LOAD_DOCUMENTS_HPP

#include <ocrpipe/load/load_run.hpp>

#include "logger.hpp"
#include "plan.hpp"

#include <cstdint>
#include <functional>

namespace ocrpipe::cli
{

struct load_documents {
    /// Makes a document; empty if there is none.
    std::function<load_document(std::uint64_t number)> make;
    std::uint64_t unreadable_inputs = 0; ///< each of them was a warning
};

/// The documents of a load test: generated, or the files of its inputs, in turn.
load_documents open_documents(load_plan const& p, logger& log);

} // namespace ocrpipe::cli

#endif
