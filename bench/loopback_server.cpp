// The OCR service's protocol on a port of its own, for the instruction gate: no nginx is needed, and nothing
// waits.
//
// Prints its port, serves until standard input ends, then prints the numbers of submits and results and of
// body bytes as JSON.

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>

namespace
{

/// What has arrived of one connection's current request.
struct connection {
    std::string head;
    std::size_t body_left = 0;
    bool in_body = false;
};

class server
{
public:
    server();
    void run();

private:
    void accept_all();
    bool read_from(int fd, connection& c);
    void take(int fd, connection& c, std::string_view input);
    void answer(int fd, std::string_view head);

    int listener_ = -1;
    int epoll_ = -1;
    std::unordered_map<int, connection> connections_;
    std::array<char, 256 * 1024> input_;
    std::size_t submits_ = 0;
    std::size_t results_ = 0;
    std::size_t body_bytes_ = 0;
    std::string values_;
};

server::server()
{
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof here;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&here), length) != 0 ||
        ::listen(listener_, 1024) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &length) != 0) {
        std::perror("loopback_server");
        std::exit(1);
    }
    std::printf("%d\n", ntohs(here.sin_port));
    std::fflush(stdout);
    for (int i = 1; values_.size() < 1600; ++i) {
        std::string const n = std::to_string(i);
        values_ += (i == 1 ? "" : ",") + std::string("{\"name\":\"line_item_") + n +
                   "\",\"value\":[{\"name\":\"line_item\",\"extracted_value\":\"part no. " + n +
                   ", grey\",\"extracted_prob\":0.98,\"coordinates\":[120,340,980,370]}]}";
    }
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    for (int const fd : {listener_, STDIN_FILENO}) {
        epoll_event e{};
        e.events = EPOLLIN;
        e.data.fd = fd;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
    }
}

void server::accept_all()
{
    for (;;) {
        int const fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        int const on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections_.emplace(fd, connection());
        epoll_event e{};
        e.events = EPOLLIN;
        e.data.fd = fd;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
    }
}

bool server::read_from(int fd, connection& c)
{
    ssize_t const n = ::recv(fd, input_.data(), input_.size(), 0);
    if (n <= 0) return n < 0 && errno == EAGAIN;
    take(fd, c, {input_.data(), static_cast<std::size_t>(n)});
    return true;
}

void server::take(int fd, connection& c, std::string_view input)
{
    while (!input.empty()) {
        if (!c.in_body) {
            c.head.append(input);
            std::size_t const end = c.head.find("\r\n\r\n");
            if (end == c.head.npos) return;
            std::size_t const in_head = c.head.size() - input.size();
            input.remove_prefix(end + 4 - in_head);
            c.head.resize(end + 2);
            constexpr std::string_view key = "\r\nContent-Length: ";
            if (std::size_t const at = c.head.find(key); at != c.head.npos)
                std::from_chars(c.head.data() + at + key.size(), c.head.data() + c.head.size(), c.body_left);
            body_bytes_ += c.body_left;
            c.in_body = true;
        }
        std::size_t const n = std::min(c.body_left, input.size());
        c.body_left -= n;
        input.remove_prefix(n);
        if (c.body_left != 0) return;
        answer(fd, c.head);
        c = connection();
    }
    if (c.in_body && c.body_left == 0) {
        answer(fd, c.head);
        c = connection();
    }
}

void server::answer(int fd, std::string_view head)
{
    std::string body;
    bool const submit = head.starts_with("POST ");
    if (submit) {
        body = "{\"data\":{\"request_id\":\"req-0000000000000-" + std::to_string(10'000'000 + ++submits_) +
               "\"}}";
    } else {
        ++results_;
        std::size_t const path_end = head.find(' ', 4);
        std::size_t const id = head.rfind('/', path_end) + 1;
        body = "{\"data\":{\"request_id\":\"" + std::string(head.substr(id, path_end - id)) +
               "\",\"status\":\"SUCCESS\",\"progress\":{\"total_doc\":1,\"ignored\":0,\"finished\":1},"
               "\"documents\":[{"
               "\"document_id\":\"d-1\",\"document_type\":\"INVOICE\",\"status\":\"SUCCESS\",\"is_correct_"
               "classification\":true,"
               "\"ocr_data\":[" +
               values_ + "],\"schema\":{\"table\":[]}}]}}";
    }
    std::string const text =
        std::string(submit ? "HTTP/1.1 201 Created" : "HTTP/1.1 200 OK") +
        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
        body;
    // An answer is far smaller than a socket's buffer.
    if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
        std::perror("loopback_server: send");
}

void server::run()
{
    std::array<epoll_event, 64> events;
    for (;;) {
        int const n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < n; ++i) {
            int const fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener_) {
                accept_all();
            } else if (fd == STDIN_FILENO) {
                if (::read(fd, input_.data(), input_.size()) > 0) continue;
                std::printf("{\"submits\":%zu,\"results\":%zu,\"body_bytes\":%zu}\n", submits_, results_,
                            body_bytes_);
                return;
            } else if (!read_from(fd, connections_.at(fd))) {
                connections_.erase(fd);
                ::close(fd);
            }
        }
    }
}

} // namespace

int main() { server().run(); }
