// libcurl's multi interface, written as well as we can: handles and connections are kept, the URL is parsed
// once, the environment is not asked for proxies, and no body is copied by us.
//
// --variant DRIVER-BODY. DRIVER: poll (curl_multi_poll), or epoll (curl_multi_socket_action). BODY: buffer
// (the whole form is read into memory and given to libcurl as CURLOPT_POSTFIELDS), stream (a read callback
// and a large upload buffer), or mime (curl_mime_filedata, as the documentation shows it).

#include "answer_text.hpp"
#include "client_arguments.hpp"
#include "document_form.hpp"
#include "job_queue.hpp"
#include "results_file.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <curl/curl.h>
#include <iostream>
#include <memory>
#include <sys/epoll.h>
#include <vector>

using namespace bench;

namespace
{

enum class driver { poll, epoll };
enum class body_kind { buffer, stream, mime };

template<class Value>
void set(CURL* easy, CURLoption option, Value value)
{
    if (CURLcode const c = curl_easy_setopt(easy, option, value); c != CURLE_OK)
        throw std::runtime_error(curl_easy_strerror(c));
}

/// One easy handle, used for one request after another.
struct transfer {
    CURL* easy = nullptr;
    job what;
    std::string target;
    std::string answer;
    document_file file;
    std::unique_ptr<char[]> form; ///< body_kind::buffer
    std::size_t document_size = 0;
    std::size_t sent = 0; ///< body_kind::stream: bytes of the form given to libcurl
    curl_mime* mime = nullptr;
};

class client
{
public:
    explicit client(client_arguments const& a);
    ~client();
    void run();

private:
    void prepare(transfer& t);
    bool start(transfer& t);
    void start_submit(transfer& t);
    void start_idle();
    void take_finished();
    void finish(transfer& t);
    void run_poll();
    void run_epoll();

    static std::size_t on_answer(char* data, std::size_t, std::size_t n, void* user);
    static std::size_t on_upload(char* out, std::size_t size, std::size_t n, void* user);
    static int on_socket(CURL*, curl_socket_t s, int what, void* user, void* known);
    static int on_timer(CURLM*, long milliseconds, void* user);

    client_arguments const args_;
    driver driver_ = driver::poll;
    body_kind body_ = body_kind::buffer;
    job_queue queue_;
    results_file results_;
    CURLM* multi_;
    CURLU* url_;
    curl_slist* result_fields_ = nullptr;
    curl_slist* submit_fields_ = nullptr;
    std::vector<std::unique_ptr<transfer>> transfers_;
    std::vector<transfer*> idle_;
    std::size_t open_;
    std::size_t body_bytes_ = 0;
    int epoll_ = -1;
    clock::time_point curl_timer_ = clock::time_point::max();
};

client::client(client_arguments const& a)
    : args_(a)
    , queue_(a.documents, a.processing)
    , results_(a.out)
    , multi_(curl_multi_init())
    , url_(curl_url())
    , open_(a.documents)
{
    std::string const variant = a.variant.empty() ? "poll-buffer" : a.variant;
    std::size_t const dash = variant.find('-');
    std::string_view const how = std::string_view(variant).substr(0, dash);
    std::string_view const what = dash == variant.npos ? "" : std::string_view(variant).substr(dash + 1);
    if (how == "epoll")
        driver_ = driver::epoll;
    else if (how != "poll")
        throw std::invalid_argument("--variant: the driver is poll or epoll");
    if (what == "stream")
        body_ = body_kind::stream;
    else if (what == "mime")
        body_ = body_kind::mime;
    else if (what != "buffer")
        throw std::invalid_argument("--variant: the body is buffer, stream or mime");

    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(a.connections));
    curl_url_set(url_, CURLUPART_URL, (a.url + std::string(route)).c_str(), 0);
    for (std::string const& field : {"Authorization: Bearer " + std::string(api_key),
                                     "portal-user-id: " + std::string(portal_user_id)}) {
        result_fields_ = curl_slist_append(result_fields_, field.c_str());
        submit_fields_ = curl_slist_append(submit_fields_, field.c_str());
    }
    // Waiting for "100 Continue" costs a round trip.
    submit_fields_ = curl_slist_append(submit_fields_, "Expect:");
    if (body_ != body_kind::mime)
        submit_fields_ =
            curl_slist_append(submit_fields_, ("Content-Type: " + std::string(form_content_type)).c_str());
    for (std::size_t i = 0; i != a.connections; ++i) {
        transfers_.push_back(std::make_unique<transfer>());
        prepare(*transfers_.back());
        idle_.push_back(transfers_.back().get());
    }
    if (driver_ == driver::epoll) {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
        curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    }
}

