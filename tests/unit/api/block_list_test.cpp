#include <ocrpipe/api/impl/answer_tree.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe::detail;

TEST_CASE("block_list: many elements over several blocks -> each in its place")
{
    block_list<int> list;
    CHECK(list.empty());
    for (int i = 0; i != 5'000; ++i)
        list.push_back(i);
    REQUIRE(list.size() == 5'000);
    for (int i = 0; i != 5'000; ++i)
        CHECK(list[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("answer_tree: siblings half a million nodes apart -> found, and those after them too")
{
    std::string body = "[[";
    for (int i = 0; i != 600'000; ++i)
        body += i == 0 ? "{}" : ",{}";
    body += "],\"b\",\"c\"]";
    auto const tree = answer_tree::read(body);
    REQUIRE(tree);
    std::string seen;
    int lists = 0;
    tree->for_each_child(answer_tree::root, [&](answer_tree::index c) {
        if (tree->is_array(c))
            ++lists;
        else
            seen += tree->text(c);
    });
    CHECK(lists == 1);
    CHECK(seen == "bc");
    int elements = 0;
    tree->for_each_child(tree->first(answer_tree::root), [&](answer_tree::index) { ++elements; });
    CHECK(elements == 600'000);
}
