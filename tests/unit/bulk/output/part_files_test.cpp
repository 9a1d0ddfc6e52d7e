#include <ocrpipe/bulk/output/part_files.hpp>

#include "support/temp_directory.hpp"
#include "unit/bulk/output/file_size_limit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <sys/stat.h>

using namespace ocrpipe;
namespace fs = std::filesystem;

TEST_CASE("part_files: parts of a document -> files named after it, returned relative to the run's folder")
{
    temp_directory dir;
    part_files const parts(dir.path().string(), "parts");
    CHECK(parts.write("docs/invoice.pdf", operation::table, 1, "[1]").value() ==
          "parts/invoice.pdf-1c344482ffa8/table-1.json");
    CHECK(parts.write("docs/invoice.pdf", operation::stamp, 12, "[2]").value() ==
          "parts/invoice.pdf-1c344482ffa8/stamp-12.json");
    CHECK(dir.read("parts/invoice.pdf-1c344482ffa8/table-1.json") == "[1]");
    CHECK(dir.read("parts/invoice.pdf-1c344482ffa8/stamp-12.json") == "[2]");
}

TEST_CASE("part_files: images -> the ending that their first bytes ask for")
{
    temp_directory dir;
    part_files const parts(dir.path().string(), "parts");
    CHECK(parts.write("x", operation::image, 1, "\x89PNG\r\n\x1A\n....").value() ==
          "parts/x-2d711642b726/image-1.png");
    CHECK(parts.write("x", operation::image, 2, "%PDF-1.7").value() == "parts/x-2d711642b726/image-2.pdf");
    CHECK(parts.write("x", operation::image, 3, "who knows").value() == "parts/x-2d711642b726/image-3.bin");
}