client::~client()
{
    for (auto const& t : transfers_) {
        curl_multi_remove_handle(multi_, t->easy);
        curl_easy_cleanup(t->easy);
        curl_mime_free(t->mime);
    }
    curl_multi_cleanup(multi_);
    curl_slist_free_all(submit_fields_);
    curl_slist_free_all(result_fields_);
    curl_url_cleanup(url_);
}

void client::prepare(transfer& t)
{
    t.easy = curl_easy_init();
    t.document_size = args_.size;
    set(t.easy, CURLOPT_PRIVATE, &t);
    set(t.easy, CURLOPT_CURLU, url_);
    set(t.easy, CURLOPT_PROXY, "");
    set(t.easy, CURLOPT_NOSIGNAL, 1L);
    set(t.easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(t.easy, CURLOPT_TCP_NODELAY, 1L);
    set(t.easy, CURLOPT_WRITEFUNCTION, on_answer);
    set(t.easy, CURLOPT_WRITEDATA, &t.answer);
    set(t.easy, CURLOPT_READFUNCTION, on_upload);
    set(t.easy, CURLOPT_READDATA, &t);
    if (!args_.ca.empty()) set(t.easy, CURLOPT_CAINFO, args_.ca.c_str());
    if (args_.size > 64 * 1024) set(t.easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
    t.answer.reserve(16 * 1024);
}

bool client::start(transfer& t)
{
    auto j = queue_.take(clock::now());
    if (!j) return false;
    t.what = std::move(*j);
    t.answer.clear();
    t.target = route;
    if (t.what.request_id.empty()) {
        start_submit(t);
    } else {
        set(t.easy, CURLOPT_HTTPGET, 1L);
        set(t.easy, CURLOPT_HTTPHEADER, result_fields_);
        t.target.append("/").append(t.what.request_id);
    }
    set(t.easy, CURLOPT_REQUEST_TARGET, t.target.c_str());
    curl_multi_add_handle(multi_, t.easy);
    return true;
}

void client::start_submit(transfer& t)
{
    set(t.easy, CURLOPT_HTTPHEADER, submit_fields_);
    std::string const path = file_path(args_, t.what.document);
    if (body_ == body_kind::mime) {
        curl_mime_free(t.mime);
        t.mime = curl_mime_init(t.easy);
        constexpr std::array<std::array<char const*, 2>, 3> fields{
            {{"flow", "single"}, {"doc_type", "INVOICE"}, {"file_type", "PDF"}}};
        for (auto const& [name, value] : fields) {
            curl_mimepart* const part = curl_mime_addpart(t.mime);
            curl_mime_name(part, name);
            curl_mime_data(part, value, CURL_ZERO_TERMINATED);
        }
        curl_mimepart* const part = curl_mime_addpart(t.mime);
        curl_mime_name(part, "file");
        curl_mime_filedata(part, path.c_str());
        curl_mime_type(part, "application/pdf");
        set(t.easy, CURLOPT_MIMEPOST, t.mime);
        return;
    }
    t.file = document_file(path);
    body_bytes_ += form_size(args_.size);
    set(t.easy, CURLOPT_POST, 1L);
    set(t.easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(form_size(args_.size)));
    if (body_ == body_kind::stream) {
        t.sent = 0;
        set(t.easy, CURLOPT_POSTFIELDS, static_cast<char*>(nullptr));
        return;
    }
    if (!t.form) {
        t.form.reset(new char[form_size(args_.size)]);
        form_head.copy(t.form.get(), form_head.size());
        form_tail.copy(t.form.get() + form_head.size() + args_.size, form_tail.size());
    }
    t.file.read(t.form.get() + form_head.size(), args_.size);
    t.file = document_file();
    set(t.easy, CURLOPT_POSTFIELDS, t.form.get());
}

std::size_t client::on_answer(char* data, std::size_t, std::size_t n, void* user)
{
    static_cast<std::string*>(user)->append(data, n);
    return n;
}

std::size_t client::on_upload(char* out, std::size_t size, std::size_t n, void* user)
{
    transfer& t = *static_cast<transfer*>(user);
    std::size_t const tail_at = form_head.size() + t.document_size;
    std::size_t const room = size * n;
    std::size_t done = 0;
    while (done != room && t.sent != form_size(t.document_size)) {
        std::size_t step = 0;
        if (t.sent < form_head.size()) {
            step = form_head.copy(out + done, room - done, t.sent);
        } else if (t.sent < tail_at) {
            step = std::min(room - done, tail_at - t.sent);
            t.file.read(out + done, step);
        } else {
            step = form_tail.copy(out + done, room - done, t.sent - tail_at);
        }
        t.sent += step;
        done += step;
    }
    return done;
}

void client::start_idle()
{
    while (!idle_.empty() && start(*idle_.back()))
        idle_.pop_back();
}

void client::take_finished()
{
    int left = 0;
    while (CURLMsg const* const m = curl_multi_info_read(multi_, &left)) {
        if (m->msg != CURLMSG_DONE) continue;
        CURL* const easy = m->easy_handle;
        CURLcode const outcome = m->data.result;
        transfer* t = nullptr;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        if (outcome != CURLE_OK || status / 100 != 2)
            throw std::runtime_error(std::string(curl_easy_strerror(outcome)) + ", status " +
                                     std::to_string(status) + ": " + t->answer);
        curl_multi_remove_handle(multi_, easy);
        finish(*t);
    }
}

void client::finish(transfer& t)
{
    if (t.what.request_id.empty()) {
        t.file = document_file();
        t.what.request_id = request_id_in(t.answer);
        queue_.wait(std::move(t.what), clock::now());
    } else if (is_pending(t.answer)) {
        queue_.wait_again(std::move(t.what), clock::now());
    } else {
        results_.append(t.what.document, t.what.request_id, t.answer);
        --open_;
    }
    if (!start(t)) idle_.push_back(&t);
}

void client::run_poll()
{
    while (open_ != 0) {
        start_idle();
        int running = 0;
        curl_multi_perform(multi_, &running);
        take_finished();
        int const due = idle_.empty() ? -1 : queue_.milliseconds_to_next(clock::now());
        if (open_ != 0) curl_multi_poll(multi_, nullptr, 0, due < 0 ? 1000 : due, nullptr);
    }
}

int client::on_socket(CURL*, curl_socket_t s, int what, void* user, void* known)
{
    client& self = *static_cast<client*>(user);
    if (what == CURL_POLL_REMOVE) {
        ::epoll_ctl(self.epoll_, EPOLL_CTL_DEL, s, nullptr);
        curl_multi_assign(self.multi_, s, nullptr);
        return 0;
    }
    epoll_event e{};
    e.events = ((what & CURL_POLL_IN) ? EPOLLIN : 0u) | ((what & CURL_POLL_OUT) ? EPOLLOUT : 0u);
    e.data.fd = s;
    ::epoll_ctl(self.epoll_, known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s, &e);
    curl_multi_assign(self.multi_, s, user);
    return 0;
}

int client::on_timer(CURLM*, long milliseconds, void* user)
{
    static_cast<client*>(user)->curl_timer_ =
        milliseconds < 0 ? clock::time_point::max() : clock::now() + std::chrono::milliseconds(milliseconds);
    return 0;
}

void client::run_epoll()
{
    std::array<epoll_event, 256> events;
    int running = 0;
    while (open_ != 0) {
        start_idle();
        clock::time_point const now = clock::now();
        int timeout = idle_.empty() ? -1 : queue_.milliseconds_to_next(now);
        if (curl_timer_ != clock::time_point::max()) {
            auto const left = std::chrono::ceil<std::chrono::milliseconds>(curl_timer_ - now).count();
            int const until = static_cast<int>(std::clamp<long long>(left, 0, 60'000));
            timeout = timeout < 0 ? until : std::min(timeout, until);
        }
        int const n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout);
        for (int i = 0; i < n; ++i) {
            epoll_event const& e = events[static_cast<std::size_t>(i)];
            int const what = ((e.events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
                             ((e.events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
                             ((e.events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi_, e.data.fd, what, &running);
        }
        take_finished();
        if (curl_timer_ <= clock::now()) {
            curl_timer_ = clock::time_point::max();
            curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
            take_finished();
        }
    }
}

void client::run()
{
    driver_ == driver::poll ? run_poll() : run_epoll();
    results_.flush();
    std::printf("{\"documents\":%zu,\"pending_answers\":%zu", results_.count(), queue_.pending_answers());
    if (body_ != body_kind::mime) std::printf(",\"body_bytes\":%zu", body_bytes_);
    std::printf("}\n");
}

} // namespace

int main(int argc, char** argv)
{
    try {
        client_arguments const a = parse_client_arguments(argc, argv);
        curl_global_init(CURL_GLOBAL_DEFAULT);
        client(a).run();
    } catch (std::exception const& e) {
        std::cerr << "curl_multi: " << e.what() << '\n';
        return 1;
    }
}
