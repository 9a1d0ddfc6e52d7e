"""SIGKILL at random moments, again and again: nothing is lost, nothing is paid for twice. In short; tools/crash does it at length."""

import collections
import signal
import sys

sys.dont_write_bytecode = True  # the source folder stays as it is
import crash
import workbench
from workbench import Case


class Killed(Case):
    def killer(self, *more_faults, latency="lognormal:150ms,0.5", **how):
        emulator = self.start_emulator("--latency", latency, *(a for f in (*crash.faults, *more_faults) for a in ("--fault", f)))
        return crash.Killer(self.folder, emulator, seed=1, **how)

    def assert_nothing_lost(self, killer, outcome, **how):
        problems = killer.problems() + outcome.problems(killer.resubmit, **how)
        self.assertEqual(problems, [], f"{len(problems)} problems; {killer.figures(outcome)}")
        self.assertGreater(killer.kills_at_work, killer.kills // 3)

    def test_documents_in_doubt_are_held(self):
        killer = self.killer()
        killer.write_documents(700)
        killer.kill(12, seconds=0.2)
        outcome = killer.finish()
        self.assert_nothing_lost(killer, outcome)
        self.assertEqual(outcome.accepted_twice, 0)
        self.assertGreater(outcome.ambiguous, 0)

    def test_documents_in_doubt_are_sent_again_where_that_is_allowed(self):
        killer = self.killer(resubmit=True)
        killer.write_documents(700)
        killer.kill(12, seconds=0.2)
        outcome = killer.finish()
        self.assert_nothing_lost(killer, outcome)
        self.assertGreater(outcome.accepted_twice, 0)

    def test_parts_and_copies_are_complete(self):
        killer = self.killer(options=("--parts", "tables,images", "--dedupe", "content", "--text"))
        killer.write_documents(300, copies=3)
        killer.kill(8, seconds=0.2, copies=3)
        outcome = killer.finish()
        held = {outcome.documents[path] for path, row in outcome.failures.items() if row["class"] == "ambiguous_submit"}
        # A copy of one in doubt waits for it, without a row of its own.
        waiting = {p for p, sha256 in outcome.documents.items() if sha256 in held and p not in outcome.failures and not outcome.lines[p]}
        self.assertEqual(outcome.report["not_sent"], len(waiting))
        for path in waiting:
            del outcome.documents[path]
        outcome.report["found"] -= len(waiting)
        self.assert_nothing_lost(killer, outcome)
        self.assertEqual(outcome.accepted_twice, 0)
        finished = [line for lines in outcome.lines.values() for line in lines]
        self.assertTrue(all(collections.Counter(p["kind"] for p in line["parts"])["image"] >= 1 for line in finished))

    def test_retry_may_be_killed_too(self):
        killer = self.killer("job-failed:p=0.3", retries=True)
        killer.write_documents(300)
        killer.kill(12, seconds=0.2)
        outcome = killer.finish()
        self.assert_nothing_lost(killer, outcome, failures=("ambiguous_submit", "job_failed"))
        self.assertGreater(outcome.accepted_twice, 0)  # those that had failed


class InDoubt(Case):
    """Kills at 30 submits a second and no fault of the service: only what was on the wire is in doubt."""

    def kill_at_30_a_second(self, resubmit):
        emulator = self.start_emulator("--latency", "lognormal:150ms,0.5")
        killer = crash.Killer(self.folder, emulator, seed=2, resubmit=resubmit, submit_rate=30)
        killer.write_documents(300)
        killer.kill(8, seconds=0.6)
        outcome = killer.finish()
        self.assertEqual(killer.problems() + outcome.problems(resubmit), [], killer.figures(outcome))
        return killer, outcome

    def test_one_or_two_documents_a_kill_are_held(self):
        killer, outcome = self.kill_at_30_a_second(resubmit=False)
        self.assertEqual(outcome.ambiguous, sum(killer.in_doubt))
        held = {outcome.documents[path] for path in outcome.failures}
        self.assertLessEqual(len(held - {sha256 for sha256, ids in outcome.accepted.items() if ids}), killer.kills)

    def test_one_or_two_documents_a_kill_are_sent_again_where_that_is_allowed(self):
        killer, outcome = self.kill_at_30_a_second(resubmit=True)
        self.assertEqual(outcome.ambiguous, 0)
        self.assertLessEqual(outcome.accepted_twice, sum(killer.in_doubt))
        self.assertLessEqual(outcome.report["possible_duplicates"], sum(killer.in_doubt))


class Second(Case):
    def test_a_second_process_is_refused_while_the_first_finishes_its_jobs(self):
        self.start_emulator("--fault", "endless-pending")
        folder = self.write_documents(2)
        process = self.start("run", folder, "--out", self.out, "--doc-type", "invoice")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == 2)
        process.send_signal(signal.SIGTERM)
        self.wait_for_event(process, "stopping")
        self.assert_exit(self.run_bulk(folder), 7)
        self.assert_exit(self.ocrpipe("retry", self.out), 7)
        self.assertIsNone(process.poll())


if __name__ == "__main__":
    workbench.main()
