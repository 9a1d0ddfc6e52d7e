// Sends one document and prints its text.
//
//     export OCRPIPE_PORTAL_USER_ID=... OCRPIPE_API_KEY=...
//     recognize invoice.pdf
#include <ocrpipe/client.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>

int main(int argc, char** argv)
try {
    char const* const user = std::getenv("OCRPIPE_PORTAL_USER_ID");
    char const* const key = std::getenv("OCRPIPE_API_KEY");
    char const* const url = std::getenv("OCRPIPE_BASE_URL"); // such as that of `ocrpipe emulator`
    if (argc != 2 || !user || !key) {
        std::fputs("usage: recognize FILE, with OCRPIPE_PORTAL_USER_ID and OCRPIPE_API_KEY set\n", stderr);
        return 2;
    }
    ocrpipe::client_options options;
    options.endpoint.portal_user_id = user;
    options.endpoint.api_key = ocrpipe::secret(key);
    if (url) options.endpoint.base_url = url;

    boost::asio::io_context ioc(1);
    ocrpipe::client client(ioc, options);
    int exit_code = 1;
    client.async_recognize(ocrpipe::submit_request(ocrpipe::document::from_file(argv[1]), "INVOICE"),
                           [&](ocrpipe::result<ocrpipe::ocr_result> answer) {
                               if (answer) {
                                   std::puts(answer->text().c_str());
                                   exit_code = 0;
                               } else {
                                   std::fprintf(stderr, "%s\n", to_string(answer.error()).c_str());
                               }
                           });
    ioc.run();
    return exit_code;
} catch (std::exception const& e) { // an option is wrong
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
}
