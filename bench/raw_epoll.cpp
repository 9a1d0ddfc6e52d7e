// The practical limit: epoll, sockets and requests by hand, OpenSSL without a wrapper, no parsing beyond the
// end of the answer and the request_id. No features, no recovery: anything unexpected ends the program.

#include "answer_text.hpp"
#include "client_arguments.hpp"
#include "document_form.hpp"
#include "job_queue.hpp"
#include "results_file.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <vector>

using namespace bench;

namespace
{

constexpr std::size_t chunk_size = 256 * 1024;
constexpr std::size_t input_size = 64 * 1024;

/// Bytes on their way to the socket; never cleared or grown.
class output_buffer
{
public:
    explicit output_buffer(std::size_t capacity) : bytes_(new char[capacity]), capacity_(capacity) {}

    void append(std::string_view text) { std::memcpy(grow(text.size()), text.data(), text.size()); }
    char* grow(std::size_t n)
    {
        if (n > capacity_ - end_) throw std::logic_error("an output buffer is too small");
        end_ += n;
        return bytes_.get() + end_ - n;
    }
    std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
    void consume(std::size_t n)
    {
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t capacity_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

/// TLS between two flat buffers, so that a whole request leaves in one system call.
class tls_layer
{
public:
    tls_layer(SSL_CTX* context, output_buffer& out, char const* host) : out_(out), ssl_(SSL_new(context))
    {
        BIO* const bio = BIO_new(method());
        BIO_set_data(bio, this);
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl_, bio, bio);
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), host);
    }
    ~tls_layer() { SSL_free(ssl_); }

    /// One step of the handshake on `cipher`; true when it is done.
    bool handshake(std::string_view cipher)
    {
        in_ = cipher;
        int const r = SSL_connect(ssl_);
        if (r == 1) return true;
        require_want_read(r);
        return false;
    }

    void seal(char const* plain, std::size_t n)
    {
        if (SSL_write(ssl_, plain, static_cast<int>(n)) != static_cast<int>(n))
            throw std::runtime_error("SSL_write failed");
    }

    /// Calls `f` with the plain text in `cipher`.
    template<class F>
    void open(std::string_view cipher, std::array<char, input_size>& scratch, F f)
    {
        in_ = cipher;
        for (;;) {
            int const n = SSL_read(ssl_, scratch.data(), static_cast<int>(scratch.size()));
            if (n <= 0) return require_want_read(n);
            f(std::string_view(scratch.data(), static_cast<std::size_t>(n)));
            if (in_.empty() && SSL_pending(ssl_) == 0) return;
        }
    }

private:
    void require_want_read(int r)
    {
        if (SSL_get_error(ssl_, r) == SSL_ERROR_WANT_READ) return;
        std::array<char, 256> text{};
        ERR_error_string_n(ERR_get_error(), text.data(), text.size());
        throw std::runtime_error(std::string("tls: ") + text.data());
    }

    static int write(BIO* b, char const* data, std::size_t n, std::size_t* written)
    {
        static_cast<tls_layer*>(BIO_get_data(b))->out_.append({data, n});
        *written = n;
        return 1;
    }
    static int read(BIO* b, char* data, std::size_t n, std::size_t* got)
    {
        std::string_view& in = static_cast<tls_layer*>(BIO_get_data(b))->in_;
        BIO_clear_retry_flags(b);
        if (in.empty()) {
            BIO_set_retry_read(b);
            return 0;
        }
        *got = in.copy(data, n);
        in.remove_prefix(*got);
        return 1;
    }
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

    static BIO_METHOD* method()
    {
        static BIO_METHOD* const m = [] {
            BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "flat");
            BIO_meth_set_write_ex(made, write);
            BIO_meth_set_read_ex(made, read);
            BIO_meth_set_ctrl(made, control);
            return made;
        }();
        return m;
    }

    output_buffer& out_;
    SSL* ssl_;
    std::string_view in_;
};

/// One complete answer, or nothing while bytes are missing.
std::optional<std::string_view> body_of(std::string_view answer)
{
    std::size_t const head = answer.find("\r\n\r\n");
    if (head == answer.npos) return std::nullopt;
    if (!answer.starts_with("HTTP/1.1 20"))
        throw std::runtime_error("refused: " + std::string(answer.substr(0, 400)));
    constexpr std::string_view key = "\r\nContent-Length: ";
    std::size_t const at = answer.find(key);
    std::size_t length = 0;
    if (at >= head ||
        std::from_chars(answer.data() + at + key.size(), answer.data() + head, length).ec != std::errc())
        throw std::runtime_error("an answer without a length");
    if (answer.size() < head + 4 + length) return std::nullopt;
    return answer.substr(head + 4, length);
}

