#include <ocrpipe/pace/doc_type_gate.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;

TEST_CASE("doc_type_gate: three 500s in a row and never accepted -> stopped, and the others are not")
{
    doc_type_gate gate;
    for (int i = 0; i != doc_type_gate::max_failures; ++i) {
        CHECK_FALSE(gate.is_stopped("INVOYCE"));
        gate.failed("INVOYCE");
    }
    CHECK(gate.is_stopped("INVOYCE"));
    CHECK_FALSE(gate.is_stopped("INVOICE"));
    gate.failed("INVOYCE");
    gate.answered("INVOYCE"); // an answer to what was under way
    CHECK(gate.is_stopped("INVOYCE"));
}

TEST_CASE("doc_type_gate: accepted once -> never stopped; another answer between -> counted anew")
{
    doc_type_gate gate;
    gate.failed("A");
    gate.accepted("A");
    for (int i = 0; i != 10; ++i)
        gate.failed("A");
    CHECK_FALSE(gate.is_stopped("A"));

    for (int i = 0; i != 10; ++i) {
        gate.failed("B");
        gate.failed("B");
        gate.answered("B");
    }
    CHECK_FALSE(gate.is_stopped("B"));
}

TEST_CASE("doc_type_gate: a flow's documents without doc_type -> never stopped")
{
    doc_type_gate gate;
    for (int i = 0; i != 10; ++i)
        gate.failed("");
    CHECK_FALSE(gate.is_stopped(""));
}

TEST_CASE("doc_type_gate: more doc_types than it watches -> those beyond pass, and cost nothing")
{
    doc_type_gate gate;
    for (std::size_t i = 0; i != doc_type_gate::max_watched; ++i)
        gate.failed("T" + std::to_string(i));
    for (int i = 0; i != 10; ++i)
        gate.failed("one more");
    CHECK_FALSE(gate.is_stopped("one more"));
    gate.failed("T0");
    gate.failed("T0");
    CHECK(gate.is_stopped("T0"));
}
