// Coroutines with your own source and sink. The paths come from standard input, one per line. The results go
// to standard output, one JSON object per line. At most sixteen documents are in progress at a time, so paths
// are read only as fast as results are written.
//
// Nothing is recorded: if the process dies, the documents in progress are paid for, but their results are
// lost. If that matters, use `pipeline` in <ocrpipe/bulk.hpp>, which keeps a ledger.
#include "service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include <cstdio>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

namespace asio = boost::asio;

namespace
{

class source
{
public:
    std::optional<std::string> next()
    {
        std::string path;
        if (!std::getline(std::cin, path)) return std::nullopt;
        return path;
    }
};

class sink
{
public:
    void put(std::string const& path, ocrpipe::result<ocrpipe::ocr_result> const& answer)
    {
        boost::json::object line{{"path", path}};
        if (answer) {
            line["request_id"] = answer->request_id();
            line["text"] = answer->text();
        } else {
            all_well = false;
            line["error"] = to_string(answer.error());
            line["request_id"] = answer.error().request_id; // if there is one, the document was paid for
        }
        std::cout << line << '\n';
    }

    bool all_well = true;
};

asio::awaitable<void> work(ocrpipe::client& client, source& from, sink& to)
{
    while (std::optional<std::string> path = from.next()) {
        ocrpipe::submit_request request(ocrpipe::document::from_file(*path), "INVOICE");
        auto const answer = co_await client.async_recognize(std::move(request), asio::use_awaitable);
        to.put(*path, answer);
    }
}

} // namespace

int main()
try {
    asio::io_context ioc(1);
    ocrpipe::client client(ioc, options_from_environment());
    source from;
    sink to;
    for (int i = 0; i != 16; ++i)
        asio::co_spawn(ioc, work(client, from, to), [](std::exception_ptr e) {
            if (e) std::rethrow_exception(e);
        });
    ioc.run();
    return to.all_well ? 0 : 1;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
}
