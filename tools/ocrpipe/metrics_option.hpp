#ifndef OCRPIPE_TOOLS_METRICS_OPTION_HPP
#define OCRPIPE_TOOLS_METRICS_OPTION_HPP

#include "logger.hpp"
#include "report_server.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe::cli
{

class option_reader;

/// "127.0.0.1:9464", "[::1]:9464" or "localhost:9464"; port 0 is any free one.
std::optional<boost::asio::ip::tcp::endpoint> parse_listen_address(std::string_view text);

/// The value of --metrics; nothing if it is not given. An address of the network needs
/// --metrics-allow-remote.
std::optional<boost::asio::ip::tcp::endpoint> read_metrics(option_reader& read);

/// Listens, and logs the address. Returns null and logs the reason if the address cannot be used.
std::unique_ptr<report_server> open_report_server(boost::asio::io_context& ioc,
                                                  boost::asio::ip::tcp::endpoint const& where,
                                                  std::function<std::string()> report_json, logger& log);

} // namespace ocrpipe::cli

#endif