class client;

class connection
{
public:
    connection(client& owner, std::size_t output_capacity) : owner_(owner), out_(output_capacity) {}
    ~connection()
    {
        if (fd_ >= 0) ::close(fd_);
    }

    void open();
    void start(job j);
    void on_event() { sending_ ? send() : receive(); }
    int fd() const { return fd_; }

private:
    void fill();
    void send();
    void receive();
    void take(std::string_view plain);
    void finish(std::string_view body);

    client& owner_;
    int fd_ = -1;
    output_buffer out_;
    std::unique_ptr<tls_layer> tls_;
    std::string in_; ///< the beginning of an answer that did not come at once
    job job_;
    document_file file_;
    std::string_view head_;     ///< of the request, not yet in out_
    std::size_t body_left_ = 0; ///< of the document
    bool sending_ = false;
};

class client
{
public:
    explicit client(client_arguments const& a);
    void run();

private:
    friend class connection;

    void give_work(connection& c);

    client_arguments const args_;
    std::string host_;
    std::uint16_t port_ = 0;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> tls_{nullptr, SSL_CTX_free};
    std::string submit_head_;
    std::string result_head_;
    std::string result_tail_;
    std::string request_; ///< of a result, while it is started
    job_queue queue_;
    results_file results_;
    std::array<char, input_size> input_;
    std::array<char, input_size> plain_;
    std::unique_ptr<char[]> chunk_{new char[chunk_size]}; ///< plain text to be sealed
    int epoll_ = -1;
    std::vector<std::unique_ptr<connection>> connections_;
    std::vector<connection*> idle_;
    std::size_t open_ = 0; ///< documents without a result
};

client::client(client_arguments const& a)
    : args_(a), queue_(a.documents, a.processing), results_(a.out), open_(a.documents)
{
    std::string_view url = a.url;
    bool const tls = url.starts_with("https://");
    url.remove_prefix(tls ? 8 : 7);
    std::size_t const colon = url.find(':');
    host_ = url.substr(0, colon);
    port_ = static_cast<std::uint16_t>(std::stoi(std::string(url.substr(colon + 1))));
    if (tls) {
        tls_.reset(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_set_verify(tls_.get(), SSL_VERIFY_PEER, nullptr);
        if (SSL_CTX_load_verify_locations(tls_.get(), a.ca.c_str(), nullptr) != 1)
            throw std::runtime_error("cannot read --ca");
    }
    std::string const fields = " HTTP/1.1\r\nHost: " + std::string(url) + "\r\nAuthorization: Bearer " +
                               std::string(api_key) + "\r\nportal-user-id: " + std::string(portal_user_id) +
                               "\r\n";
    submit_head_ = "POST " + std::string(route) + fields + "Content-Type: " + std::string(form_content_type) +
                   "\r\nContent-Length: " + std::to_string(form_size(a.size)) + "\r\n\r\n" +
                   std::string(form_head);
    result_head_ = "GET " + std::string(route) + "/";
    result_tail_ = fields + "\r\n";
}

void connection::open()
{
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(owner_.port_);
    if (::inet_pton(AF_INET, owner_.host_.c_str(), &to.sin_addr) != 1)
        throw std::runtime_error("--url must hold an IPv4 address");
    int const on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error("cannot connect");
    if (owner_.tls_) {
        tls_ = std::make_unique<tls_layer>(owner_.tls_.get(), out_, owner_.host_.c_str());
        std::string_view got;
        for (bool done = false; !done;) {
            done = tls_->handshake(got);
            while (!out_.view().empty())
                out_.consume(
                    static_cast<std::size_t>(::send(fd_, out_.view().data(), out_.view().size(), 0)));
            if (done) break;
            ssize_t const n = ::recv(fd_, owner_.input_.data(), owner_.input_.size(), 0);
            if (n <= 0) throw std::runtime_error("the connection ended in the handshake");
            got = {owner_.input_.data(), static_cast<std::size_t>(n)};
        }
    }
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
}

void connection::start(job j)
{
    job_ = std::move(j);
    sending_ = true;
    if (job_.request_id.empty()) {
        file_ = document_file(file_path(owner_.args_, job_.document));
        body_left_ = owner_.args_.size;
        head_ = owner_.submit_head_;
    } else {
        owner_.request_.assign(owner_.result_head_).append(job_.request_id).append(owner_.result_tail_);
        head_ = owner_.request_;
    }
    fill();
    send();
}

/// The next chunk of the request, in one piece, sealed where there is TLS.
void connection::fill()
{
    std::size_t const with_tail = head_.size() + body_left_ + form_tail.size();
    std::size_t const n = with_tail <= chunk_size
                              ? body_left_
                              : std::min(body_left_, chunk_size - head_.size() - form_tail.size());
    bool const last_of_body = body_left_ != 0 && n == body_left_;
    std::size_t const total = head_.size() + n + (last_of_body ? form_tail.size() : 0);
    char* const begin = tls_ ? owner_.chunk_.get() : out_.grow(total);
    char* at = begin + head_.copy(begin, head_.size());
    if (n != 0) {
        file_.read(at, n);
        at += n;
        body_left_ -= n;
    }
    if (last_of_body) {
        file_ = document_file();
        form_tail.copy(at, form_tail.size());
    }
    head_ = {};
    if (tls_) tls_->seal(begin, total);
}

void connection::send()
{
    for (;;) {
        std::string_view const rest = out_.view();
        if (rest.empty()) {
            if (body_left_ == 0) break;
            fill();
            continue;
        }
        ssize_t const n = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) return;
        if (n < 0) throw std::runtime_error(std::string("send: ") + std::strerror(errno));
        out_.consume(static_cast<std::size_t>(n));
    }
    sending_ = false;
}

