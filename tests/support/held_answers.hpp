#ifndef OCRPIPE_TESTS_SUPPORT_HELD_ANSWERS_HPP
#define OCRPIPE_TESTS_SUPPORT_HELD_ANSWERS_HPP

#include "support/http_fixture.hpp"

#include <limits>
#include <string>
#include <vector>

/// A server that holds each answer until the test releases it, in the order in which the requests arrived.
class held_answers
{
public:
    scripted_server::script script()
    {
        return [this](scripted_peer& p) -> ocrpipe::task<void> {
            for (int i = 0; i < requests_per_connection; ++i) {
                std::string const request = co_await p.read_request();
                if (p.ended()) co_return;
                requests.push_back(request);
                int const mine = ++arrived;
                auto const may_answer = [this, mine, &p] {
                    return released >= mine || !p.socket().is_open();
                };
                co_await until(may_answer);
                co_await p.write(answer(std::to_string(mine)));
            }
        };
    }

    /// Waits until `n` requests have arrived. All exchanges that were started before then have asked for a
    /// connection.
    ocrpipe::task<void> async_arrived(int n)
    {
        auto const all = [this, n] { return arrived == n; };
        co_await until(all);
    }

    void release_all() { released = std::numeric_limits<int>::max(); }

    int requests_per_connection = std::numeric_limits<int>::max(); ///< after which it is closed
    int arrived = 0;
    int released = 0;
    std::vector<std::string> requests;
};

#endif
