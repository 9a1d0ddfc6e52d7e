#include "remedy.hpp"

#include <boost/system/errc.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;
using namespace ocrpipe::cli;

namespace
{

failure failed_with(errc e)
{
    failure f;
    f.code = e;
    return f;
}

} // namespace

TEST_CASE("exit_code_of: the table of the exit codes")
{
    CHECK(exit_code_of(failed_with(errc::unauthorized)) == exit_code::refused);
    CHECK(exit_code_of(failed_with(errc::wrong_base_url)) == exit_code::refused);
    CHECK(exit_code_of(failed_with(errc::client_certificate_refused)) == exit_code::refused);
    CHECK(exit_code_of(failed_with(errc::unwritable_output)) == exit_code::disk_error);
    CHECK(exit_code_of(failed_with(errc::invalid_argument)) == exit_code::usage);
    for (errc const e :
         {errc::unreadable_file, errc::empty_document, errc::unsupported_file_type, errc::file_changed})
        CHECK(exit_code_of(failed_with(e)) == exit_code::inputs_unreadable);
    for (errc const e : {errc::rejected, errc::job_failed, errc::connect_failed, errc::still_processing,
                         errc::ambiguous_submit})
        CHECK(exit_code_of(failed_with(e)) == exit_code::documents_failed);
}

TEST_CASE("remedy: a code of another category -> none, even when its number is one of ours")
{
    CHECK(
        remedy(error_code(static_cast<int>(errc::unauthorized), boost::system::generic_category())).empty());
    CHECK(!remedy(make_error_code(errc::unauthorized)).empty());
}

TEST_CASE("describe: a failure -> the thing, the facts, the remedy, and the code as a stable word")
{
    failure f = failed_with(errc::unauthorized);
    f.http_status = 403;
    f.attempts = 2;
    f.request_id = "r-1";
    f.where = phase::classify;
    message const m = describe(level::error, "failed", "a.pdf", f);
    CHECK(m.text == "a.pdf: the service refuses the credentials (phase classify, HTTP 403, attempts 2, "
                    "request_id r-1): check the key "
                    "and --portal-user-id");
    auto const json = to_json(m, {});
    CHECK(json.find("\"code\":\"unauthorized\"") != std::string::npos);
    CHECK(json.find("\"http_status\":403") != std::string::npos);
    CHECK(json.find("\"request_id\":\"r-1\"") != std::string::npos);
}

TEST_CASE("describe: we stopped asking and the job continues -> the command that waits for it, safe to copy")
{
    failure f = failed_with(errc::still_processing);
    f.request_id = "r-1";
    CHECK(describe(level::error, "failed", "a.pdf", f)
              .text.ends_with("to wait for it: ocrpipe result r-1 --wait"));
    f.request_id = "r;rm -rf ~";
    CHECK(describe(level::error, "failed", "a.pdf", f)
              .text.ends_with("to wait for it: ocrpipe result ID --wait"));
    CHECK(describe(level::error, "failed", "a.pdf", failed_with(errc::cancelled)).text ==
          "a.pdf: cancelled by the caller");
}

TEST_CASE("describe: an answer over the limit -> the option that raises it, not the same command again")
{
    failure f = failed_with(errc::body_too_large);
    f.request_id = "r-1";
    CHECK(describe(level::error, "failed", "a.pdf", f)
              .text.ends_with("raise --max-answer, then give the same command again"));
    f = failed_with(errc::header_too_large);
    f.request_id = "r-1";
    CHECK(describe(level::error, "failed", "a.pdf", f)
              .text.ends_with("raise --max-header, then give the same command again"));
}

TEST_CASE("describe: not finished, and the service answers 404 -> no promise that a job continues")
{
    failure f = failed_with(errc::still_processing);
    f.request_id = "r-1";
    f.http_status = 404;
    auto const text = describe(level::error, "failed", "r-1", f).text;
    CHECK(text.ends_with("check it"));
    CHECK(text.find("the job continues") == std::string::npos);
}
