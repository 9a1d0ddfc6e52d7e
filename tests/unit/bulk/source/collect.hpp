#ifndef OCRPIPE_TESTS_UNIT_BULK_SOURCE_COLLECT_HPP
#define OCRPIPE_TESTS_UNIT_BULK_SOURCE_COLLECT_HPP

#include <ocrpipe/bulk/source/source.hpp>

#include <algorithm>
#include <string>
#include <vector>

/// All that a source gives, items and problems apart, each sorted by path.
struct collected {
    std::vector<ocrpipe::input_item> items;
    std::vector<ocrpipe::input_problem> problems;

    std::vector<std::string> paths() const
    {
        std::vector<std::string> out;
        for (auto const& i : items)
            out.push_back(i.path);
        return out;
    }

    ocrpipe::input_problem const* problem(std::string const& path) const
    {
        auto const found =
            std::find_if(problems.begin(), problems.end(), [&](auto const& p) { return p.path == path; });
        return found == problems.end() ? nullptr : &*found;
    }
};

inline collected collect(ocrpipe::source& s)
{
    collected all;
    while (auto found = s.next()) {
        if (auto* item = std::get_if<ocrpipe::input_item>(&*found))
            all.items.push_back(std::move(*item));
        else
            all.problems.push_back(std::get<ocrpipe::input_problem>(std::move(*found)));
    }
    auto const by_path = [](auto const& a, auto const& b) { return a.path < b.path; };
    std::sort(all.items.begin(), all.items.end(), by_path);
    std::sort(all.problems.begin(), all.problems.end(), by_path);
    return all;
}

#endif
