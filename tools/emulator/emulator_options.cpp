#include "emulator/emulator_options.hpp"

#include <boost/asio/ip/address.hpp>

#include <fmt/format.h>

namespace ocrpipe::emulator
{

std::vector<std::string> emulator_options::validate() const
{
    std::vector<std::string> problems;
    auto const require = [&problems](bool holds, std::string problem) {
        if (!holds) problems.push_back(std::move(problem));
    };
    boost::system::error_code ec;
    auto const parsed = boost::asio::ip::make_address(address, ec);
    require(!ec && parsed.is_loopback(),
            fmt::format("address: '{}' is not a loopback address; the emulator guards nothing", address));
    require(!api_key.empty(), "api_key: must not be empty");
    require(!portal_user_id.empty() && portal_user_id.find_first_of("/?#%") == std::string::npos,
            "portal_user_id: must not be empty nor contain / ? # %");
    require(tls.cert.empty() == tls.key.empty(), "tls: a certificate and its key belong together");
    require(tls.client_ca.empty() || !tls.cert.empty(), "tls.client_ca: needs tls.cert");
    require(reader_threads >= 1 && reader_threads <= 64, "reader_threads: 1 to 64");
    require(documents_per_file >= 1 && documents_per_file <= 50, "documents_per_file: 1 to 50");
    require(max_body >= 1, "max_body: at least 1");
    require(idle_limit.count() >= 0, "idle_limit: not negative");
    return problems;
}

} // namespace ocrpipe::emulator
