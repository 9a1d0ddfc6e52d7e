#include "metrics_option.hpp"

#include "option_reader.hpp"

#include <boost/system/system_error.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>

namespace ocrpipe::cli
{

using boost::asio::ip::tcp;

std::optional<tcp::endpoint> parse_listen_address(std::string_view text)
{
    auto const colon = text.rfind(':');
    if (colon == text.npos) return std::nullopt;
    std::string_view host = text.substr(0, colon), digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    auto const [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    bool const bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    error_code ec;
    auto const address = boost::asio::ip::make_address(std::string(host), ec);
    if (ec || address.is_v6() != bracketed) return std::nullopt;
    return tcp::endpoint(address, port);
}

std::optional<tcp::endpoint> read_metrics(option_reader& read)
{
    using address = std::optional<tcp::endpoint>;
    auto const parse = [](std::string_view text) -> std::optional<address> {
        if (text.empty()) return address();
        auto const where = parse_listen_address(text);
        if (!where) return std::nullopt;
        return where;
    };
    auto const where = read.value("metrics", parse, "an address and a port such as 127.0.0.1:9464");
    bool const remote = read.is_on("metrics-allow-remote");
    if (where && !where->address().is_loopback() && !remote)
        read.problem(read.names().of("metrics"),
                     "other machines could read the names of documents at this address, without a password: "
                     "give a loopback address, or add --metrics-allow-remote");
    return where;
}

std::unique_ptr<report_server> open_report_server(boost::asio::io_context& ioc, tcp::endpoint const& where,
                                                  std::function<std::string()> report_json, logger& log)
{
    try {
        auto server = std::make_unique<report_server>(ioc, where, std::move(report_json));
        log.write(message(level::info, "metrics",
                          fmt::format("the report is at {0}, metrics are at {0}metrics", server->url()),
                          {{"url", server->url()}}));
        return server;
    } catch (boost::system::system_error const& e) {
        log.write(message(level::error, "usage",
                          fmt::format("--metrics: cannot listen on {} port {}: {}: choose another port",
                                      where.address().to_string(), where.port(), e.code().message())));
        return nullptr;
    }
}

} // namespace ocrpipe::cli
