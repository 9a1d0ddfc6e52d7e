#include "support/fault_vfs.hpp"
#include "support/open_ledger.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace ocrpipe;
using enum document_state;

namespace
{

struct step {
    std::string id;
    document_state to;
};

/// Two runs over one ledger, in which documents go every way that there is; each inner list is one commit.
std::vector<std::vector<std::vector<step>>> const runs{
    {
        {{"a", intent}, {"b", intent}, {"c", intent}},
        {{"a", submitted}, {"b", failed}, {"d", intent}},
        {{"a", done}, {"c", ambiguous}, {"d", submitted}},
        {{"e", intent}, {"f", intent}, {"b", intent}, {"copy of a", skipped}},
        {{"d", stuck}, {"e", submitted}, {"f", found}},
        {{"d", done}, {"e", lost}, {"b", submitted}},
    },
    {
        {{"c", intent}, {"e", intent}, {"f", intent}},
        {{"c", submitted}, {"e", submitted}, {"b", expired}, {"f", submitted}},
        {{"c", done}, {"e", done}, {"f", done}},
    },
};

/// Plays the runs, and knows what was acknowledged when.
class player
{
public:
    player(std::filesystem::path const& folder, fault_vfs& vfs) : folder_(folder), vfs_(vfs) {}

    void play()
    {
        for (auto const& run : runs) {
            sqlite_ledger_options o = open_ledger::options_for(folder_, vfs_.name());
            o.checkpoint_pages = 12; // about every second commit
            open_ledger l(o);
            if (l.opening_failure) {
                opening_failure = l.opening_failure;
                return;
            }
            if (&run != &runs.front()) l->index_content({});
            for (auto const& commit : run) {
                for (step const& s : commit)
                    ask(l, s);
                l.settle();
            }
            broken = l->broken();
            error_code const closed = l->close();
            CHECK((closed == errc::ledger_failed) == l->broken().has_value());
            if (!broken) broken = l->broken();
            if (broken) return;
        }
    }

    /// How many notes there were in `count` events, that is how many changes were acknowledged.
    std::size_t acknowledged(std::vector<fault_vfs::event> const& events, std::size_t count) const
    {
        return static_cast<std::size_t>(
            std::count_if(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count),
                          [](fault_vfs::event const& e) { return e.what == fault_vfs::action::note; }));
    }

    /// Opens what is in `folder` and checks that the first `count` acknowledged changes are there, or what
    /// came after them, and nothing that was never asked for.
    void check(std::filesystem::path const& folder, std::size_t count) const
    {
        open_ledger l(folder, no_syncs_.name());
        REQUIRE_FALSE(l.opening_failure);
        std::map<std::string, std::size_t> known; // by id: how much of its history is certain
        for (std::size_t i = 0; i != count; ++i)
            ++known[acknowledged_[i].id];
        for (auto const& [id, history] : histories_) {
            CAPTURE(id);
            std::optional<ledger_row> const row = l->find(id).value();
            std::size_t const certain = known.contains(id) ? known.at(id) : 0;
            if (!row) {
                CHECK(certain == 0);
                continue;
            }
            auto const from = history.begin() + static_cast<std::ptrdiff_t>(certain > 0 ? certain - 1 : 0);
            CAPTURE(name(row->state));
            CHECK(std::find(from, history.end(), row->state) != history.end());
            std::set<document_state> const paid_for{submitted, done, stuck, lost, expired};
            CHECK(row->request_id == (paid_for.contains(row->state) ? "request of " + id : ""));
            CHECK(row->result.has_value() == (row->state == done || row->state == skipped));
        }
        CHECK(l->counts().value().total() <= histories_.size());
        CHECK_FALSE(l->close());
        CHECK(sqlite_answer(folder / "ledger.db", "PRAGMA integrity_check") == "ok");
    }

    std::optional<failure> opening_failure;
    std::optional<failure> broken;
    std::size_t refused = 0; ///< changes whose handler was told of a failure
    bool success_after_failure = false;