TEST_CASE("part_files: ids that try to be paths, or are long, or not ASCII -> one harmless component each")
{
    temp_directory dir;
    part_files const parts(dir.path().string(), "parts");
    std::string const long_id(5'000, 'i');
    std::string const long_name(255, 'n');
    for (std::string const& id : {std::string("../../etc/passwd"), std::string("/"), std::string(".."),
                                  std::string("a\nb\0c", 5), std::string("hoá đơn"), long_id, long_name,
                                  std::string(), std::string(3, '\xFF'), std::string(300, '\x80')}) {
        CAPTURE(id);
        std::string const name = parts.write(id, operation::signature, 1, "x").value();
        CHECK(fs::path(name).parent_path().parent_path() == "parts");
        CHECK(std::count(name.begin(), name.end(), '/') == 2);
        CHECK(fs::path(name).parent_path().filename().string().size() <= 255);
        CHECK(dir.read(name) == "x");
    }
    for (auto const& entry : fs::recursive_directory_iterator(dir.path()))
        CHECK(entry.path().string().starts_with(dir.path().string()));
}

TEST_CASE("part_files: documents whose ids look alike -> kept apart by a digest")
{
    temp_directory dir;
    part_files const parts(dir.path().string(), "parts");
    std::string const a = parts.write("a/b", operation::table, 1, "first").value();
    std::string const b = parts.write("a_b", operation::table, 1, "second").value();
    CHECK(a != b);
    CHECK(dir.read(a) == "first");
}

TEST_CASE("part_files: text -> one file a document; written again -> replaced, nothing left over")
{
    temp_directory dir;
    part_files const texts(dir.path().string(), "text");
    REQUIRE(texts.write_text("in/a.png", "old and longer").value() == "text/a.png-7431e20d2115.txt");
    REQUIRE(texts.write_text("in/a.png", "new").value() == "text/a.png-7431e20d2115.txt");
    CHECK(dir.read("text/a.png-7431e20d2115.txt") == "new");
    CHECK(std::distance(fs::directory_iterator(dir.path() / "text"), fs::directory_iterator()) == 1);
}

TEST_CASE("part_files: what a crash left of an earlier attempt -> overwritten")
{
    temp_directory dir;
    dir.write("text/.a-ca978112ca1b.txt.tmp", "half of someth");
    part_files const texts(dir.path().string(), "text");
    REQUIRE(texts.write_text("a", "all").has_value());
    CHECK(dir.read("text/a-ca978112ca1b.txt") == "all");
    CHECK(std::distance(fs::directory_iterator(dir.path() / "text"), fs::directory_iterator()) == 1);
}

TEST_CASE("part_files: files and folders -> for their owner alone")
{
    temp_directory dir;
    part_files const parts(dir.path().string(), "parts");
    std::string const name = parts.write("x", operation::table, 1, "1").value();
    struct ::stat status {
    };
    REQUIRE(::stat((dir.path() / name).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    REQUIRE(::stat((dir.path() / "parts").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("part_files: a run folder that is gone, or a file where a folder should be -> unwritable_output "
          "with the cause")
{
    temp_directory dir;
    part_files const gone(dir.path().string() + "/gone", "parts");
    auto const r = gone.write("x", operation::table, 1, "1");
    REQUIRE(r.has_error());
    CHECK(r.error().is(errc::unwritable_output));
    CHECK(r.error().cause == boost::system::errc::no_such_file_or_directory);
    dir.write("parts", "a file");
    CHECK(
        part_files(dir.path().string(), "parts").write("x", operation::table, 1, "1").error().cause.failed());
}

TEST_CASE("part_files: an id that tries to climb -> nothing beside the run's folder")
{
    temp_directory outer;
    fs::create_directory(outer.path() / "run");
    part_files const parts((outer.path() / "run").string(), "parts");
    CHECK(parts.write("../../etc/passwd", operation::table, 1, "x").value() ==
          "parts/passwd-3754d6cb3a38/table-1.json");
    CHECK(parts.write("x/..", operation::table, 1, "x").value() == "parts/_.-def8dcbff805/table-1.json");
    CHECK(parts.write_text("..\\..\\x", "x").value() == "parts/_._.._x-baaa9abab2f4.txt");
    for (auto const& entry : fs::recursive_directory_iterator(outer.path())) {
        std::string const below = fs::relative(entry.path(), outer.path()).string();
        CAPTURE(below);
        CHECK((below == "run" || below == "run/parts" || below.starts_with("run/parts/")));
    }
}

TEST_CASE("part_files: the disk takes only half -> unwritable_output, the old file stays, no draft is left")
{
    temp_directory dir;
    part_files const parts(dir.path().string(), "parts");
    REQUIRE(parts.write("a", operation::table, 1, "old").has_value());
    {
        file_size_limit const limit(1'000);
        auto const failed = parts.write("a", operation::table, 1, std::string(2'000, 'x'));
        REQUIRE(failed.has_error());
        CHECK(failed.error().is(errc::unwritable_output));
        CHECK(failed.error().cause == boost::system::errc::file_too_large);
        CHECK(failed.error().reason == "parts/a-ca978112ca1b/table-1.json");
    }
    CHECK(dir.read("parts/a-ca978112ca1b/table-1.json") == "old");
    CHECK(std::distance(fs::directory_iterator(dir.path() / "parts/a-ca978112ca1b"),
                        fs::directory_iterator()) == 1);
}

TEST_CASE(
    "part_files: letters of any script -> stay; what is not seen, or no file name elsewhere -> a line below")
{
    temp_directory dir;
    part_files const texts(dir.path().string(), "text");
    auto const label = [&](std::string const& id) {
        std::string const name = texts.write_text(id, "x").value();
        REQUIRE(name.starts_with("text/"));
        REQUIRE(name.ends_with(".txt"));
        CHECK(fs::exists(dir.path() / name));
        return name.substr(5, name.size() - 5 - 17);
    };
    for (char const* const stays : {"hoá đơn tháng 3.pdf", "hoa\u0301 đơn", "счёт №5", "請求書 (2)", "فاتورة",
                                    "a+b & c's, 100%", "\U0001F4C4"})
        CHECK(label(stays) == stays);
    for (auto const& [id, expected] :
         {std::pair("gpj.\u202Eexe", "gpj._exe"), std::pair("a\u200Bb\u2066c", "a_b_c"),
          std::pair("a\u2028b", "a_b"), std::pair("\u0085\u00ADx", "__x"), std::pair("\uFEFFx", "_x"),
          std::pair("\U000E0041", "_"), std::pair("\uFFFE\U0001FFFF", "__"),
          std::pair("a:b*c?d\"e<f>g|h\\i", "a_b_c_d_e_f_g_h_i"), std::pair("a\tb\x7F", "a_b_"),
          std::pair(".hidden", "_hidden"), std::pair("-rf", "_rf"), std::pair("caf\xE9", "caf_"),
          std::pair("\xED\xA0\x80", "___"), std::pair("x/", "_")})
        CHECK(label(id) == expected);
}

TEST_CASE(
    "part_files: a long name -> its end, cut between characters, and with its draft's name within 255 bytes")
{
    temp_directory dir;
    part_files const texts(dir.path().string(), "text");
    std::string const letter = "ệ"; // three bytes
    for (std::size_t extra = 0; extra != 4; ++extra) {
        std::string id(extra, 'x');
        for (int i = 0; i != 100; ++i)
            id += letter;
        id += ".pdf";
        std::string const name = texts.write_text(id, "x").value().substr(5);
        CHECK(name.size() <= 250);
        CHECK(name.size() > 240);
        CHECK(name.starts_with(letter));
        CHECK(name.find("ệ.pdf-") != std::string::npos);
        CHECK(name.find('_') == std::string::npos);
    }
}
