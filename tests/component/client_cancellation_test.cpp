// Every operation, cancelled in every phase, with every type: it ends once, and nothing of it is left.
#include <ocrpipe/client.hpp>

#include "support/scripted_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

enum class phase_to_reach {
    in_flight,
    rate,
    connection,
    connecting,
    tls,
    writing,
    waiting,
    reading,
    sleeping
};
enum class kind { submit, result, wait, recognize, part };

std::ptrdiff_t open_descriptors()
{
    std::filesystem::directory_iterator const all("/proc/self/fd");
    return std::distance(begin(all), end(all));
}

bool sends_document(kind k) { return k == kind::submit || k == kind::recognize; }

bool exists(phase_to_reach p, kind k)
{
    switch (p) {
    case phase_to_reach::in_flight:
        return k == kind::recognize;
    case phase_to_reach::writing:
        return sends_document(k);
    case phase_to_reach::sleeping:
        return k == kind::wait || k == kind::recognize || k == kind::part;
    default:
        return true;
    }
}

/// An hour between two polls.
class rarely final : public poll_schedule
{
public:
    std::chrono::milliseconds next_delay(poll_context const&, double) const override { return 1h; }
};

std::string json(std::string const& body)
{
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// A client and its server, each with an io_context, in one thread.
class cell
{
public:
    cell(phase_to_reach p, kind k) : phase_(p), kind_(k) {}

    void cancel_with(asio::cancellation_type type)
    {
        asio::ip::tcp::acceptor stuck(server_ioc_, {asio::ip::address_v4::loopback(), 0});
        scripted_server server(server_ioc_, [this](scripted_peer& p) { return serve(p); });
        {
            client c(ioc_, options(server.url(), stuck));
            if (needs_blocker()) {
                start(c, nullptr);
                settle([&] { return sent_ >= 1; });
            }
            asio::cancellation_signal signal;
            start(c, &signal);
            settle([&] { return needs_blocker() || sent_ >= 1 || !is_sent(); });
            CHECK(ended_ == 0);
            signal.emit(type);
            settle([&] { return ended_ == 1; });
            CHECK(ended_ == 1);
            CHECK((code_ == errc::cancelled || (sends_document(kind_) && code_ == errc::ambiguous_submit)));
            if (!needs_blocker()) CHECK(ioc_.stopped());
        }
        settle([&] { return ioc_.stopped(); });
        CHECK(ioc_.stopped());
        fillers_.clear();
        server.stop();
        settle([] { return true; });
    }

private:
    bool needs_blocker() const
    {
        return phase_ == phase_to_reach::in_flight || phase_ == phase_to_reach::rate ||
               phase_ == phase_to_reach::connection;
    }
    /// Whether the server sees something of the operation before it is cancelled.
    bool is_sent() const { return phase_ != phase_to_reach::connecting && phase_ != phase_to_reach::tls; }

    client_options options(std::string url, asio::ip::tcp::acceptor& stuck)
    {
        client_options o;
        o.endpoint.portal_user_id = "1";
        o.endpoint.api_key = secret("key");
        o.schedule = std::make_shared<rarely>();
        o.pool.submit_connections = o.pool.poll_connections = o.pool.part_connections = 1;
        if (phase_ == phase_to_reach::in_flight) o.rates.max_in_flight = 1;
        if (phase_ == phase_to_reach::rate) o.rates.submits_per_second = o.rates.polls_per_second = 0.01;
        if (phase_ == phase_to_reach::tls) url.replace(0, 4, "https");
        if (phase_ == phase_to_reach::connecting) {
            stuck.listen(0);
            for (int i = 0; i != 4; ++i)
                fillers_.emplace_back(server_ioc_).async_connect(stuck.local_endpoint(), [](error_code) {});
            url = "http://127.0.0.1:" + std::to_string(stuck.local_endpoint().port());
        }
        o.endpoint.base_url = std::move(url);
        o.endpoint.allow_plain_http = true;
        return o;
    }

    task<void> serve(scripted_peer& p)
    {
        if (phase_ == phase_to_reach::tls) co_await p.hold();
        while (!p.ended()) {
            if (phase_ == phase_to_reach::writing) {
                ++sent_;
                co_await p.hold();
                co_return;
            }
            std::string const request = co_await p.read_request();
            if (p.ended()) co_return;
            bool const is_post = request.starts_with("POST");
            bool const is_hit = !is_post || kind_ != kind::recognize || phase_ == phase_to_reach::connection;
            std::string const body = is_post ? R"({"data":{"request_id":"r-1"}})" : R"({"data":{}})";
            std::string answer = json(body);
            if (is_hit) {
                if (phase_ == phase_to_reach::waiting || phase_ == phase_to_reach::connection) answer.clear();
                if (phase_ == phase_to_reach::reading) answer.resize(answer.size() - 5);
            }
            if (!answer.empty()) co_await p.write(answer);
            if (is_hit || phase_ == phase_to_reach::in_flight || phase_ == phase_to_reach::rate ||
                phase_ == phase_to_reach::sleeping)
                ++sent_;
            if (is_hit && phase_ != phase_to_reach::rate && phase_ != phase_to_reach::sleeping) {
                co_await p.until_closed();
                co_return;
            }
        }
    }

    void start(client& c, asio::cancellation_signal* signal)
    {
        auto const note = [this, counts = signal != nullptr](auto const& r) {
            if (!counts) return;
            ++ended_;
            code_ = r.error().code;
        };
        auto handler =
            asio::bind_cancellation_slot(signal ? signal->slot() : asio::cancellation_slot(), note);
        std::size_t const size = phase_ == phase_to_reach::writing ? 16'000'000 : 100;
        submit_request document(document::from_bytes("%PDF-1.4 " + std::string(size, 'x'), "a.pdf"), "A");
        wait_request waiting("r-1");
        switch (kind_) {
        case kind::submit:
            return c.async_submit(std::move(document), std::move(handler));
        case kind::result:
            return c.async_result("r-1", std::move(handler));
        case kind::wait:
            return c.async_wait(std::move(waiting), std::move(handler));
        case kind::recognize:
            return c.async_recognize(std::move(document), std::move(handler));
        case kind::part:
            return c.async_table("r-1", "d-1", std::move(handler));
        }
    }

    /// Runs both sides until `reached`, and until nothing is ready; for ten seconds at most.
    void settle(std::function<bool()> const& reached)
    {
        auto const give_up = std::chrono::steady_clock::now() + 10s;
        for (int idle = 0; idle != 5 && std::chrono::steady_clock::now() < give_up;) {
            server_ioc_.restart();
            ioc_.restart();
            std::size_t const ran = server_ioc_.run_for(200us) + ioc_.run_for(200us);
            idle = ran == 0 && reached() ? idle + 1 : 0;
        }
    }

    phase_to_reach const phase_;
    kind const kind_;
    asio::io_context server_ioc_;
    asio::io_context ioc_;
    std::deque<asio::ip::tcp::socket> fillers_;
    int sent_ = 0; ///< requests that got where they should be stopped
    int ended_ = 0;
    error_code code_;
};

} // namespace

TEST_CASE("client: every operation cancelled in every phase with every type -> it ends once and leaves no "
          "timer, no slot and no descriptor")
{
    { // what the first use of TLS and of the resolver opens
        cell warm_up(phase_to_reach::tls, kind::result);
        warm_up.cancel_with(asio::cancellation_type::terminal);
    }
    using enum phase_to_reach;
    int cells = 0;
    for (auto const p : {in_flight, rate, connection, connecting, tls, writing, waiting, reading, sleeping})
        for (auto const k : {kind::submit, kind::result, kind::wait, kind::recognize, kind::part})
            for (auto const type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                                    asio::cancellation_type::total}) {
                if (!exists(p, k)) continue;
                CAPTURE(static_cast<int>(p));
                CAPTURE(static_cast<int>(k));
                CAPTURE(static_cast<unsigned>(type));
                std::ptrdiff_t const before = open_descriptors();
                {
                    cell c(p, k);
                    c.cancel_with(type);
                }
                CHECK(open_descriptors() == before);
                ++cells;
            }
    CHECK(cells == 108);
}