void connection::receive()
{
    for (;;) {
        ssize_t const n = ::recv(fd_, owner_.input_.data(), owner_.input_.size(), 0);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) throw std::runtime_error("the connection ended");
        std::string_view const got(owner_.input_.data(), static_cast<std::size_t>(n));
        if (tls_)
            tls_->open(got, owner_.plain_, [this](std::string_view plain) { take(plain); });
        else
            take(got);
        if (got.size() != owner_.input_.size()) return;
    }
}

void connection::take(std::string_view plain)
{
    if (!in_.empty()) plain = in_.append(plain);
    if (auto const body = body_of(plain))
        finish(*body);
    else if (in_.empty())
        in_ = plain;
}

void connection::finish(std::string_view body)
{
    if (job_.request_id.empty()) {
        job_.request_id = request_id_in(body);
        owner_.queue_.wait(std::move(job_), clock::now());
    } else if (is_pending(body)) {
        owner_.queue_.wait_again(std::move(job_), clock::now());
    } else {
        owner_.results_.append(job_.document, job_.request_id, body);
        --owner_.open_;
    }
    in_.clear();
    owner_.give_work(*this);
}

void client::give_work(connection& c)
{
    if (auto j = queue_.take(clock::now()))
        c.start(std::move(*j));
    else
        idle_.push_back(&c);
}

void client::run()
{
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    // A sealed chunk is a little longer than its text.
    std::size_t const capacity =
        std::min(submit_head_.size() + form_size(args_.size), chunk_size) + 16 * 1024;
    for (std::size_t i = 0; i != args_.connections; ++i) {
        connections_.push_back(std::make_unique<connection>(*this, capacity));
        connection& c = *connections_.back();
        c.open();
        epoll_event e{};
        e.events = EPOLLIN | EPOLLOUT | EPOLLET;
        e.data.ptr = &c;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd(), &e);
    }
    for (auto const& c : connections_)
        give_work(*c);
    std::array<epoll_event, 256> events;
    while (open_ != 0) {
        int const timeout = idle_.empty() ? -1 : queue_.milliseconds_to_next(clock::now());
        int const n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
        for (int i = 0; i < n; ++i)
            static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr)->on_event();
        while (!idle_.empty()) {
            auto j = queue_.take(clock::now());
            if (!j) break;
            connection& c = *idle_.back();
            idle_.pop_back();
            c.start(std::move(*j));
        }
    }
    results_.flush();
    std::printf("{\"documents\":%zu,\"body_bytes\":%zu,\"pending_answers\":%zu}\n", results_.count(),
                args_.documents * form_size(args_.size), queue_.pending_answers());
}

} // namespace

int main(int argc, char** argv)
{
    try {
        client(parse_client_arguments(argc, argv)).run();
    } catch (std::exception const& e) {
        std::cerr << "raw_epoll: " << e.what() << '\n';
        return 1;
    }
}
