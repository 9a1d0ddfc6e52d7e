#ifndef OCRPIPE_TOOLS_REPORT_SERVER_HPP
#define OCRPIPE_TOOLS_REPORT_SERVER_HPP

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <string>

namespace ocrpipe::cli
{

/// Shows a run to browsers and to Prometheus while it goes on: the report page at /, /report.json, /metrics
/// and /healthz. Each is made from the text of report.json as it would be written now.
///
/// A server on a loopback address answers only requests for a loopback host, so that no page of another site
/// can read it through a name of its own (DNS rebinding). At most 16 connections at a time, one request each,
/// within 10 seconds; the oldest gives way to a new one.
///
/// Thread safety: none; it runs on the thread of the io_context, which it does not keep from ending.
class report_server
{
public:
    /// Listens when it returns. Port 0 takes a free one. `report_json` is called on the io_context's thread.
    ///
    /// Errors: throws boost::system::system_error, for example if the port is in use.
    report_server(boost::asio::io_context& ioc, boost::asio::ip::tcp::endpoint const& where,
                  std::function<std::string()> report_json);
    /// No request is answered after this.
    ~report_server();

    /// "http://127.0.0.1:9464/"
    std::string url() const;

private:
    class impl;
    std::shared_ptr<impl> impl_;
};

} // namespace ocrpipe::cli

#endif
