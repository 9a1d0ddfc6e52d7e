#ifndef OCRPIPE_BENCH_ANSWER_TEXT_HPP
#define OCRPIPE_BENCH_ANSWER_TEXT_HPP

#include <stdexcept>
#include <string>
#include <string_view>

namespace bench
{

/// The request_id in the answer to a submit, found by searching for its key.
inline std::string request_id_in(std::string_view body)
{
    constexpr std::string_view key = "\"request_id\":\"";
    std::size_t const at = body.find(key);
    std::size_t const end = at == body.npos ? at : body.find('"', at + key.size());
    if (end == body.npos) throw std::runtime_error("no request_id in: " + std::string(body.substr(0, 200)));
    return std::string(body.substr(at + key.size(), end - at - key.size()));
}

/// Whether a result is not there yet. A finished one is much longer than this.
inline bool is_pending(std::string_view body)
{
    return body.size() < 200 && body.find("\"documents\":[]") != body.npos;
}

} // namespace bench

#endif
