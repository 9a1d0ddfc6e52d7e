#ifndef OCRPIPE_TESTS_SUPPORT_TEMP_DIRECTORY_HPP
#define OCRPIPE_TESTS_SUPPORT_TEMP_DIRECTORY_HPP

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

/// A directory of the test's own, removed with all that is in it.
class temp_directory
{
public:
    temp_directory()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "ocrpipe-test-XXXXXX").string();
        if (!::mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed: " + pattern);
        path_ = pattern;
    }
    ~temp_directory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    temp_directory(temp_directory const&) = delete;
    temp_directory& operator=(temp_directory const&) = delete;

    std::filesystem::path const& path() const noexcept { return path_; }

    std::filesystem::path write(std::string_view name, std::string_view content) const
    {
        std::filesystem::path const file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream out(file, std::ios::binary);
        out.write(content.data(), static_cast<std::streamsize>(content.size()));
        if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
        return file;
    }

    std::string read(std::string_view name) const
    {
        std::ifstream in(path_ / name, std::ios::binary);
        if (!in) throw std::runtime_error("cannot read " + (path_ / name).string());
        return std::string(std::istreambuf_iterator<char>(in), {});
    }

private:
    std::filesystem::path path_;
};

#endif
