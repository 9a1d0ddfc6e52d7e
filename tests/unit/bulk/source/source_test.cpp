#include <ocrpipe/bulk/source/source.hpp>

#include "unit/bulk/source/collect.hpp"

#include <doctest/doctest.h>

using namespace ocrpipe;

namespace
{

/// Gives `count` items and counts how often it was asked.
class counting_source final : public source
{
public:
    counting_source(int count, int& asked) : left_(count), asked_(asked) {}

    std::optional<input> next() override
    {
        ++asked_;
        if (left_ == 0) return std::nullopt;
        input_item item;
        item.path = std::to_string(left_--);
        return item;
    }

private:
    int left_;
    int& asked_;
};

} // namespace

TEST_CASE("chained_source: several sources, some empty -> all of their items, then nothing for ever")
{
    int asked = 0;
    std::vector<std::unique_ptr<source>> parts;
    for (int const count : {0, 2, 0, 0, 3, 0})
        parts.push_back(std::make_unique<counting_source>(count, asked));
    chained_source chain(std::move(parts));
    CHECK(collect(chain).items.size() == 5);
    CHECK_FALSE(chain.next());
    CHECK_FALSE(chain.next());
}

TEST_CASE("chained_source: one item is taken -> later sources are not asked yet")
{
    int first = 0;
    int second = 0;
    std::vector<std::unique_ptr<source>> parts;
    parts.push_back(std::make_unique<counting_source>(2, first));
    parts.push_back(std::make_unique<counting_source>(2, second));
    chained_source chain(std::move(parts));
    CHECK(chain.next());
    CHECK(first == 1);
    CHECK(second == 0);
}

TEST_CASE("chained_source: no sources -> nothing")
{
    chained_source chain({});
    CHECK_FALSE(chain.next());
}
