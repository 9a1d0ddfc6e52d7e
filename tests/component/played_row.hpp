#ifndef OCRPIPE_TESTS_COMPONENT_PLAYED_ROW_HPP
#define OCRPIPE_TESTS_COMPONENT_PLAYED_ROW_HPP

#include <ocrpipe/client.hpp>

#include "component/row_service.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::rows
{

/// Reads of another job, which pass.
enum class others { none, before, meanwhile };

/// One row: what the service answers, one answer a request, and what the client must report.
struct row {
    std::string_view says; ///< the table's words
    std::vector<reply> answers = {};
    errc ends = errc::ok;         ///< ok: with its result
    std::string_view reason = {}; ///< part of the failure's, why it stopped
    int status = 0;               ///< the failure's HTTP status
    phase where = phase::classify;
    completeness how = completeness::whole;
    bool permitted = false;    ///< to submit again what is ambiguous
    bool last_repeats = false; ///< the last answer is given as often as it is asked for
    enum others others = others::none;
    operation kind = operation::table;
    std::string_view id = "r-1"; ///< of the job, when there is one
    int unanswered = 0;          ///< attempts that reached nobody
    std::function<void(client_options&)> adjust = {};
};

/// What the client reported, whichever operation it was.
struct report {
    explicit report(result<submitted_job> r)
        : request_id(r ? r->request_id : ""), attempts(r ? r->attempts : 0)
    {
        if (!r) failed = r.error();
        duplicate = r && r->possible_duplicate;
    }
    explicit report(result<ocr_result> r) : request_id(r ? r->request_id() : ""), attempts(r ? r->reads() : 0)
    {
        if (!r) failed = r.error();
        if (r && r->done_in_part()) how = completeness::in_part;
        if (r && r->empty()) how = completeness::empty;
    }
    explicit report(result<part_data> r) : attempts(-1)
    {
        if (!r) failed = r.error();
    }

    std::optional<failure> failed;
    std::string request_id;
    int attempts = 0; ///< -1 where success does not tell
    bool duplicate = false;
    completeness how = completeness::whole;
};

/// Short times throughout: what a row leads to does not depend on them, how long the test takes does.
inline client_options hurried(std::string const& base_url)
{
    client_options o;
    o.endpoint.base_url = base_url;
    o.endpoint.portal_user_id = "1";
    o.endpoint.api_key = secret("test-key");
    o.schedule =
        std::make_shared<fixed_poll_schedule>(std::chrono::milliseconds(2), std::chrono::milliseconds(5));
    o.retry.max_attempts = 3;
    o.retry.base = o.retry.throttled_base = std::chrono::milliseconds(1);
    o.retry.cap = std::chrono::milliseconds(5);
    o.profile.settle_time = o.profile.lost_time = std::chrono::milliseconds(0);
    o.max_auth_refusals = 2;
    o.seed = 1;
    return o;
}

/// Far enough for the first answer to come before it on a busy machine.
inline void deadline_soon(client_options& o) { o.job_deadline = std::chrono::milliseconds(1'500); }

/// One row at work: its service, its client, and in the end what the client reported.
struct played_row {
    using operation_start = std::function<void(client&, row const&, std::function<void(report)>)>;

    played_row(asio::io_context& ioc, row const& r, operation_start const& begin)
        : what(r), service(ioc, r.answers, r.last_repeats), start(begin)
    {
        client_options o = hurried(service.url());
        o.retry.resubmit_ambiguous = r.permitted;
        if (r.adjust) r.adjust(o);
        if (r.answers.empty()) service.stop();
        caller.emplace(ioc, std::move(o));
        if (r.others == others::none)
            go();
        else
            go_after_another();
    }

    void go_after_another()
    {
        caller->async_result("other", [this](result<ocr_result> other) {
            CHECK(other.has_value());
            if (what.others == others::meanwhile) caller->async_wait("other", [](result<ocr_result>) {});
            go();
        });
    }

    void go()
    {
        start(*caller, what, [this](report r) {
            told = std::move(r);
            caller->close();
            service.stop();
        });
    }

    void check(std::string_view id_of_failure) const
    {
        CAPTURE(what.says);
        std::string const first = what.answers.empty() ? "refused" : what.answers.front().bytes;
        CAPTURE(first);
        REQUIRE(told.has_value());
        std::string const as_told = told->failed ? to_string(*told->failed) : "succeeded";
        CAPTURE(as_told);
        CHECK(name(told->failed ? static_cast<errc>(told->failed->code.value()) : errc::ok) ==
              name(what.ends));

        CHECK(service.unplanned == 0);
        CHECK((what.last_repeats ? service.given >= service.planned() : service.given == service.planned()));
        int const attempts = told->failed ? told->failed->attempts : told->attempts;
        if (attempts >= 0) CHECK(attempts == static_cast<int>(service.given) + what.unanswered);
        if (!what.permitted) CHECK(service.after_kept == 0);
        CHECK(told->duplicate == (service.after_kept > 0 && !told->failed));

        CHECK(told->how == what.how);
        if (!told->failed) {
            if (attempts >= 0) CHECK(told->request_id == what.id);
            return;
        }
        CHECK(told->failed->request_id == id_of_failure);
        CHECK(told->failed->reason.find(what.reason) != std::string::npos);
        CHECK(told->failed->http_status == what.status);
        CHECK(name(told->failed->where) == name(what.where));
    }

    row what;
    row_service service;
    operation_start start;
    std::optional<client> caller;
    std::optional<report> told;
};

/// All rows at once: the slowest decides how long they take.
inline void play(std::vector<row> const& rows, std::string_view id_of_failure,
                 played_row::operation_start const& start)
{
    asio::io_context ioc(1);
    std::vector<std::unique_ptr<played_row>> played;
    for (row const& r : rows)
        played.push_back(std::make_unique<played_row>(ioc, r, start));
    ioc.run();
    for (auto const& p : played)
        p->check(id_of_failure);
}

inline std::string const throttle_text = R"({"message":"Too many requests"})";
inline std::string const gateway = R"({"message":"no Route matched with those values"})";
inline std::string const unknown_id = R"({"message":"request not found"})";

} // namespace ocrpipe::rows

#endif
