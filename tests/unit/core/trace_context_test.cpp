#include <ocrpipe/core/trace_context.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>

using ocrpipe::trace_context;

namespace
{

std::string const ours = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

} // namespace

TEST_CASE("trace_context: the headers of a request -> the same again, and the ids")
{
    std::optional<trace_context> const c = trace_context::parse(ours, "congo=t61rcWkgMzE,rojo=1");
    REQUIRE(c);
    CHECK(c->traceparent() == ours);
    CHECK(c->tracestate() == "congo=t61rcWkgMzE,rojo=1");
    CHECK(c->trace_id() == "0af7651916cd43dd8448eb211c80319c");
    CHECK(c->span_id() == "b7ad6b7169203331");
    CHECK(c->parent_id().empty());
    CHECK(c->sampled());
    CHECK_FALSE(trace_context::parse(ours.substr(0, 53) + "02")->sampled());
}

TEST_CASE("trace_context: a child -> the same trace, its own span id, and the span as its parent")
{
    trace_context const child = trace_context::parse(ours, "a=b")->child(0x1f);
    CHECK(child.traceparent() == "00-0af7651916cd43dd8448eb211c80319c-000000000000001f-01");
    CHECK(child.parent_id() == "b7ad6b7169203331");
    CHECK(child.tracestate() == "a=b");
    CHECK(child.child(7).parent_id() == "000000000000001f");
}

TEST_CASE("trace_context: a root -> no parent, and never an id of zero")
{
    CHECK(trace_context::root(1, 2, 3).traceparent() ==
          "00-00000000000000010000000000000002-0000000000000003-01");
    CHECK(trace_context::root(0, 0, 0, false).traceparent() ==
          "00-00000000000000000000000000000001-0000000000000001-00");
    CHECK(trace_context::parse(ours)->child(0).span_id() == "0000000000000001");
}

TEST_CASE("trace_context: flags that are not defined -> zero in what is sent")
{
    CHECK(trace_context::parse(ours.substr(0, 53) + "ff")->traceparent() == ours);
}

TEST_CASE("trace_context: a later version -> its first four members; an invalid header -> none")
{
    std::string const later = "cc" + ours.substr(2);
    CHECK(trace_context::parse(later)->traceparent() == ours);
    CHECK(trace_context::parse(later + "-what-comes")->traceparent() == ours);
    for (std::string const& wrong :
         {std::string(), std::string("00"), ours + "-x", ours + "0", later + "x", ours.substr(0, 54),
          "ff" + ours.substr(2), "0A" + ours.substr(2), "00_" + ours.substr(3), ' ' + ours,
          "00-" + std::string(32, '0') + ours.substr(35), ours.substr(0, 36) + std::string(16, '0') + "-01",
          ours.substr(0, 34) + "G" + ours.substr(35), ours.substr(0, 10) + "F" + ours.substr(11)}) {
        CAPTURE(wrong);
        CHECK_FALSE(trace_context::parse(wrong));
    }
}

TEST_CASE("trace_context: a tracestate that would break the head, or is too long -> dropped alone")
{
    for (std::string const& wrong : {std::string("a=b\r\nX: y"), std::string("a=\x7f"), std::string("a=\xe9"),
                                     "a=" + std::string(511, 'x')}) {
        CAPTURE(wrong);
        std::optional<trace_context> const c = trace_context::parse(ours, wrong);
        REQUIRE(c);
        CHECK(c->tracestate().empty());
    }
    CHECK(trace_context::parse(ours, "a=" + std::string(510, 'x'))->tracestate().size() == 512);
}
