"""Random misbehaviour of the service, options, signals and restarts, with fixed seeds: the guarantees hold. tools/chaos does it at length."""

import signal
import sys
import types

sys.dont_write_bytecode = True  # the source folder stays as it is
import chaos
import chaos_judge
import workbench
from chaos_plan import Plan
from chaos_connection import ACCEPTED, REFUSED, UNCLEAR
from workbench import Case

SECONDS = 55  # that seeds are begun; each then comes to its end without faults
LONGEST_OUTAGE = 6


class Seeds(Case):
    def test_the_guarantees_hold_whatever_the_service_does(self):
        count, failed = chaos.many_seeds(range(1, 61), SECONDS, 8, LONGEST_OUTAGE)
        print(f"{count} seeds", file=sys.stderr)
        self.assertGreater(count, 0)
        self.assertEqual(failed, [], "each is printed above, with the command that repeats it")

    def test_a_seed_always_means_the_same_plan(self):
        self.assertEqual(str(Plan(7)), str(Plan(7)))
        self.assertNotEqual(str(Plan(7)), str(Plan(8)))


class Judge(Case):
    """A judge that never finds anything would make the seeds worthless."""

    def judge(self, attempts, rows, code=0, killed=False, signalled=None, closed=0, peak=0, before=None, mode="good", signal_at=None, resubmit=False):
        plan = Plan(1)
        life = plan.lives[0]
        life.limited = life.budget = False
        life.connections, life.max_answer, life.deadline = 7, 1 << 20, 1800
        said = [{"event": "mode", "life": 0, "mode": mode}]
        said += [{"event": "signal", "life": 0, "t": signal_at}] if signalled and signal_at is not None else []
        said += [{"event": "submit", "life": 0, "t": 0, "sha256": "a", "accepted": None, "confirmed": False, "how": "accept", **a} for a in attempts]
        service = types.SimpleNamespace(truth=said, jobs={}, closed={0: closed}, destinies={})
        truth = chaos_judge.Truth(service)
        rows = {str(i): {"id": str(i), "sha256": "a", "failure_class": None, "message": "", **row} for i, row in enumerate(rows)}
        life.on_ambiguous = "resubmit" if resubmit else "hold"
        return [*chaos_judge.lived(life, code, killed, signalled, rows, before or {}, peak, truth, 0), *chaos_judge.repeated(plan, truth)]

    def assert_found(self, word, *arguments, **more):
        found = self.judge(*arguments, **more)
        self.assertEqual(len(found), 1, found)
        self.assertIn(word, found[0])

    def test_what_is_right_is_not_found(self):
        self.assertEqual(self.judge([{"proof": ACCEPTED, "confirmed": True}], [{"state": "done"}]), [])
        self.assertEqual(self.judge([{"proof": UNCLEAR}], [{"state": "ambiguous", "failure_class": "ambiguous_submit"}], code=1), [])
        self.assertEqual(self.judge([], [{"state": "intent"}] * 4, code=-9, killed=True), [])
        self.assertEqual(self.judge([], [{"state": "new"}], code=143, signalled=signal.SIGTERM), [])

    def test_a_document_sent_again_although_it_may_have_been_accepted(self):
        twice = [{"proof": UNCLEAR}, {"proof": ACCEPTED, "confirmed": True}]
        self.assert_found("sent again", twice, [{"state": "done"}])
        self.assert_found("sent again", [{"proof": UNCLEAR}, {"proof": REFUSED}, {"proof": ACCEPTED}], [{"state": "done"}])
        self.assertEqual(self.judge(twice, [{"state": "done"}], resubmit=True), [])
        self.assert_found("sent 3 times", [{"proof": UNCLEAR}] * 3, [{"state": "ambiguous"}], code=1, resubmit=True)

    def test_a_document_in_doubt_that_was_refused_clearly(self):
        self.assert_found("in doubt", [{"proof": REFUSED}], [{"state": "ambiguous"}], code=1)
        self.assert_found("in doubt", [{"proof": ACCEPTED, "confirmed": True}], [{"state": "ambiguous"}], code=1)

    def test_more_documents_in_doubt_after_a_kill_than_connections(self):
        self.assert_found("after a kill", [{"proof": UNCLEAR}], [{"state": "intent"}] * 5, code=-9, killed=True)

    def test_an_exit_code_that_says_something_else(self):
        self.assert_found("exit code is 0", [], [{"state": "new"}])
        self.assert_found("exit code is 4", [], [{"state": "new"}], code=4)
        self.assertEqual(self.judge([], [{"state": "new"}], code=4, mode="forbid"), [])
        self.assert_found("exit code is 6", [], [{"state": "new"}], code=6)
        self.assert_found("exit code is -11", [], [{"state": "new"}], code=-11)

    def test_a_key_is_blamed_although_a_result_was_read(self):
        read = {"event": "delivered", "filled": True, "life": 0}
        for truth, is_right in (([], True), ([read], False), ([{**read, "life": 1}], True)):
            service = types.SimpleNamespace(truth=truth, destinies={"a": "403"})
            self.assertEqual(chaos_judge.blames_the_key(service, 0), is_right)

    def test_a_document_that_an_outage_has_failed(self):
        self.assert_found("connect_failed", [], [{"state": "failed", "failure_class": "connect_failed"}], code=1, mode="refuse")

    def test_documents_sent_after_a_signal(self):
        self.assertEqual(self.judge([{"proof": ACCEPTED}], [{"state": "done"}], signalled=signal.SIGINT, signal_at=0), [])
        self.assert_found("after the signal", [{"proof": ACCEPTED, "t": 60}], [{"state": "done"}], signalled=signal.SIGINT, signal_at=0)

    def test_memory_without_bound(self):
        self.assert_found("MiB", [], [{"state": "done"}], peak=1 << 30)

    def test_counts_that_do_not_add_up(self):
        status = {"found": 3, "done": 1, "failed": 1, "unfinished": 0, "not_sent": 1, "repeated": 0}
        self.assertEqual(list(chaos_judge.counted(status)), [])
        self.assertEqual(len(list(chaos_judge.counted({**status, "found": 4}))), 1)

    def test_a_secret_in_a_file(self):
        self.write("left/out/report.json", '{"key": "sk-1"}')
        self.assertEqual(list(chaos_judge.leaked(self.folder / "left", {"the key": "sk-1"})), ["the key is in report.json"])


if __name__ == "__main__":
    workbench.main()
