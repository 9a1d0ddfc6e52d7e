#ifndef OCRPIPE_TESTS_COMPONENT_EMULATOR_CLIENT_HPP
#define OCRPIPE_TESTS_COMPONENT_EMULATOR_CLIENT_HPP

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/// The plainest HTTP client there can be: blocking, and it shows how an answer ended. Shares no code with the
/// engine, so that the emulator is not tested with the mistakes of its own family.
class plain_client
{
public:
    struct answer {
        int status = 0;
        std::string head; ///< of the last answer, interim ones excluded
        std::string body; ///< as it came, chunks and all
        std::string interim;
        enum { whole, closed, reset, refused, timed_out } end = whole;
    };

    explicit plain_client(unsigned short port) : port_(port) {}
    ~plain_client() { disconnect(); }
    plain_client(plain_client const&) = delete;
    plain_client& operator=(plain_client const&) = delete;

    answer get(std::string const& path)
    {
        return exchange("GET " + prefix + path + " HTTP/1.1\r\n" + head + "\r\n");
    }

    answer submit(std::string_view document, std::string const& file_name,
                  std::string_view doc_type = "INVOICE")
    {
        std::string body;
        field(body, "flow", "single");
        field(body, "doc_type", doc_type);
        field(body, "file_type", "IMAGE");
        body +=
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + file_name + "\"\r\n\r\n";
        (body += document) += "\r\n--b--\r\n";
        return post(body);
    }

    answer post(std::string const& body)
    {
        return exchange("POST " + prefix + "ingest HTTP/1.1\r\n" + head +
                        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: " +
                        std::to_string(body.size()) + "\r\n\r\n" + body);
    }

    static void field(std::string& body, std::string_view name, std::string_view value)
    {
        ((((body += "--b\r\nContent-Disposition: form-data; name=\"") += name) += "\"\r\n\r\n") += value) +=
            "\r\n";
    }

    /// Sends one request on the open connection, or on a new one, and reads one answer.
    answer exchange(std::string const& request)
    {
        answer a;
        if (fd_ < 0 && !open()) {
            a.end = errno == ECONNRESET ? answer::reset : answer::refused;
            return a;
        }
        std::size_t sent = 0;
        while (sent < request.size()) {
            ::ssize_t const n = ::send(fd_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
            if (n < 0) a.end = answer::reset;
            if (n <= 0) break; // the answer may be there all the same
            sent += static_cast<std::size_t>(n);
        }
        read(a);
        if (a.end != answer::whole || a.head.find("Connection: close") != std::string::npos) disconnect();
        return a;
    }

    /// Whether the server has closed the connection; waits for it up to five seconds.
    bool closed_by_server()
    {
        char byte = 0;
        return fd_ < 0 || ::recv(fd_, &byte, 1, 0) == 0;
    }

    void disconnect()
    {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

    std::string prefix = "/maas/user-1/greennode/idp/v1/ocr/";
    std::string head = "Host: localhost\r\nAuthorization: Bearer test-key\r\nportal-user-id: 1\r\n";

private:
    bool open()
    {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ::timeval const limit{5, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(port_);
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_, reinterpret_cast<::sockaddr const*>(&at), sizeof at) == 0) return true;
        int const why = errno;
        disconnect();
        errno = why;
        return false;
    }

    void read(answer& a)
    {
        std::string got;
        for (;;) {
            auto const blank = got.find("\r\n\r\n");
            if (blank != std::string::npos) {
                int const status = std::atoi(got.c_str() + std::string_view("HTTP/1.1 ").size());
                if (status >= 100 && status < 200) {
                    a.interim += got.substr(0, blank + 4);
                    got.erase(0, blank + 4);
                    continue;
                }
                a.status = status;
                a.head = got.substr(0, blank + 4);
                a.body = got.substr(blank + 4);
                if (complete(a)) {
                    a.end = answer::whole;
                    return;
                }
            }
            char buffer[16384];
            ::ssize_t const n = ::recv(fd_, buffer, sizeof buffer, 0);
            if (n > 0) {
                got.append(buffer, static_cast<std::size_t>(n));
                continue;
            }
            // A reset that send() has told of is not told again.
            if (a.end != answer::reset)
                a.end = n == 0 ? answer::closed : errno == ECONNRESET ? answer::reset : answer::timed_out;
            if (a.head.empty()) a.body = got;
            return;
        }
    }

    static bool complete(answer const& a)
    {
        if (a.status == 204) return true;
        if (a.head.find("Transfer-Encoding: chunked") != std::string::npos)
            return a.body.ends_with("\r\n\r\n");
        auto const length = a.head.find("Content-Length: ");
        if (length == std::string::npos) return false;
        return a.body.size() >= std::strtoul(a.head.c_str() + length + 16, nullptr, 10);
    }

    unsigned short port_;
    int fd_ = -1;
};

/// The value of the first `"key":"value"` in a text.
inline std::string json_string(std::string_view json, std::string_view key)
{
    std::string const sought = "\"" + std::string(key) + "\":\"";
    auto const at = json.find(sought);
    if (at == std::string_view::npos) return {};
    auto const begin = at + sought.size();
    return std::string(json.substr(begin, json.find('"', begin) - begin));
}

#endif
