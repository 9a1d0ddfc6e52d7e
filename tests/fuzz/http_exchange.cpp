// "<seed> <request body's KiB> <answer after so many KiB of the request> <end: 0 orderly, 1 unread bytes
// left, 2 after half the answer>" on the first line, then the bytes that a peer answers with, over a real
// pair of sockets and the engine's own connection and exchange. It always ends, what is said about the bytes
// that were sent is true, and an answer is the one that the peer gave.

#include <ocrpipe/http/deadline.hpp>
#include <ocrpipe/http/exchange.hpp>

#include "fuzz_input.hpp"

#include <boost/asio/co_spawn.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace
{

using namespace ocrpipe;

class letters final : public body_source
{
public:
    explicit letters(std::size_t size) : size_(size) {}

    std::uint64_t size() const noexcept override { return size_; }
    std::size_t read(std::span<char> out, error_code& ec) override
    {
        ec = {};
        std::size_t const n = std::min(out.size(), size_ - at_);
        std::fill_n(out.begin(), n, 'x');
        at_ += n;
        return n;
    }
    void rewind() override { at_ = 0; }

private:
    std::size_t size_;
    std::size_t at_ = 0;
};

/// The other end: reads some of the request, then answers in pieces and closes.
class hostile_peer
{
public:
    hostile_peer(int fd, std::string_view answer, std::size_t wants, bool leaves_unread, cutter cut)
        : fd_(fd), answer_(answer), wants_(wants), leaves_unread_(leaves_unread), cut_(cut)
    {
    }
    ~hostile_peer() { close(); }

    /// One system call's worth; false once it has closed.
    bool step()
    {
        if (fd_ < 0) return false;
        if (seen_ < wants_) {
            char room[16 * 1024];
            ::ssize_t const n = ::recv(fd_, room, sizeof room, 0);
            if (n > 0) {
                seen_ += static_cast<std::size_t>(n);
                return true;
            }
            wants_ = 0; // no more will come before we speak
        } else if (!answer_.empty()) {
            std::size_t const n = cut_.next(answer_.size());
            ::ssize_t const sent = ::send(fd_, answer_.data(), n, MSG_NOSIGNAL);
            // The client has left, or takes no more.
            answer_.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : answer_.size());
        } else {
            if (!leaves_unread_) drain();
            close();
        }
        return true;
    }

    std::size_t seen() const noexcept { return seen_; } ///< bytes of the request, those left unread included
    bool orderly() const noexcept { return orderly_; }

private:
    void drain()
    {
        char room[16 * 1024];
        for (::ssize_t n; (n = ::recv(fd_, room, sizeof room, 0)) > 0;)
            seen_ += static_cast<std::size_t>(n);
    }

    void close()
    {
        if (fd_ < 0) return;
        int unread = 0;
        ::ioctl(fd_, FIONREAD, &unread);
        seen_ += static_cast<std::size_t>(unread);
        orderly_ = unread == 0;
        ::close(std::exchange(fd_, -1));
    }

    int fd_;
    std::string_view answer_;
    std::size_t wants_;
    std::size_t seen_ = 0;
    bool leaves_unread_;
    bool orderly_ = false;
    cutter cut_;
};

struct outcome {
    bool done = false;
    bool answered = false;
    bool reusable = false;
    bool complete = false;
    bool keep_alive = false;
    http_response response;
    transport_failure failure;
};

task<void> run(detail::exchange& e, detail::pooled_buffer& request, body_source* body,
               detail::answer_reader& answer, outcome& out)
{
    out.answered = co_await e.run(request, body, out.failure);
    out.reusable = e.reusable();
    out.complete = answer.complete();
    out.keep_alive = answer.keep_alive();
    out.response = std::move(answer.response());
    out.done = true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    fuzz_input input(data, size);
    fuzz_input head(input.line());
    std::uint64_t const seed = head.number();
    std::size_t const body_size = (head.number() % 600) * 1024;
    std::size_t const wants = (head.number() % 700) * 1024;
    std::uint32_t const end = head.number() % 3;
    std::string_view bytes = input.rest();
    if (end == 2) bytes = bytes.substr(0, bytes.size() / 2);

    detail::answer_limits limits;
    limits.max_header = 2048;
    limits.max_body = 16 * 1024;

    int fds[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0, "socketpair");
    int const room = 8 * 1024; // small, so that an upload has to wait
    ::setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    hostile_peer peer(fds[1], bytes, wants, end == 1, cutter(seed));

    asio::io_context ioc(1);
    detail::watchdog dog(ioc.get_executor());
    detail::shared_io shared(ioc.get_executor());
    outcome out;
    {
        detail::tcp_socket socket(ioc);
        socket.assign(detail::tcp::v4(), fds[0]);
        socket.non_blocking(true);
        detail::connection connection(std::move(socket), dog, shared);
        timeout_options const timeouts;
        detail::exchange exchange(connection, shared, limits, timeouts,
                                  clock::now() + std::chrono::seconds(20));
        detail::pooled_buffer request(shared);
        request->append("POST /ingest HTTP/1.1\r\nHost: x\r\n\r\n");
        letters body(body_size);
        std::exception_ptr thrown;
        asio::co_spawn(ioc, run(exchange, request, &body, connection.answer(), out),
                       [&](std::exception_ptr e) { thrown = e; });
        do {
            while (ioc.poll() != 0) {
            }
        } while (!out.done && !thrown && peer.step());
        if (!out.done && !thrown) ioc.run_for(std::chrono::seconds(5));
        require(!thrown, "nothing is thrown");
        require(out.done, "an exchange ends when its peer has gone");
        // Before the socket goes, so that what the peer did not read is still counted.
        while (peer.step()) {
        }
    }

    detail::answer_reader expected;
    expected.start(limits);
    error_code ec;
    expected.put(bytes, ec);
    if (out.answered) {
        // Closing with bytes unread resets the connection, and then there is no end of the stream.
        if (!ec && !expected.complete() && peer.orderly()) expected.put_eof(ec);
        require(out.complete && expected.complete(), "an answer is whole");
        require(out.response.status == expected.response().status &&
                    out.response.body == expected.response().body,
                "an answer is the one that the peer gave");
        require(!out.reusable || (out.keep_alive && peer.seen() >= body_size),
                "a connection is kept after a whole exchange only");
    } else {
        transport_failure const& f = out.failure;
        require(is_transport(f.code), "a failure is one of the transport's");
        require(f.code != errc::read_timeout && f.code != errc::first_byte_timeout &&
                    f.code != errc::write_timeout,
                "nothing waited for a time-out");
        require(f.sent != bytes_sent::none || peer.seen() == 0,
                "when nothing was sent, the peer has seen nothing");
        require(!out.reusable, "a connection that failed is not kept");
    }
    return 0;
}
