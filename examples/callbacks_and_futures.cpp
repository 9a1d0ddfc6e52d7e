// The same operation with three completion tokens: a callback, a future, and a coroutine.
//
//     callbacks_and_futures FILE FILE FILE
#include "service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <atomic>
#include <cstdio>
#include <exception>
#include <future>
#include <string>
#include <thread>

namespace asio = boost::asio;

namespace
{

std::atomic<int> failures{0};

void print(char const* how, ocrpipe::result<ocrpipe::ocr_result> const& answer)
{
    if (answer) {
        std::printf("%s: %s\n", how, answer->text().c_str());
        return;
    }
    ++failures;
    std::fprintf(stderr, "%s: %s\n", how, to_string(answer.error()).c_str());
}

ocrpipe::submit_request request_for(char const* path)
{
    return ocrpipe::submit_request(ocrpipe::document::from_file(path), "INVOICE");
}

asio::awaitable<void> recognize(ocrpipe::client& client, char const* path)
{
    ocrpipe::submit_request request = request_for(path);
    auto const answer = co_await client.async_recognize(std::move(request), asio::use_awaitable);
    print("coroutine", answer);
}

} // namespace

int main(int argc, char** argv)
try {
    if (argc != 4) {
        std::fputs("usage: callbacks_and_futures FILE FILE FILE\n", stderr);
        return 2;
    }
    asio::io_context ioc(1);
    ocrpipe::client client(ioc, options_from_environment());

    client.async_recognize(request_for(argv[1]),
                           [](ocrpipe::result<ocrpipe::ocr_result> answer) { print("callback", answer); });
    asio::co_spawn(ioc, recognize(client, argv[3]), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    // Another thread runs the context, because this one waits for the future.
    std::future<ocrpipe::result<ocrpipe::ocr_result>> later =
        client.async_recognize(request_for(argv[2]), asio::use_future);
    std::thread runner([&] { ioc.run(); });
    print("future", later.get());
    runner.join();
    return failures == 0 ? 0 : 1;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
}
