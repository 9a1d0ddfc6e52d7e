#include <ocrpipe/bulk/ledger/memory_ledger.hpp>
#include <ocrpipe/bulk/run/run_configuration.hpp>

#include "support/temp_directory.hpp"

#include <boost/asio/io_context.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <memory>
#include <string>

using namespace ocrpipe;
namespace fs = std::filesystem;

namespace
{

/// A ledger with the configuration of one earlier run.
struct earlier_run {
    explicit earlier_run(pipeline_options const& options, bool sent = true)
    {
        auto const durable = [] { return ledger_handler([](error_code ec) { CHECK(!ec); }); };
        run_configuration(options, default_profile()).record(*l, durable);
        if (sent) {
            ledger_document d;
            d.id = d.path = "a.pdf";
            d.sha256 = std::string(64, 'a');
            l->admit_intent(d, std::nullopt, durable());
        }
        l->flush(durable());
        ioc.run();
    }

    std::string change(pipeline_options const& now)
    {
        result<std::string> const r = run_configuration(now, default_profile()).compare(*l);
        return r ? "accepted: " + *r : std::string(name(static_cast<errc>(r.error().code.value())));
    }

    asio::io_context ioc;
    std::unique_ptr<ledger> l = make_memory_ledger(ioc);
};

pipeline_options options()
{
    pipeline_options o;
    o.directory = "out";
    o.doc_type = "INVOICE";
    o.configuration = {{"base_url", "http://127.0.0.1"}};
    return o;
}

} // namespace

TEST_CASE("run_configuration: the same options -> nothing changed")
{
    earlier_run before(options());
    CHECK(before.change(options()) == "accepted: ");
}

TEST_CASE("run_configuration: each setting that decides how documents are read -> refused, and named")
{
    earlier_run before(options());
    pipeline_options now = options();
    std::string key;
    SUBCASE("flow") { now.flow = key = "flow"; }
    SUBCASE("doc_type") { now.doc_type = key = "doc_type"; }
    SUBCASE("file_type")
    {
        now.type = file_type::pdf;
        key = "file_type";
    }
    SUBCASE("parts")
    {
        now.parts = {operation::table};
        key = "parts";
    }
    SUBCASE("text")
    {
        now.text = true;
        key = "text";
    }
    SUBCASE("a setting of the caller's") { now.configuration[key = "base_url"] = "http://127.0.0.2"; }
    CHECK(before.change(now) == "configuration_changed");
    result<std::string> const r = run_configuration(now, default_profile()).compare(*before.l);
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().reason.find(key + " was") == 0);

    now.accept_changes = true;
    CHECK(before.change(now).starts_with("accepted: " + key + " was"));
}

TEST_CASE("run_configuration: extra fields of the profile -> compared as well")
{
    earlier_run before(options());
    response_profile profile = default_profile();
    profile.extra_fields = {{"lang", "vi"}};
    CHECK_FALSE(run_configuration(options(), profile).compare(*before.l).has_value());
}

TEST_CASE("run_configuration: nothing was sent yet -> changes are free")
{
    earlier_run before(options(), false);
    pipeline_options now = options();
    now.doc_type = "RECEIPT";
    CHECK(before.change(now) == "accepted: ");
}

TEST_CASE("run_configuration: sharing of results -> may be switched on, not off")
{
    pipeline_options sharing = options();
    sharing.share_results = true;
    CHECK(earlier_run(options()).change(sharing) == "accepted: ");
    CHECK(earlier_run(sharing).change(options()) == "configuration_changed");
}

TEST_CASE("run_configuration: a folder under another name -> refused, because its documents would be paid for "
          "again")
{
    temp_directory dir;
    fs::create_directories(dir.path() / "in/sub");
    fs::create_directory_symlink(dir.path() / "in", dir.path() / "link");
    pipeline_options first = options();
    first.inputs = {(dir.path() / "in").string()};
    earlier_run before(first);

    pipeline_options now = options();
    SUBCASE("by a link") { now.inputs = {(dir.path() / "link").string()}; }
    SUBCASE("a folder inside it, by a link") { now.inputs = {(dir.path() / "link/sub").string()}; }
    SUBCASE("renamed on disk")
    {
        fs::rename(dir.path() / "in", dir.path() / "moved");
        now.inputs = {(dir.path() / "moved").string()};
    }
    CHECK(before.change(now) == "configuration_changed");
    now.accept_changes = true;
    CHECK(before.change(now).starts_with("accepted: "));
}

TEST_CASE("run_configuration: the same folder, one inside it and a new one -> nothing changed")
{
    temp_directory dir;
    fs::create_directories(dir.path() / "in/sub");
    fs::create_directories(dir.path() / "new");
    pipeline_options now = options();
    now.inputs = {(dir.path() / "in").string()};
    earlier_run before(now);
    now.inputs.push_back((dir.path() / "in/sub").string());
    now.inputs.push_back((dir.path() / "new").string());
    CHECK(before.change(now) == "accepted: ");
}

TEST_CASE("run_configuration: one folder under two names in one run -> refused as an argument")
{
    temp_directory dir;
    fs::create_directories(dir.path() / "in");
    fs::create_directory_symlink(dir.path() / "in", dir.path() / "link");
    earlier_run before(options(), false);
    pipeline_options now = options();
    now.inputs = {(dir.path() / "in").string(), (dir.path() / "link").string()};
    CHECK(before.change(now) == "invalid_argument");
}

TEST_CASE("run_configuration: restore -> the options of the earlier run, whatever these were")
{
    pipeline_options first = options();
    first.flow = "7";
    first.type = file_type::image;
    first.parts = {operation::stamp, operation::image};
    first.text = true;
    first.share_results = true;
    earlier_run before(first);

    pipeline_options now;
    now.parts = {operation::table};
    REQUIRE(run_configuration::restore(*before.l, now).has_value());
    CHECK(now.flow == "7");
    CHECK(now.doc_type == "INVOICE");
    CHECK(now.type == file_type::image);
    CHECK(now.parts == std::vector<operation>{operation::stamp, operation::image});
    CHECK(now.text);
    CHECK(now.share_results);
}
