"""`ocrpipe run`: equal documents are paid for once, and the limits that stop a run."""

import json
import signal
import sys

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Runs


class Copies(Runs):
    def write_three_alike(self):
        for name in "abc":
            self.write(f"in/{name}.pdf", "%PDF-1.4 the same")

    def test_equal_content_is_paid_once_and_every_copy_has_the_result(self):
        self.serve("--latency", "fixed:300ms")
        for i in range(9):
            self.write(f"in/{i}.pdf", f"%PDF-1.4 content {i % 3}")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 0)
        self.assert_one_result_each(9)
        self.assertEqual(len(self.accepted), 3)
        by_content = {}
        for r in self.results:
            by_content.setdefault(r["sha256"], set()).add((r["request_id"], json.dumps(r["result"], sort_keys=True)))
        self.assertEqual([len(v) for v in by_content.values()], [1, 1, 1])
        self.assertEqual(sum("duplicate_of" in r for r in self.results), 6)
        self.write("in/late.pdf", "%PDF-1.4 content 1")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 0)
        self.assert_one_result_each(10)
        self.assertEqual(len(self.accepted), 3)
        self.assertEqual((self.report["done"], self.report["copies"]), (10, 7))

    def test_a_copy_whose_turn_comes_when_its_original_is_done_is_not_sent(self):
        self.serve("--latency", "fixed:20ms")
        self.write_three_alike()
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content", "--max-inflight", "1"), 0)
        self.assert_one_result_each(3)
        self.assertEqual(len(self.accepted), 1)

    def test_a_copy_of_an_ambiguous_document_is_not_sent(self):
        self.serve("--latency", "fixed:20ms", "--fault", "reset-after-acceptance:count=1")
        self.write("in/a.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 1)
        self.write("in/b.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 1)
        self.assertEqual(len(self.accepted), 1)

    def test_a_directory_begun_with_it_goes_on_with_it(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed:count=3")
        self.write_three_alike()
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 1)
        self.assertEqual(len(self.accepted), 3)
        self.assert_exit(self.ocrpipe("retry", self.out), 0)
        self.assertEqual(len(self.accepted), 4)
        self.assert_one_result_each(3)
        self.assert_exit(self.run_bulk(self.folder / "in"), 4)

    def test_it_may_begin_in_a_directory_begun_without_it(self):
        self.serve()
        self.write("in/a.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_bulk(self.folder / "in"), 0)
        self.write("in/b.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 0)
        self.assertEqual(len(self.accepted), 1)

    def test_when_the_original_fails_a_copy_takes_its_place(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed:count=1")
        self.write_three_alike()
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 1)
        self.assertEqual(len(self.results), 2)
        self.assertEqual(len(self.failures), 1)
        self.assertEqual(len(self.accepted), 2)


class Limits(Runs):
    def test_max_documents_sends_so_many_and_gives_5_until_all_are_done(self):
        self.serve()
        folder = self.write_documents(7)
        for expected, code in ((3, 5), (6, 5), (7, 0)):
            self.assert_exit(self.run_bulk(folder, "--max-documents", 3), code)
            self.assert_one_result_each(expected)
            self.assertEqual(len(self.accepted), expected)

    def test_waiting_for_a_rate_limit_is_not_waiting_for_a_result(self):
        self.serve("--latency", "fixed:20ms")
        self.assert_exit(self.run_bulk(self.write_documents(8), "--submit-rate", "4", "--deadline", "500ms"), 0)
        self.assert_one_result_each(8)

    def test_a_service_that_answers_nothing_of_its_own_ends_the_run(self):
        self.serve("--fault", "html-200:route=submit")
        done = self.run_bulk(self.write_documents(400), "--max-outage", "2s")
        self.assert_exit(done, 6)
        self.assertIn("an answer that is not the service's", done.stderr)
        self.assertLess(len(self.failures), 100)

    def test_answers_of_the_service_in_between_are_answers(self):
        self.serve("--fault", "status:code=422:route=submit:p=0.5", "--fault", "html-200:route=submit")
        done = self.run_bulk(self.write_documents(300))
        self.assert_exit(done, 1)
        self.assertEqual(len(self.failures), 300)

    def test_max_duration_stops_a_run_that_has_sent_its_max_documents(self):
        self.serve("--fault", "endless-pending")
        done = self.run_bulk(self.write_documents(4), "--max-documents", "2", "--max-duration", "500ms", "--drain-timeout", "200ms")
        self.assert_exit(done, 5)
        self.assertEqual(self.report["unfinished"], 2)

    def test_a_hangup_ends_a_run_as_an_interruption_does(self):
        self.serve("--fault", "endless-pending")
        process = self.start("run", self.write_documents(2), "--out", self.out, "--doc-type", "invoice", "--drain-timeout", "50ms")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == 2)
        process.send_signal(signal.SIGHUP)
        _, errors = process.communicate(timeout=workbench.PATIENCE)
        self.assertEqual(process.returncode, 129, errors)
        self.assertEqual(self.report["unfinished"], 2)

    def test_max_duration_stops_with_5(self):
        self.serve("--latency", "fixed:20ms")
        done = self.run_bulk(self.write_documents(50), "--max-duration", "300ms", "--submit-rate", "5")
        self.assert_exit(done, 5)
        self.assertLess(len(self.accepted), 50)
        self.assertEqual(len(self.results), len(self.accepted))

    def test_a_failure_budget_stops_with_6(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed")
        folder = self.write_documents(60)
        done = self.run_bulk(folder, "--fail-budget", "5", "--max-inflight", "4")
        self.assert_exit(done, 6)
        self.assertLess(self.report["failed"], 20)
        self.assertIn("continue with", done.stderr)

    def test_a_type_that_is_answered_with_500_three_times_is_stopped_and_the_others_go_on(self):
        self.serve("--latency", "fixed:20ms", "--doc-type", "known")
        self.write_documents(12)
        rows = [{"path": f"in/{i:03}.pdf", "doc_type": "unknown" if i % 2 else "known"} for i in range(12)]
        manifest = self.write("m.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
        done = self.run_bulk(manifest, "--connections", "3")
        self.assert_exit(done, 1)
        self.assertEqual(len(self.results), 6)
        classes = self.report["failed_by_class"]
        self.assertEqual(sum(classes.values()), 6)
        self.assertGreaterEqual(classes["ambiguous_submit"], 3)
        self.assertGreater(classes["rejected"], 0)  # without being sent
        self.assertTrue(all("doc_type" in f["message"] for f in self.failures if f["class"] == "rejected"))


if __name__ == "__main__":
    workbench.main()
