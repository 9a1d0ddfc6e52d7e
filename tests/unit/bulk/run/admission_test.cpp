#include <ocrpipe/bulk/run/detail/admission.hpp>

#include <doctest/doctest.h>

#include <set>

using namespace ocrpipe;
using detail::admission;
using detail::admission_of;
using detail::row_comparison;
using enum document_state;

namespace
{

constexpr row_comparison unchanged{};
constexpr row_comparison moved{.same_path = false};
constexpr row_comparison other_content{.same_content = false};
constexpr row_comparison other_parameters{.same_parameters = false};
constexpr row_comparison other_document{.same_path = false, .same_content = false};

/// The states for which the decision is `what`.
std::set<document_state> states_with(admission what, row_comparison const& c, bool accept_changes = false)
{
    std::set<document_state> in;
    for (std::size_t i = 0; i != document_state_count; ++i)
        if (auto const s = static_cast<document_state>(i); admission_of(s, c, accept_changes) == what)
            in.insert(s);
    return in;
}

using states = std::set<document_state>;

states const all{found, intent, submitted, done, failed, ambiguous, stuck, expired, lost, skipped};
states const in_progress{intent, submitted, stuck};
states const none;

} // namespace

TEST_CASE("admission_of: an unchanged document -> sent if it never was, on request if it did not end well")
{
    for (row_comparison const& c : {unchanged, moved})
        for (bool const accept_changes : {false, true}) {
            CHECK(states_with(admission::send, c, accept_changes) == states{found});
            CHECK(states_with(admission::resend_if_selected, c, accept_changes) ==
                  states{failed, ambiguous, expired, lost});
            CHECK(states_with(admission::skip, c, accept_changes) ==
                  states{intent, submitted, stuck, done, skipped});
        }
}

TEST_CASE("admission_of: new content at the same path -> sent, unless the old one is in progress")
{
    CHECK(states_with(admission::skip, other_content) == in_progress);
    CHECK(states_with(admission::send, other_content) ==
          states{found, done, failed, ambiguous, expired, lost, skipped});
}

TEST_CASE("admission_of: another document at another path -> refused in every state")
{
    CHECK(states_with(admission::refuse, other_document) == all);
    CHECK(states_with(admission::refuse, other_document, true) == all);
}

TEST_CASE("admission_of: other parameters -> refused if the document may have been paid for")
{
    CHECK(states_with(admission::refuse, other_parameters) == states{done, ambiguous, skipped});
    CHECK(states_with(admission::skip, other_parameters) == in_progress);
    CHECK(states_with(admission::send, other_parameters) == states{found, failed, expired, lost});
}

TEST_CASE("admission_of: other parameters and changes accepted -> sent, unless it is in progress")
{
    CHECK(states_with(admission::refuse, other_parameters, true) == none);
    CHECK(states_with(admission::skip, other_parameters, true) == in_progress);
}

TEST_CASE("admission_of: new content with other parameters -> a new document, not refused")
{
    row_comparison const c{.same_content = false, .same_parameters = false};
    CHECK(states_with(admission::refuse, c) == none);
    CHECK(states_with(admission::skip, c) == in_progress);
}

TEST_CASE("compare: a document and its row -> what differs")
{
    ledger_document row;
    row.path = "a";
    row.sha256 = "00";
    row.parameters = "p";
    ledger_document d = row;
    d.size = 1; // not part of the comparison
    CHECK(detail::compare(row, d).same_path);
    CHECK(detail::compare(row, d).same_content);
    CHECK(detail::compare(row, d).same_parameters);
    d.path = "b";
    d.sha256 = "01";
    d.parameters = "q";
    CHECK_FALSE(detail::compare(row, d).same_path);
    CHECK_FALSE(detail::compare(row, d).same_content);
    CHECK_FALSE(detail::compare(row, d).same_parameters);
}