    std::size_t acknowledged() const { return acknowledged_.size(); }

private:
    void ask(open_ledger& l, step const& s)
    {
        histories_[s.id].push_back(s.to);
        auto told = [this, s](error_code ec) {
            if (ec) {
                CHECK(ec == errc::ledger_failed);
                ++refused;
                return;
            }
            success_after_failure = success_after_failure || refused != 0;
            vfs_.note(s.id);
            acknowledged_.push_back(s);
        };
        switch (s.to) {
        case intent:
            return l->admit_intent(document_named(s.id), l.seen(s.id), told);
        case submitted:
            return l->submitted(s.id, request("request of " + s.id), told);
        case done:
            return l->finished(s.id, done_at({1, 2, 3}), told);
        case found:
            return l->not_sent(s.id, told);
        case skipped:
            return l->skip(document_named(s.id), {"a", {1, 2, 3}, {1, 1, 1}}, told);
        default:
            return l->finished(s.id, ended(s.to, errc::service_error), told);
        }
    }

    std::filesystem::path folder_;
    fault_vfs& vfs_;
    fault_vfs no_syncs_;
    std::vector<step> acknowledged_; ///< in the order of the notes
    std::map<std::string, std::vector<document_state>> histories_;
};

std::size_t changes(std::vector<fault_vfs::event> const& events)
{
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(),
                      [](fault_vfs::event const& e) { return e.what != fault_vfs::action::note; }));
}

std::size_t steps()
{
    std::size_t n = 0;
    for (auto const& run : runs)
        for (auto const& commit : run)
            n += commit.size();
    return n;
}

/// Fails each write, sync, truncation and removal of the two runs once, each in a ledger of its own.
void fail_each_once(fault_vfs::fault how, boost::system::errc::errc_t cause)
{
    std::size_t planned = 0;
    std::size_t in_opening = 0;
    std::size_t in_a_commit = 0;
    std::size_t elsewhere = 0;
    for (bool more = true; more; ++planned) {
        CAPTURE(planned);
        temp_directory dir;
        fault_vfs vfs;
        vfs.fail(planned, how);
        player p(dir.path(), vfs);
        p.play();
        more = vfs.failed();
        std::vector<fault_vfs::event> const events = vfs.events();
        if (!more) {
            CHECK(p.acknowledged() == steps());
            CHECK_FALSE(p.opening_failure);
            CHECK_FALSE(p.broken);
            break;
        }
        CHECK_FALSE(p.success_after_failure);
        std::optional<failure> const& what = p.opening_failure ? p.opening_failure : p.broken;
        if (what) {
            CHECK(what->is(errc::ledger_failed));
            CHECK(what->cause == cause);
            CHECK(what->reason.find("ledger.db") != std::string::npos);
        }
        if (p.opening_failure)
            ++in_opening;
        else if (p.refused > 0)
            ++in_a_commit;
        else
            ++elsewhere;
        // As after a crash of the process, and as after a power cut that takes what was not synced.
        temp_directory cut;
        vfs.lay_out(events.size(), fault_vfs::survivors::none, 0, cut.path());
        p.check(cut.path(), p.acknowledged());
        p.check(dir.path(), p.acknowledged());
    }
    MESSAGE(planned, " changes of files: ", in_opening, " failed in opening, ", in_a_commit, " in a commit, ",
            elsewhere, " elsewhere");
    CHECK(planned > 80);
    CHECK(in_opening > 10);
    CHECK(in_a_commit > 50);
}

/// Cuts the power before each event of the two runs.
void cut_power_everywhere(fault_vfs::survivors what, unsigned seeds)
{
    temp_directory dir;
    fault_vfs vfs;
    player p(dir.path(), vfs);
    p.play();
    REQUIRE(p.acknowledged() == steps());
    std::vector<fault_vfs::event> const events = vfs.events();
    CHECK(changes(events) > 80);
    for (unsigned seed = 0; seed != seeds; ++seed)
        for (std::size_t count = 0; count <= events.size(); ++count) {
            CAPTURE(seed);
            CAPTURE(count);
            temp_directory cut;
            vfs.lay_out(count, what, 1'000 * seed + static_cast<unsigned>(count), cut.path());
            p.check(cut.path(), p.acknowledged(events, count));
        }
}

} // namespace

