// A user's test against the service on this machine: one document is read, after a fault that the client
// retries.
#include <ocrpipe/client.hpp>
#include <ocrpipe/emulator/emulator.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <string>

int main()
{
    ocrpipe::emulator::emulator_options service_options;
    service_options.faults.push_back(*ocrpipe::emulator::parse_fault("throttle-429:count=1:route=submit"));
    ocrpipe::emulator::emulator service(service_options);

    boost::asio::io_context ioc(1);
    ocrpipe::client_options options;
    options.endpoint.base_url = service.base_url();
    options.endpoint.portal_user_id = service_options.portal_user_id;
    options.endpoint.api_key = ocrpipe::secret(service_options.api_key);
    ocrpipe::client client(ioc, options);

    std::string text;
    ocrpipe::submit_request const request(ocrpipe::document::from_bytes("%PDF-1.4", "a.pdf"), "INVOICE");
    client.async_recognize(request, [&](ocrpipe::result<ocrpipe::ocr_result> r) {
        text = r ? r->text() : std::string();
        std::puts(r ? "read" : to_string(r.error()).c_str());
    });
    ioc.run();
    return !text.empty() && service.all_faults_happened() && service.counters().jobs == 1 ? 0 : 1;
}
