"""retry, and what looks at a run: status, report and support."""

import json
import os
import pathlib
import signal
import sys

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import KEY, Runs


class Retry(Runs):
    def test_failed_documents_are_taken_up_and_leave_the_failures(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed:count=3")
        folder = self.write_documents(6)
        self.assert_exit(self.run_bulk(folder), 1)
        self.assertEqual({f["class"] for f in self.failures}, {"job_failed"})
        self.assert_exit(self.run_bulk(folder), 1)  # run alone does not repeat what failed
        self.assertEqual(len(self.accepted), 6)
        self.assert_exit(self.ocrpipe("retry", self.out, "--class", "rejected"), 1)
        self.assertEqual(len(self.accepted), 6)
        self.assert_exit(self.ocrpipe("retry", self.out), 0)
        self.assert_one_result_each(6)
        self.assertEqual(self.failures, [])
        self.assertEqual((self.report["done"], self.report["failed"]), (6, 0))

    def test_jobs_past_their_deadline_are_asked_for_again_with_the_same_request_id(self):
        self.serve("--latency", "fixed:1500ms")
        folder = self.write_documents(2)
        self.assert_exit(self.run_bulk(folder, "--deadline", "200ms"), 1)
        self.assertEqual({f["class"] for f in self.failures}, {"still_processing"})
        ids = {f["request_id"] for f in self.failures}
        self.assert_exit(self.ocrpipe("retry", self.out), 0)
        self.assertEqual({r["request_id"] for r in self.results}, ids)
        self.assertEqual(len(self.accepted), 2)

    def test_their_rows_in_another_directory_are_asked_for_too(self):
        self.serve("--latency", "fixed:1500ms")
        self.assert_exit(self.run_bulk(self.write_documents(2), "--deadline", "200ms"), 1)
        manifest = self.out / "failures.jsonl"
        self.out = self.folder / "again"
        self.assert_exit(self.run_bulk(manifest), 0)
        self.assert_one_result_each(2)
        self.assertEqual(len(self.accepted), 2)

    def test_how_documents_are_read_is_the_runs_and_no_option_of_retry(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed:count=1")
        self.assert_exit(self.run_bulk(self.write_documents(1)), 1)
        for option in ("--doc-type=receipt", "--flow=7", "--file-type=image", "--parts=tables", "--text"):
            self.assertNotIn("\n  " + option.split("=")[0], self.ocrpipe("retry", "--help").stdout)
            done = self.ocrpipe("retry", self.out, option)
            self.assert_exit(done, 2)
            self.assertIn("--accept-changes", done.stderr)
            self.assertIn(option.split("=")[0], done.stderr)
        self.assertEqual(len(self.accepted), 1)
        variables = {"DOC_TYPE": "receipt", "FLOW": "7", "FILE_TYPE": "gif", "PARTS": "pages"}
        self.assert_exit(self.ocrpipe("retry", self.out, env={f"OCRPIPE_{name}": value for name, value in variables.items()}), 0)
        self.assertEqual([(a["flow"], a["doc_type"]) for a in self.emulator.truth("accepted")], [("single", "invoice")] * 2)

    def test_what_the_run_wrote_beside_the_results_retry_writes_too(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed:count=2")
        folder = self.write_documents(3)
        self.assert_exit(self.run_bulk(folder, "--text", "--parts", "tables"), 1)
        self.assertEqual(len(list((self.out / "text").iterdir())), 1)
        self.assert_exit(self.ocrpipe("retry", self.out), 0)
        self.assertEqual(len(list((self.out / "text").iterdir())), 3)
        self.assertEqual(len(self.failures), 0)
        done = self.run_bulk(folder, "--parts", "tables")
        self.assert_exit(done, 4)
        self.assertIn('text was \\"yes\\" and is \\"no\\"', done.stderr)

    def test_a_class_that_there_is_not_is_named(self):
        done = self.ocrpipe("retry", self.out, "--class", "jobfailed")
        self.assert_exit(done, 2)
        self.assertIn("jobfailed", done.stderr)

    def test_a_directory_without_a_run_is_refused(self):
        for command in (("retry", self.out), ("status", self.out), ("report", self.out), ("support", self.out, "r-1")):
            done = self.ocrpipe(*command)
            self.assert_exit(done, 2)
            self.assertIn("there is no run in this directory", done.stderr)
        self.assertFalse(self.out.exists())


class Look(Runs):
    def test_status_report_and_support_speak_from_the_ledger(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed:count=1")
        self.assert_exit(self.run_bulk(self.write_documents(4)), 1)
        status = json.loads(self.ocrpipe("status", self.out, "--json").stdout)
        self.assertEqual((status["documents"], status["states"]["done"], status["classes"]), (4, 3, {"job_failed": 1}))
        before = self.report
        (self.out / "report.json").unlink()
        self.assertEqual(self.ocrpipe("report", self.out).stdout, f"{self.out}/report.json\n")
        self.assertEqual(self.report, before)

        failed = self.failures[0]
        bundle = pathlib.Path(self.ocrpipe("support", self.out, failed["request_id"], "--sample").stdout.strip())
        request = json.loads((bundle / "request.json").read_text())
        self.assertEqual(request["request_id"], failed["request_id"])
        self.assertEqual(request["portal_user_id"], workbench.USER)
        self.assertEqual([step["step"] for step in request["trace"]][-1], "ended as failed")
        self.assertEqual((bundle / "sample.pdf").read_bytes(), pathlib.Path(failed["path"]).read_bytes())
        without = pathlib.Path(self.ocrpipe("support", self.out, self.results[0]["request_id"]).stdout.strip())
        self.assertEqual([p.name for p in without.iterdir()], ["request.json"])
        self.assert_exit(self.ocrpipe("support", self.out, "../../etc/passwd"), 2)

    def test_support_for_a_request_whose_document_was_sent_again_tells_of_that_request_alone(self):
        self.serve("--latency", "fixed:20ms")
        folder = self.write_documents(1)
        self.assert_exit(self.run_bulk(folder), 0)
        first = self.results[0]["request_id"]
        self.write("in/000.pdf", "%PDF-1.4 another content")
        done = self.ocrpipe("support", self.out, first, "--sample")
        self.assert_exit(done, 3)
        self.assertIn("has changed since it was sent", done.stderr)
        self.assert_exit(self.run_bulk(folder), 0)
        second = self.results[1]["request_id"]
        done = self.ocrpipe("support", self.out, first, "--sample")
        self.assert_exit(done, 2)
        self.assertIn("without --sample", done.stderr)
        self.assertFalse((self.out / "support").exists())

        def request(of, *more):
            bundle = pathlib.Path(self.ocrpipe("support", self.out, of, *more).stdout.strip())
            return json.loads((bundle / "request.json").read_text())

        then, now = request(first), request(second, "--sample")
        self.assertEqual((then["request_id"], then["state"], then["file_name"]), (first, "done", "000.pdf"))
        for key in ("sha256", "bytes", "doc_type", "submits"):
            self.assertIsNone(then[key])
        self.assertEqual([step["step"] for step in then["trace"]], ["first seen", "request_id received", "ended as done"])
        self.assertEqual(now["sha256"], self.results[1]["sha256"])
        steps = [step["step"] for step in now["trace"] if step["step"] != "last answer that the job is not finished"]
        self.assertEqual(steps, ["first seen", "about to be sent", "POST ingest started", "request_id received", "result received",
                                 "ended as done"])
        times = [step["at"] for step in now["trace"]]
        self.assertEqual(times, sorted(times))
        self.assertEqual((self.out / "support" / second / "sample.pdf").read_bytes(), (folder / "000.pdf").read_bytes())

    def test_usr1_says_how_far_the_run_is(self):
        self.serve("--fault", "endless-pending")
        process = self.start("run", self.write_documents(2), "--out", self.out, "--doc-type", "invoice", "--log-level", "info")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == 2)
        process.send_signal(signal.SIGUSR1)
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == 2)
        self.assertIsNone(process.poll())

    def test_usr1_before_the_run_is_set_up_or_after_it_ends_nothing(self):
        self.serve("--latency", "fixed:20ms")
        begun, go = self.folder / "begun", self.folder / "go"
        for fifo in (begun, go):
            os.mkfifo(fifo)
        command = f"echo > {begun}; cat {go} > /dev/null; echo {KEY}"
        process = self.start("run", self.write_documents(2), "--out", self.out, "--doc-type", "invoice", "--api-key-command", command,
                             env={"OCRPIPE_API_KEY": None})
        begun.read_text()
        process.send_signal(signal.SIGUSR1)
        go.write_text("")
        self.wait_for_event(process, "run_finished")
        process.send_signal(signal.SIGUSR1)
        _, errors = process.communicate(timeout=workbench.PATIENCE)
        self.assertEqual(process.returncode, 0, errors)

    def test_usr1_still_ends_a_command_that_prints_the_key(self):
        done = self.run_bulk(self.write_documents(1), "--api-key-command", "kill -USR1 $$", env={"OCRPIPE_API_KEY": None})
        self.assert_exit(done, 2)
        self.assertIn(f"killed by signal {signal.SIGUSR1.value}", done.stderr)


if __name__ == "__main__":
    workbench.main()
