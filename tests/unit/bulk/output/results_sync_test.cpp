#include <ocrpipe/bulk/output/results_writer.hpp>

#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

using namespace ocrpipe;
namespace fs = std::filesystem;

namespace
{

bool next_sync_fails = false;

result_record record_of(std::string_view id, std::string_view json = "{}")
{
    result_record r;
    r.id = id;
    r.path = id;
    r.status = "done";
    r.result_json = json;
    return r;
}

} // namespace

/// Takes the place of the C library's function in this program. The kernel, too, reports a lost write once.
extern "C" int fdatasync(int fd)
{
    if (!std::exchange(next_sync_fails, false)) return static_cast<int>(::syscall(SYS_fdatasync, fd));
    errno = EIO;
    return -1;
}

TEST_CASE("results_writer: the last sync of a full file fails once -> every later sync and append fails")
{
    temp_directory dir;
    auto writer = results_writer::open(dir.path().string(), 1);
    REQUIRE(writer.has_value());
    REQUIRE_FALSE(writer->append(record_of("a")));
    next_sync_fails = true;
    CHECK(writer->append(record_of("b")) == boost::system::errc::io_error);
    CHECK_FALSE(next_sync_fails);
    CHECK(writer->sync() == boost::system::errc::io_error);
    CHECK(writer->append(record_of("b")) == boost::system::errc::io_error);
    CHECK(writer->sync() == boost::system::errc::io_error);
}

TEST_CASE("results_writer: a sync fails once -> the next one fails too")
{
    temp_directory dir;
    auto writer = results_writer::open(dir.path().string());
    REQUIRE(writer.has_value());
    REQUIRE_FALSE(writer->append(record_of("a")));
    next_sync_fails = true;
    CHECK(writer->sync() == boost::system::errc::io_error);
    CHECK(writer->sync() == boost::system::errc::io_error);
}

TEST_CASE(
    "results_writer: its file is removed or replaced -> sync fails; moved within the disk -> it goes on")
{
    auto const after = [](auto change) {
        temp_directory dir;
        auto writer = results_writer::open(dir.path().string());
        REQUIRE(writer.has_value());
        REQUIRE_FALSE(writer->append(record_of("a")));
        change(dir, fs::path(writer->path()));
        REQUIRE_FALSE(writer->append(record_of("b")));
        return writer->sync();
    };
    CHECK(after([](temp_directory&, fs::path const& file) { fs::remove(file); }) ==
          boost::system::errc::no_such_file_or_directory);
    CHECK(after([](temp_directory& dir, fs::path const& file) {
              fs::rename(dir.write("x", "{}\n"), file);
          }) == boost::system::errc::no_such_file_or_directory);
    CHECK_FALSE(
        after([](temp_directory& dir, fs::path const& file) { fs::rename(file, dir.path() / "moved"); }));
}
