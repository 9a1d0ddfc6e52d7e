"""What `ocrpipe run` measures: report.json while the run goes on, when it has ended, and when it was killed."""

import json
import pathlib
import sys
import time

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Case, KEY

MEASURED = ["kind", "state", "updated_at", "verdict", "now", "eta", "paid", "latency", "document_polls", "series", "http_statuses", "errors",
            "limits", "slowest", "peaks", "configuration"]


class Report(Case):
    def wait_for_report(self, process):
        """The first report.json that the run writes."""
        for _ in range(10 * workbench.PATIENCE):
            if (self.out / "report.json").exists():
                return self.report
            self.assertIsNone(process.poll(), "the run ended without a report")
            time.sleep(0.1)
        self.fail("no report.json was written")

    def test_a_finished_run_says_how_it_went(self):
        emulator = self.start_emulator("--latency", "fixed:100ms")
        folder = self.write_documents(10)
        self.write("in/notes.txt", "no document at all")
        done = self.run_bulk(folder, "--submit-rate", "20")
        report = self.report
        self.assertEqual(list(report)[-len(MEASURED):], MEASURED)
        self.assertEqual(report["state"], "finished")
        self.assertIn("Limited by the submit rate", report["verdict"])
        self.assertTrue(report["verdict"].startswith("10 of 11 documents are done, and 1 failed, at "), report["verdict"])
        self.assertEqual(report["latency"]["end_to_end"]["count"], 10)
        self.assertGreaterEqual(report["latency"]["end_to_end"]["min"], 0.1)
        self.assertEqual(report["paid"], {"accepted": 10, "in_doubt": 0, "possible_duplicates": 0})
        self.assertEqual(len(emulator.truth("accepted")), 10)
        self.assertGreater(report["limits"]["waited"]["submit_rate"], 0)
        error, = report["errors"]
        self.assertEqual((error["class"], error["kind"], error["count"]), ("unsupported_file_type", "document", 1))
        self.assertIn("--file-type", error["remedy"])
        self.assertEqual(report["configuration"]["submits_per_second"], "20")
        self.assertEqual(report["configuration"]["doc_type"], "invoice")
        self.assertNotIn(KEY, (self.out / "report.json").read_text())
        rows = [dict(zip(report["series"]["columns"], row)) for row in report["series"]["rows"]]
        self.assertEqual(sum(row["finished"] for row in rows), 10)
        self.assertEqual(sum(row["bytes"] for row in rows), report["bytes"])
        self.assert_exit(done, 1)

        before = self.report
        (self.out / "report.json").unlink()
        self.assert_exit(self.ocrpipe("report", self.out), 0)
        self.assertEqual(self.report, before)

    def test_the_members_that_the_schema_describes_are_those_that_are_written(self):
        self.start_emulator()
        self.run_bulk(self.write_documents(2))
        schema = (pathlib.Path(__file__).parents[2] / "docs" / "report.md").read_text()
        report = self.report
        for member in MEASURED:
            self.assertIn(f"`{member}`", schema)
        for name in [*report["latency"], *report["series"]["columns"], *report["now"], *report["peaks"], *report["slowest"][0],
                     *report["latency"]["submit"], *report["document_polls"], *report["limits"], *report["paid"]]:
            self.assertIn(f"`{name}`", schema)

    def test_a_run_under_way_writes_its_report_and_a_killed_one_leaves_it(self):
        self.start_emulator("--latency", "fixed:60s")
        run = self.start("run", self.write_documents(3), "--out", self.out, "--doc-type", "invoice")
        report = self.wait_for_report(run)
        self.assertEqual(report["state"], "running")
        self.assertEqual((report["found"], report["unfinished"], report["done"]), (3, 3, 0))
        self.assertEqual(report["paid"]["accepted"], 3)
        self.assertEqual(report["now"]["backlog"], 3)
        self.assertIsNone(report["finished_at"])
        self.assertEqual(report["failed_by_class"], {})
        run.kill()
        run.communicate()
        self.assertEqual(self.report["state"], "running")
        self.assert_exit(self.ocrpipe("status", self.out), 0)

    def test_an_interrupted_run_is_stopped(self):
        self.start_emulator("--latency", "fixed:60s")
        run = self.start("run", self.write_documents(2), "--out", self.out, "--doc-type", "invoice", "--drain-timeout", "0s")
        self.wait_for_event(run, "progress", lambda o: o["waiting"] == 2)
        run.terminate()
        run.communicate(timeout=workbench.PATIENCE)
        self.assertEqual(self.report["state"], "stopped")
        self.assertIn("0 of 2 documents are done", self.report["verdict"])


if __name__ == "__main__":
    workbench.main()
