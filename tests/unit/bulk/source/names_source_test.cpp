#include <ocrpipe/bulk/source/names_source.hpp>

#include "support/temp_directory.hpp"
#include "unit/bulk/source/collect.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>

using namespace ocrpipe;

namespace
{

/// A source of what stands in `text`, read from a file.
class names_in
{
public:
    names_in(std::string_view text, names_source::separator s = names_source::separator::line)
        : source_(unique_fd(::open(dir_.write("names", text).c_str(), O_RDONLY)), s, "-")
    {
    }
    collected all() { return collect(source_); }

private:
    temp_directory dir_;
    names_source source_;
};

} // namespace

TEST_CASE("names_source: a name a line -> items in order, the last one without a line break too")
{
    temp_directory dir;
    std::string const a = dir.write("a.pdf", "1").string();
    std::string const b = dir.write("b c.pdf", "22").string();
    collected const all = names_in(a + "\n" + b).all();
    CHECK(all.problems.empty());
    CHECK(all.paths() == std::vector<std::string>{a, b});
    CHECK(all.items[1].size == 2);
    CHECK(all.items[1].id == b);
}

TEST_CASE("names_source: byte order mark, CRLF and blank lines -> tolerated")
{
    temp_directory dir;
    std::string const a = dir.write("a.pdf", "1").string();
    collected const all = names_in("\xEF\xBB\xBF" + a + "\r\n\r\n\n" + a + "\r\n").all();
    CHECK(all.problems.empty());
    CHECK(all.paths() == std::vector<std::string>{a, a});
}

TEST_CASE("names_source: UTF-16 with a mark, and CR line ends -> tolerated")
{
    temp_directory dir;
    std::string const a = dir.write("a.pdf", "1").string();
    std::string wide("\xFF\xFE");
    for (char const c : a + "\r\n" + a)
        (wide += c) += '\0';
    CHECK(names_in(wide).all().paths() == std::vector<std::string>{a, a});
    CHECK(names_in(a + "\r" + a + "\r\r").all().paths() == std::vector<std::string>{a, a});
}

TEST_CASE("names_source: a name in another Unicode form -> found")
{
    temp_directory dir;
    dir.write("ba\u0309ng.pdf", "1");
    collected const all = names_in(dir.path().string() + "/b\u1EA3ng.pdf\n").all();
    REQUIRE(all.items.size() == 1);
    CHECK(all.items[0].path == dir.path().string() + "/ba\u0309ng.pdf");
    CHECK(all.items[0].id == dir.path().string() + "/b\u1EA3ng.pdf");
}

TEST_CASE("names_source: names ended by NUL -> line breaks belong to the name")
{
    temp_directory dir;
    std::string const odd = dir.write("two\nlines.pdf\r", "1").string();
    std::string const last = dir.write("z", "1").string();
    collected const all = names_in(odd + '\0' + '\0' + last, names_source::separator::nul).all();
    CHECK(all.problems.empty());
    CHECK(all.paths() == std::vector<std::string>{odd, last});
}

TEST_CASE(
    "names_source: missing files, directories, empty files -> problems with their line, and the rest goes on")
{
    temp_directory dir;
    std::string const good = dir.write("good.pdf", "1").string();
    std::string const empty = dir.write("empty.pdf", "").string();
    std::string const folder = dir.path().string();
    collected const all = names_in("/no/such/file\n" + folder + "\n" + empty + "\n" + good + "\n").all();
    CHECK(all.paths() == std::vector<std::string>{good});
    REQUIRE(all.problems.size() == 3);
    REQUIRE(all.problem("/no/such/file"));
    CHECK(all.problem("/no/such/file")->where == "-:1");
    CHECK(all.problem("/no/such/file")->code == errc::unreadable_file);
    REQUIRE(all.problem(folder));
    CHECK(all.problem(folder)->where == "-:2");
    CHECK(all.problem(folder)->message == "is a directory");
    REQUIRE(all.problem(empty));
    CHECK(all.problem(empty)->code == errc::empty_document);
}

TEST_CASE("names_source: NUL bytes among lines -> a problem that says so")
{
    collected const all = names_in(std::string("a\0b\0", 4)).all();
    REQUIRE(all.problems.size() == 1);
    CHECK(all.problems[0].code == errc::invalid_argument);
}

TEST_CASE("names_source: a name longer than 1 MiB -> a problem, and the next name is read")
{
    temp_directory dir;
    std::string const good = dir.write("good.pdf", "1").string();
    for (std::size_t const length : {std::size_t(1'048'577), std::size_t(5'000'000)}) {
        collected const all = names_in(std::string(length, 'x') + "\n" + good).all();
        CHECK(all.paths() == std::vector<std::string>{good});
        REQUIRE(all.problems.size() == 1);
        CHECK(all.problems[0].where == "-:1");
        CHECK(all.problems[0].code == errc::invalid_argument);
    }
    CHECK(names_in(std::string(5'000'000, 'x')).all().problems.size() == 1);
}

TEST_CASE("names_source: nothing at all -> nothing")
{
    CHECK(names_in("").all().items.empty());
    collected const blank = names_in("\n\n").all();
    CHECK(blank.items.empty());
    CHECK(blank.problems.empty());
}

TEST_CASE("names_source: a descriptor that cannot be read -> one problem, then the end")
{
    names_source source(unique_fd(::open("/", O_RDONLY | O_DIRECTORY)), names_source::separator::line, "-");
    collected const all = collect(source);
    REQUIRE(all.problems.size() == 1);
    CHECK(all.problems[0].code == errc::unreadable_file);
    CHECK_FALSE(source.next());
}

TEST_CASE("names_source: a non-blocking pipe whose writer is slow -> waited for, never spun or given up")
{
    temp_directory dir;
    std::string const a = dir.write("a.pdf", "1").string();
    int ends[2];
    REQUIRE(::pipe2(ends, O_NONBLOCK) == 0);
    unique_fd reader(ends[0]);
    unique_fd writer(ends[1]);
    names_source source(std::move(reader), names_source::separator::line, "-");
    std::jthread const slow([&a, fd = std::move(writer)]() mutable {
        unique_fd const mine = std::move(fd);
        for (char const c : a + "\n") {
            if (::write(mine.get(), &c, 1) != 1) return;
            std::this_thread::yield();
        }
    });
    CHECK(collect(source).paths() == std::vector<std::string>{a});
}
