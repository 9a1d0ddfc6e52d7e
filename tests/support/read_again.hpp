#ifndef OCRPIPE_TESTS_READ_AGAIN_HPP
#define OCRPIPE_TESTS_READ_AGAIN_HPP

#include <ocrpipe/api/classify.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace ocrpipe::tests
{

/// What became of an answer that stays the same.
struct taken {
    result_reading last;
    std::chrono::seconds after{0};
    int reads = 0;
};

/// Reads the same answer every two seconds until it is decided, for at most so long.
inline taken read_until_decided(std::string_view body, std::chrono::seconds longest)
{
    using std::chrono::seconds;
    result_history history;
    taken t;
    for (seconds at{0}; at <= longest; at += seconds(2)) {
        http_response r;
        r.status = 200;
        r.content_type = "application/json";
        r.body = body;
        t.last = read_result(exchange_result(std::move(r)), history, default_profile(), "req", false,
                             clock::time_point(seconds(1000) + at));
        t.after = at;
        ++t.reads;
        if (t.last.what != result_verdict::pending && t.last.what != result_verdict::retry) break;
    }
    return t;
}

} // namespace ocrpipe::tests

#endif
