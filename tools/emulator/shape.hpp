#ifndef OCRPIPE_EMULATOR_SHAPE_HPP
#define OCRPIPE_EMULATOR_SHAPE_HPP

#include <ocrpipe/core/result.hpp>

#include <string>
#include <string_view>

namespace ocrpipe::emulator
{

/// What the service's answers look like where the usage guide is silent. The default is what public clients
/// observed.
struct response_shape {
    enum class value_style { objects, strings };
    enum class id_style {
        text,
        numbers,  ///< JSON numbers beyond 2^53
        reserved, ///< text with characters that must be percent-encoded in a path
    };

    bool submit_enveloped = true;                ///< request_id below "data", or at the top
    bool result_enveloped = true;                ///< documents below "data", or at the top
    bool file_ids = true;                        ///< whether a submit's answer has file_ids
    value_style values = value_style::objects;   ///< what stands in ocr_data[].value
    id_style ids = id_style::text;               ///< request, document and file ids
    std::string document_id_key = "document_id"; ///< Assumed: the guide names no key
    bool status = true;                          ///< whether a finished result has a status
    bool progress = true;                        ///< whether results have a progress object
    std::string pending_word;          ///< status while pending; empty: none, unless there is no progress
    std::string done_word = "SUCCESS"; ///< status when finished
    int submit_status = 201;           ///< HTTP status of an accepted submit
};

/// Reads a comma-separated list, such as `top-level,values=strings,ids=numbers,no-progress,done=COMPLETED`;
/// see shape_help().
result<response_shape> parse_shape(std::string_view text);

/// The words parse_shape() reads, for people.
std::string_view shape_help() noexcept;

} // namespace ocrpipe::emulator

#endif
