#include <ocrpipe/bulk/run/detail/document_course.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocrpipe;
using detail::course_after;
using detail::document_course;
using detail::state_after;

namespace
{

failure with(errc code, std::string request_id = {})
{
    failure f(code, phase::none, "why");
    f.request_id = std::move(request_id);
    return f;
}

std::vector<errc> every_code()
{
    std::vector<errc> all;
    for (int i = 1; name(static_cast<errc>(i)) != name(static_cast<errc>(100'000)); ++i)
        all.push_back(static_cast<errc>(i));
    return all;
}

} // namespace

TEST_CASE("document_course: refused credentials, a wrong address, an outage or a stop -> the document has "
          "not failed")
{
    REQUIRE(every_code().size() > 20);
    for (errc const code : every_code()) {
        CAPTURE(name(code));
        bool const spared = code == errc::unauthorized || code == errc::wrong_base_url ||
                            code == errc::client_certificate_refused || code == errc::cancelled ||
                            code == errc::client_closed || code == errc::proxy_refused ||
                            code == errc::certificate_invalid || code == errc::service_unavailable;
        CHECK(course_after(with(code)) == (spared ? document_course::not_sent : document_course::failed));
        CHECK(course_after(with(code, "r-1")) ==
              (spared ? document_course::unfinished : document_course::failed));
    }
}

TEST_CASE("document_course: a failure before the request_id -> failed, or ambiguous")
{
    for (errc const code : every_code()) {
        CAPTURE(name(code));
        document_state expected = document_state::failed;
        if (code == errc::ambiguous_submit) expected = document_state::ambiguous;
        if (code == errc::job_expired) expected = document_state::expired;
        if (code == errc::job_lost) expected = document_state::lost;
        CHECK(state_after(with(code)) == expected);
    }
}

TEST_CASE("document_course: a failure of a job that was paid for -> stuck, unless the service has ended it")
{
    for (errc const code : every_code()) {
        CAPTURE(name(code));
        document_state expected = document_state::stuck;
        if (code == errc::ambiguous_submit) expected = document_state::ambiguous;
        if (code == errc::job_failed) expected = document_state::failed;
        if (code == errc::job_expired) expected = document_state::expired;
        if (code == errc::job_lost) expected = document_state::lost;
        CHECK(state_after(with(code, "r-1")) == expected);
    }
}

TEST_CASE("document_course: an answer from the service -> not a submit without an answer")
{
    CHECK(detail::is_unanswered(with(errc::connect_failed)));
    CHECK(detail::is_unanswered(with(errc::ambiguous_submit)));
    failure error500 = with(errc::ambiguous_submit);
    error500.http_status = 500;
    CHECK_FALSE(detail::is_unanswered(error500));
    CHECK_FALSE(detail::is_unanswered(with(errc::rejected)));
    CHECK_FALSE(detail::is_unanswered(with(errc::unreadable_file)));
}

TEST_CASE("document_course: the parts of a document -> numbered by their places in the result line")
{
    std::vector<result_part> const parts{
        {operation::table, 1, "d1"}, {operation::table, 3, "d3"}, {operation::image, 1, "f1"}};
    std::string told;
    for (missing_part const& p : detail::parts_to_fetch({parts, 7}))
        told += std::to_string(p.place) + ' ' + std::string(name(p.kind)) + ' ' + std::to_string(p.index) +
                ' ' + p.sub_id + '\n';
    CHECK(told == "0 table 1 d1\n1 table 3 d3\n2 image 1 f1\n");
    CHECK(detail::parts_to_fetch({}).empty());
}
