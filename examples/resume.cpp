// Gets the results of jobs that another process submitted. You need only the request_id of each job. Reading
// a result costs nothing.
//
//     resume r-17 r-18 r-19
#include "service.hpp"

#include <cstdio>
#include <exception>

int main(int argc, char** argv)
try {
    if (argc < 2) {
        std::fputs("usage: resume REQUEST_ID...\n", stderr);
        return 2;
    }
    boost::asio::io_context ioc(1);
    ocrpipe::client client(ioc, options_from_environment());
    int exit_code = 0;
    for (int i = 1; i != argc; ++i) {
        ocrpipe::wait_request job(argv[i]);
        job.deadline = std::chrono::minutes(10);
        client.async_wait(std::move(job), [&, id = argv[i]](ocrpipe::result<ocrpipe::ocr_result> answer) {
            if (answer) {
                std::printf("%s: %s\n", id, answer->text().c_str());
                return;
            }
            // After errc::still_processing, the same call may give the result later.
            std::fprintf(stderr, "%s: %s\n", id, to_string(answer.error()).c_str());
            exit_code = 1;
        });
    }
    ioc.run();
    return exit_code;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
}