TEST_CASE("sqlite_ledger: the disk is full at each change of a file in turn -> every later change is "
          "refused, nothing acknowledged is lost")
{
    fail_each_once(fault_vfs::fault::disk_full, boost::system::errc::no_space_on_device);
}

TEST_CASE("sqlite_ledger: each write and each sync fails in turn -> every later change is refused, nothing "
          "acknowledged is lost")
{
    fail_each_once(fault_vfs::fault::io_error, boost::system::errc::io_error);
}

TEST_CASE(
    "sqlite_ledger: power is cut anywhere, and what was not synced is gone -> nothing acknowledged is lost")
{
    cut_power_everywhere(fault_vfs::survivors::none, 1);
}

TEST_CASE(
    "sqlite_ledger: power is cut anywhere, and all that was written is there -> nothing acknowledged is lost")
{
    cut_power_everywhere(fault_vfs::survivors::all, 1);
}

TEST_CASE("sqlite_ledger: power is cut anywhere, and writes are torn, lost and garbled -> nothing "
          "acknowledged is lost")
{
    cut_power_everywhere(fault_vfs::survivors::some, 3);
}

TEST_CASE(
    "sqlite_ledger: a sync failed -> nothing is written after it, neither for later changes nor on closing")
{
    temp_directory dir;
    fault_vfs vfs;
    open_ledger l(dir.path(), vfs.name());
    CHECK_FALSE(l.intent(document_named("a")));
    std::vector<fault_vfs::event> events = vfs.events();
    std::size_t const writes_of_a_commit = [&] {
        CHECK_FALSE(l.submitted("a", request("r")));
        std::vector<fault_vfs::event> const after = vfs.events();
        return changes(after) - changes(events) - 1; // all but the sync, which is the last
    }();
    CHECK_FALSE(l.intent(document_named("b")));

    CHECK_FALSE(l->broken());
    vfs.fail(writes_of_a_commit, fault_vfs::fault::io_error);
    CHECK(l.finished("a", done_at({1, 0, 1})) == errc::ledger_failed);
    REQUIRE(vfs.failed());
    events = vfs.events();
    CHECK(events.back().what == fault_vfs::action::write);
    REQUIRE(l->broken());
    CHECK(l->broken()->cause == boost::system::errc::io_error);

    CHECK(l.submitted("b", request("s")) == errc::ledger_failed);
    CHECK(l.outcome([&](auto h) { l->flush(std::move(h)); }) == errc::ledger_failed);
    CHECK(l->interrupted_intents_to_ambiguous().has_error());
    CHECK(l.row("a").state == submitted);
    CHECK(l->close() == errc::ledger_failed);
    CHECK(changes(vfs.events()) == changes(events));
    CHECK(std::filesystem::exists(dir.path() / "ledger.db-wal"));
}

TEST_CASE("sqlite_ledger: a change fails with others in its commit -> all of them are told so, those before "
          "are not")
{
    temp_directory dir;
    fault_vfs vfs;
    open_ledger l(dir.path(), vfs.name());
    std::vector<error_code> outcomes;
    auto const note = [&](error_code ec) { outcomes.push_back(ec); };
    l->admit_intent(document_named("a"), std::nullopt, note);
    l.settle();
    vfs.fail(0, fault_vfs::fault::disk_full);
    l->admit_intent(document_named("b"), std::nullopt, note);
    l->not_sent("nobody", note);
    l->admit_intent(document_named("c"), std::nullopt, note);
    l.settle();
    l->admit_intent(document_named("d"), std::nullopt, note);
    l.settle();
    CHECK(outcomes == std::vector<error_code>{error_code(), errc::ledger_failed, errc::ledger_failed,
                                              errc::ledger_failed, errc::ledger_failed});
    CHECK(l->counts().value().total() == 1);
}
