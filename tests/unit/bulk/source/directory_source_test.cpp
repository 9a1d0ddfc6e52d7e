#include <ocrpipe/bulk/source/directory_source.hpp>

#include "support/temp_directory.hpp"
#include "unit/bulk/source/collect.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <memory>
#include <set>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

using namespace ocrpipe;
namespace fs = std::filesystem;

namespace
{

std::size_t open_descriptors()
{
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

/// Reads a directory with notes of its own, or with those of other sources.
collected read(fs::path const& root, bool follow_links, std::shared_ptr<source_notes> notes = nullptr)
{
    directory_options how;
    how.follow_links = follow_links;
    how.notes = std::move(notes);
    directory_source source(root.string(), how);
    return collect(source);
}

} // namespace

TEST_CASE("directory_source: files in nested directories -> each with its path as id and its size")
{
    temp_directory dir;
    dir.write("b.pdf", "12345");
    dir.write("a/deep/er/c.png", "1");
    dir.write("a/notes.txt", "text is a document as well: the service decides");
    std::string const root = dir.path().string();
    directory_source source(root);
    collected const all = collect(source);
    CHECK(all.problems.empty());
    CHECK(all.paths() ==
          std::vector<std::string>{root + "/a/deep/er/c.png", root + "/a/notes.txt", root + "/b.pdf"});
    for (auto const& item : all.items)
        CHECK(item.id == item.path);
    CHECK(all.items.back().size == 5);
    CHECK_FALSE(source.next());
}

TEST_CASE("directory_source: more names than are taken up at a time -> each once, in few ascending runs")
{
    constexpr int files = 70'000;
    temp_directory dir;
    fs::create_directory(dir.path() / "in");
    // A file system may allow fewer names of one file than that.
    for (int i = 0; i != 2; ++i)
        dir.write(std::to_string(i), "1");
    for (int i = 0; i != files; ++i)
        fs::create_hard_link(dir.path() / std::to_string(i % 2), dir.path() / "in" / std::to_string(i));
    directory_source source((dir.path() / "in").string());
    std::set<std::string> seen;
    std::string last;
    int runs = 1;
    while (std::optional<input> const found = source.next()) {
        std::string const& path = std::get<input_item>(*found).path;
        CHECK(seen.insert(path).second);
        runs += path < last;
        last = path;
    }
    CHECK(seen.size() == files);
    CHECK(runs <= 2);
}

TEST_CASE("directory_source: a root with slashes and dots too many -> clean paths")
{
    temp_directory dir;
    dir.write("sub/x.pdf", "1");
    directory_source source(dir.path().string() + "//./sub/.//");
    CHECK(collect(source).paths() == std::vector<std::string>{dir.path().string() + "/sub/x.pdf"});
}

TEST_CASE("directory_source: hidden files and directories -> passed over")
{
    temp_directory dir;
    dir.write(".DS_Store", "1");
    dir.write(".git/config", "1");
    dir.write("seen.pdf", "1");
    directory_source source(dir.path().string());
    collected const all = collect(source);
    CHECK(all.items.size() == 1);
    CHECK(all.problems.empty());
}

TEST_CASE("directory_source: links that lead back to where they stand -> counted, each file once, with "
          "follow_links too")
{
    temp_directory dir;
    dir.write("a/b/x.pdf", "1");
    fs::create_directory_symlink(dir.path(), dir.path() / "a/b/to_root");
    fs::create_directory_symlink("..", dir.path() / "a/b/to_parent");
    fs::create_directory_symlink(".", dir.path() / "a/to_itself");
    fs::create_symlink("b/x.pdf", dir.path() / "a/to_file");
    for (bool const follow : {false, true}) {
        auto const notes = std::make_shared<source_notes>();
        collected const all = read(dir.path(), follow, notes);
        CHECK(all.paths() == std::vector<std::string>{(dir.path() / "a/b/x.pdf").string()});
        CHECK(all.problems.empty());
        CHECK(notes->links_skipped == 4);
        CHECK(notes->links_repeated == 4);
    }
}

TEST_CASE("directory_source: links to a file and to a directory elsewhere -> skipped and counted; with "
          "follow_links read")
{
    temp_directory elsewhere;
    elsewhere.write("folder/y.pdf", "22");
    elsewhere.write("z.pdf", "333");
    temp_directory dir;
    fs::create_symlink(elsewhere.path() / "z.pdf", dir.path() / "file_link.pdf");
    fs::create_directory_symlink(elsewhere.path() / "folder", dir.path() / "folder_link");
    auto const notes = std::make_shared<source_notes>();
    collected const none = read(dir.path(), false, notes);
    CHECK(none.items.empty());
    CHECK(none.problems.empty());
    CHECK(notes->links_skipped == 2);
    CHECK(notes->links_repeated == 0);
    collected const all = read(dir.path(), true);
    std::string const root = dir.path().string();
    CHECK(all.paths() == std::vector<std::string>{root + "/file_link.pdf", root + "/folder_link/y.pdf"});
    CHECK(all.items.front().size == 3);
}

TEST_CASE("directory_source: the same file behind several links, and in a directory behind one -> once, in "
          "whichever order they are met")
{
    for (char const* const first : {"1_link", "9_link"}) {
        CAPTURE(first);
        temp_directory elsewhere;
        elsewhere.write("folder/y.pdf", "22");
        temp_directory dir;
        for (std::string const name : {first, "5_link"})
            fs::create_symlink(elsewhere.path() / "folder/y.pdf", dir.path() / (name + ".pdf"));
        fs::create_directory_symlink(elsewhere.path() / "folder", dir.path() / "6_folder");
        fs::create_directory_symlink(elsewhere.path() / "folder", dir.path() / "7_folder");
        auto const notes = std::make_shared<source_notes>();
        CHECK(read(dir.path(), true, notes).items.size() == 1);
        CHECK(notes->links_skipped == 3);
        CHECK(notes->links_repeated == 3);
    }
}

TEST_CASE("directory_source: six directories outside that link to each other -> each of their files once")
{
    temp_directory dir;
    for (int i = 0; i != 6; ++i) {
        std::string const name = "d" + std::to_string(i);
        dir.write(name + "/" + std::to_string(i) + ".pdf", "1");
        for (int k = 0; k != 6; ++k)
            if (k != i)
                fs::create_directory_symlink("../d" + std::to_string(k),
                                             dir.path() / name / ("to" + std::to_string(k)));
    }
    CHECK(read(dir.path(), false).items.size() == 6);
    CHECK(read(dir.path(), true).paths() == read(dir.path(), false).paths());
    CHECK(read(dir.path() / "d0", true).items.size() == 6);
    CHECK(read(dir.path() / "d0", false).items.size() == 1);
}

TEST_CASE("directory_source: a link within the tree to a file under a hidden name -> read, once")
{
    temp_directory dir;
    dir.write(".store/ab/cd", "1");
    fs::create_symlink(".store/ab/cd", dir.path() / "a.pdf");
    fs::create_symlink(".store/ab/cd", dir.path() / "b.pdf");
    auto const notes = std::make_shared<source_notes>();
    CHECK(read(dir.path(), false, notes).paths() ==
          std::vector<std::string>{(dir.path() / "a.pdf").string()});
    CHECK(notes->links_repeated == 1);
}

TEST_CASE(
    "directory_source: sources that share their notes -> each directory once, said when it is met again")
{
    temp_directory dir;
    dir.write("a/x.pdf", "1");
    dir.write("a/b/y.pdf", "1");
    fs::create_directory_symlink("../c", dir.path() / "a/link");
    dir.write("c/z.pdf", "1");
    auto const notes = std::make_shared<source_notes>();
    directory_options how;
    how.follow_links = true;
    how.notes = notes;
    directory_source below((dir.path() / "a/b").string(), how);
    directory_source above((dir.path() / "a").string(), how);
    directory_source again((dir.path() / "a").string(), how);
    directory_source linked((dir.path() / "c").string(), how);
    CHECK(collect(below).items.size() == 1);
    CHECK(collect(above).paths() == std::vector<std::string>{(dir.path() / "a/x.pdf").string()});
    CHECK(collect(again).items.empty());
    CHECK(collect(linked).paths() == std::vector<std::string>{(dir.path() / "c/z.pdf").string()});
    CHECK(notes->directories_repeated == 2);
    CHECK(notes->links_repeated == 1);
    auto const said = notes->take();
    REQUIRE(said.size() == 2);
    CHECK(said[0].event == "directories_repeated");
    CHECK(said[1].event == "directory_repeated");
}

TEST_CASE("directory_source: a root that is a link -> followed")
{
    temp_directory dir;
    dir.write("real/x.pdf", "1");
    fs::create_symlink("x.pdf", dir.path() / "real/y.pdf");
    fs::create_directory_symlink("real", dir.path() / "link");
    CHECK(read(dir.path() / "link", false).paths() ==
          std::vector<std::string>{(dir.path() / "link/x.pdf").string()});
}

TEST_CASE("directory_source: two hard links -> two documents")
{
    temp_directory dir;
    dir.write("a.pdf", "1");
    fs::create_hard_link(dir.path() / "a.pdf", dir.path() / "b.pdf");
    CHECK(read(dir.path(), true).items.size() == 2);
}

TEST_CASE("directory_source: empty files, FIFOs, sockets, dangling links and links to themselves -> "
          "problems, and the rest goes on")
{
    temp_directory dir;
    std::string const root = dir.path().string();
    dir.write("good.pdf", "1");
    dir.write("empty.pdf", "");
    REQUIRE(::mkfifo((root + "/fifo").c_str(), 0600) == 0);
    fs::create_symlink("nowhere", dir.path() / "dangling");
    fs::create_symlink("circular", dir.path() / "circular");
    int const listening = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ::sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string const socket_path = root + "/socket";
    socket_path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    REQUIRE(::bind(listening, reinterpret_cast<::sockaddr*>(&address), sizeof(address)) == 0);

    directory_source source(root);
    collected const all = collect(source);
    ::close(listening);
    CHECK(all.paths() == std::vector<std::string>{root + "/good.pdf"});
    CHECK(all.problems.size() == 5);
    for (char const* name : {"/fifo", "/dangling", "/circular", "/socket"}) {
        CAPTURE(name);
        auto const* p = all.problem(root + name);
        REQUIRE(p);
        CHECK(p->code == errc::unreadable_file);
        CHECK_FALSE(p->message.empty());
    }
    REQUIRE(all.problem(root + "/empty.pdf"));
    CHECK(all.problem(root + "/empty.pdf")->code == errc::empty_document);
}

TEST_CASE("directory_source: a directory without permission -> a problem, and the rest goes on")
{
    if (::geteuid() == 0) return; // root reads everything
    temp_directory dir;
    dir.write("closed/x.pdf", "1");
    dir.write("good.pdf", "1");
    fs::permissions(dir.path() / "closed", fs::perms::none);
    directory_source source(dir.path().string());
    collected const all = collect(source);
    fs::permissions(dir.path() / "closed", fs::perms::owner_all);
    CHECK(all.items.size() == 1);
    REQUIRE(all.problem((dir.path() / "closed").string()));
}

TEST_CASE("directory_source: a root that is missing or a file -> one problem")
{
    temp_directory dir;
    dir.write("file", "1");
    for (char const* name : {"missing", "file"}) {
        directory_source source((dir.path() / name).string());
        collected const all = collect(source);
        CHECK(all.items.empty());
        CHECK(all.problems.size() == 1);
        CHECK_FALSE(source.next());
    }
}

TEST_CASE("directory_source: the directory that the run writes to -> passed over under any name")
{
    temp_directory dir;
    dir.write("x.pdf", "1");
    dir.write("out/parts/x-1/image-1.png", "1");
    fs::create_directory_symlink("out", dir.path() / "alias");
    directory_options how;
    how.skip = dir.path().string() + "/out/../out/";
    how.follow_links = true;
    directory_source source(dir.path().string(), how);
    CHECK(collect(source).paths() == std::vector<std::string>{dir.path().string() + "/x.pdf"});
}

TEST_CASE("directory_source: names of 255 bytes, with line breaks, or not UTF-8 -> kept byte for byte")
{
    temp_directory dir;
    std::string const root = dir.path().string();
    std::set<std::string> names{std::string(255, 'n'),
                                "two\nlines.pdf",
                                "tab\tand \"quotes\".pdf",
                                "hoá đơn.pdf",
                                "latin-\xE9.pdf",
                                "-",
                                "-rf"};
    for (auto const& name : names)
        dir.write(name, "1");
    directory_source source(root);
    collected const all = collect(source);
    std::set<std::string> seen;
    for (auto const& item : all.items)
        seen.insert(item.path.substr(root.size() + 1));
    CHECK(seen == names);
}

TEST_CASE("directory_source: a tree deeper than 64 directories -> a problem at the limit, and no more "
          "descriptors than levels")
{
    temp_directory dir;
    std::string path = dir.path().string();
    for (int depth = 1; depth <= 70; ++depth) {
        path += "/d";
        REQUIRE(::mkdir(path.c_str(), 0700) == 0);
        std::ofstream(path + "/f.pdf") << depth;
    }
    std::size_t const before = open_descriptors();
    std::size_t most = before;
    {
        directory_source source(dir.path().string());
        collected all;
        while (auto found = source.next()) {
            most = std::max(most, open_descriptors());
            if (std::holds_alternative<input_item>(*found))
                all.items.emplace_back();
            else
                all.problems.push_back(std::get<input_problem>(*found));
        }
        CHECK(all.items.size() == 63);
        REQUIRE(all.problems.size() == 1);
        CHECK(all.problems[0].message == "is more than 64 directories deep");
    }
    CHECK(most <= before + 64);
    CHECK(open_descriptors() == before);
}

TEST_CASE("directory_source: a file is gone by its turn -> passed over, and the others found")
{
    temp_directory dir;
    for (char const* name : {"a", "b", "c"})
        dir.write(name, "1");
    directory_source source(dir.path().string());
    REQUIRE(source.next());
    fs::remove(dir.path() / "b");
    collected const rest = collect(source);
    CHECK(rest.problems.empty());
    CHECK(rest.paths() == std::vector<std::string>{(dir.path() / "c").string()});
}

TEST_CASE("directory_source: 20,000 files in one directory -> all found, in the memory of their names")
{
    temp_directory dir;
    int const folder = ::open(dir.path().c_str(), O_RDONLY | O_DIRECTORY);
    REQUIRE(folder >= 0);
    dir.write("one-byte", "1");
    for (int i = 1; i != 20'000; ++i)
        REQUIRE(::linkat(folder, "one-byte", folder,
                         ("a-name-of-some-length-for-document-" + std::to_string(i)).c_str(), 0) == 0);
    ::close(folder);

    directory_source source(dir.path().string());
    auto const before = ::mallinfo2().uordblks;
    auto most = before;
    std::size_t count = 0;
    while (source.next()) {
        ++count;
        if (count % 1'000 == 1) most = std::max(most, ::mallinfo2().uordblks);
    }
    CHECK(count == 20'000);
    CHECK(most - before < 2'500'000); // 64 bytes a name, twice while what holds them grows
}
