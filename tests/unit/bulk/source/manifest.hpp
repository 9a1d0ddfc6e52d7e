#ifndef OCRPIPE_TESTS_UNIT_BULK_SOURCE_MANIFEST_HPP
#define OCRPIPE_TESTS_UNIT_BULK_SOURCE_MANIFEST_HPP

#include <ocrpipe/bulk/source/manifest_source.hpp>

#include "support/temp_directory.hpp"
#include "unit/bulk/source/collect.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

/// A folder with two documents, and the manifest in it.
class manifest
{
public:
    manifest(std::string_view name, std::string_view text) : name_(name)
    {
        dir_.write("a.pdf", "1");
        dir_.write("sub/b c.png", "22");
        dir_.write(name, text);
    }

    collected all(std::shared_ptr<ocrpipe::source_notes> notes = nullptr) const
    {
        ocrpipe::manifest_source source(file(name_), *ocrpipe::manifest_format_of(name_), std::move(notes));
        collected all = collect(source);
        CHECK_FALSE(source.next());
        return all;
    }
    std::string file(std::string const& name) const { return dir_.path().string() + "/" + name; }

    /// What is wrong with a line, empty when nothing is.
    std::string problem_at(int line) const
    {
        collected const got = all();
        for (auto const& p : got.problems)
            if (p.where == file(name_) + ":" + std::to_string(line)) {
                CHECK(p.code == ocrpipe::errc::invalid_argument);
                return p.message;
            }
        return {};
    }

private:
    temp_directory dir_;
    std::string name_;
};

#endif
