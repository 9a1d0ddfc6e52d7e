"""`ocrpipe load` when something is wrong: with the service, the key, the disk, or because it is killed."""

import json
import pathlib
import resource

import workbench
from load_case import LoadCase
from scripted_service import Service


class Trouble(LoadCase):
    def test_documents_do_not_wait_for_the_first_answer(self):
        self.serve("fixed:100ms", "--fault", "stall:count=1:route=submit:ms=2500")
        done = self.load("stalled", "--rate", "10/s", "--duration", "3s")
        self.assert_exit(done, 0)
        jobs = self.jobs("stalled")
        self.assertEqual(len(jobs), 30)
        self.assertGreater(max(job["accepted"] - job["sent"] for job in jobs), 2.4, "one was stalled")
        self.assertLess(max(job["sent"] - job["due"] for job in jobs), 1)

    def test_a_refused_key_ends_the_test_with_4(self):
        emulator = self.serve(key="another")
        for search in ([], ["--find-capacity", "--step", "5s"]):
            done = self.load("key" + "-search" * bool(search), "--rate", "20/s", "--max-documents", "10000", *search)
            self.assert_exit(done, 4)
            report = self.report_of("key" + "-search" * bool(search))
            self.assertIn("The test ended early", report["verdict"])
            self.assertIn("unauthorized", report["verdict"])
            self.assertNotIn("is the limit", report["verdict"])
            self.assertLess(report["found"], 1000)
            self.assertEqual(report["state"], "stopped")
        self.assertEqual(emulator.truth("accepted"), [])

    def test_a_service_that_is_not_there_ends_the_test_with_6(self):
        for search in ([], ["--find-capacity", "--step", "5s"]):
            out = "gone" + "-search" * bool(search)
            done = self.load(out, "--rate", "20/s", "--max-documents", "10000", *search)
            self.assert_exit(done, 6)
            self.assertIn("connect_failed", self.report_of(out)["verdict"])
            self.assertLess(self.report_of(out)["found"], 1000)
        for number in ("1", "2"):
            self.assert_exit(self.load("gone-" + number, "--rate", "20/s", "--max-documents", number), 6)

    def test_a_small_closed_loop_has_the_rate_of_the_whole_test(self):
        self.serve("fixed:200ms")
        done = self.load("loop", "--concurrency", "5", "--max-documents", "3")
        self.assert_exit(done, 0)
        load = self.report_of("loop")["load"]
        self.assertLess(load["offered_per_second"], 3 / 0.2)
        self.assertIn("3 documents, at most 5 at a time", self.report_of("loop")["verdict"])
        self.assertAlmostEqual(load["throughput_per_second"], load["offered_per_second"])

    def test_documents_that_are_all_refused_are_counted_by_class(self):
        self.serve("fixed:0s", "--fault", "status:code=400:route=submit")
        fixed = self.load("fixed", "--rate", "20/s", "--max-documents", "10")
        self.assert_exit(fixed, 1)
        self.assertIn("all of them failed (10 rejected).", self.report_of("fixed")["verdict"])
        self.assertNotIn("acklog", self.report_of("fixed")["verdict"])
        searched = self.load("searched", "--find-capacity", "--rate", "10/s", "--step", "1s", "--max-documents", "60")
        self.assert_exit(searched, 1)
        self.assertEqual(len(self.report_of("searched")["load"]["capacity"]["steps"]), 1)
        self.assertIn("10 of 10 documents failed (10 rejected)", self.report_of("searched")["verdict"])

    def test_submits_that_are_lost_late_count_for_the_send_delay(self):
        self.serve("fixed:0s", "--fault", "stall:route=submit:ms=3000")
        done = self.load("stalled", "--rate", "10/s", "--duration", "2s", "--connections", "4", "--submit-timeout", "1s", "--send-delay", "500ms")
        self.assert_exit(done, 98)
        self.assertGreater(self.report_of("stalled")["load"]["generator"]["send_delay"]["count"], 0)

    def test_a_key_that_is_revoked_ends_the_test_with_4(self):
        accepted = []
        service = Service({}, on_submit=accepted.append)
        self.addCleanup(service.server.shutdown)
        service.refuse = lambda body: (403, b"Forbidden") if len(accepted) >= 5 else None
        service.result = lambda request_id: (403, b"Forbidden")
        self.url = service.url
        done = self.load("revoked", "--rate", "10/s", "--duration", "60s", "--drain-timeout", "3s")
        self.assert_exit(done, 4)
        self.assertIn("The test ended early", self.report_of("revoked")["verdict"])

    def test_what_all_steps_of_a_search_paid_for_is_counted(self):
        emulator = self.serve("fixed:100ms", "--fault", "reset-after-acceptance:count=1")
        done = self.load("paid", "--find-capacity", "--rate", "20/s", "--step", "1s", "--max-documents", "70")
        paid = self.report_of("paid")["paid"]
        self.assertEqual(paid["accepted"] + paid["in_doubt"], len(emulator.truth("accepted")), done.stderr)
        self.assertEqual(paid["in_doubt"], 1)

    def test_the_clients_own_limits_are_not_the_services(self):
        self.serve("fixed:100ms")
        self.load("own", "--rate", "20/s", "--duration", "3s", "--submit-rate", "5/s")
        verdict = self.report_of("own")["verdict"]
        self.assertIn("the client's own rate limits are the limit", verdict)
        self.assertNotIn("the service is the limit", verdict)
        self.load("search", "--find-capacity", "--rate", "20/s", "--step", "3s", "--max-documents", "70", "--submit-rate", "5/s")
        self.assertNotIn("the service is the limit", self.report_of("search")["verdict"])

    def test_a_threshold_missed_at_every_rate_gives_99(self):
        self.serve("fixed:100ms")
        done = self.load("missed", "--find-capacity", "--rate", "20/s", "--step", "1s", "--max-documents", "60", "--threshold", "e2e.p95<1ms")
        self.assert_exit(done, 99)
        self.assertIn("No rate passed", self.report_of("missed")["verdict"])

    def test_a_directory_with_results_is_refused(self):
        emulator = self.serve("fixed:0s")
        self.load("first", "--rate", "50/s", "--max-documents", "5")
        self.write_documents(2)
        self.assert_exit(self.run_bulk(self.folder / "in"), 0)
        accepted = len(emulator.truth("accepted"))
        (self.folder / "page").mkdir()
        (self.folder / "page" / "report.html").write_text("a page of somebody else")
        for out in ("first", "out", "page"):
            before = {p.name: p.read_bytes() for p in (self.folder / out).iterdir() if p.is_file()}
            done = self.load(out, "--rate", "50/s", "--max-documents", "5")
            self.assert_exit(done, 2)
            self.assertIn("give another directory", done.stderr)
            self.assertEqual({p.name: p.read_bytes() for p in (self.folder / out).iterdir() if p.is_file()}, before)
        self.assertEqual(len(emulator.truth("accepted")), accepted)

    def test_a_killed_test_leaves_the_request_ids_and_says_what_it_is(self):
        # Every other result is never ready.
        service = Service(lambda request_id: self.finished() if int(request_id[2:]) % 2 else {"data": {"progress": {
            "total_doc": 1, "ignored": 0, "finished": 0}, "documents": []}})
        self.addCleanup(service.close)
        self.url = service.url
        process = self.start("load", "--doc-type", "invoice", "--out", self.folder / "killed", "--rate", "40/s", "--duration", "100s",
                             "--log-format", "json")
        self.wait_for_event(process, "load_progress", lambda o: o["done"] > 10)
        killed = self.folder / "killed"
        self.wait_until(lambda: (killed / "report.json").exists() and len((killed / "jobs.jsonl").read_text()) > 0)
        live = self.ocrpipe("load", "compare", killed, killed)
        self.assert_exit(live, 3)
        self.assertIn("its load test still runs", live.stderr)
        process.kill()
        process.communicate()
        accepted = self.records("killed", "accepted.jsonl")
        ended = self.records("killed")
        answered = service.requests.count("POST")
        # The last answers may have been on their way.
        self.assertLessEqual(answered - len(accepted), 5)
        self.assertLessEqual({job["request_id"] for job in ended}, {a["request_id"] for a in accepted})
        self.assertGreater(len(ended), 5)
        for command in (["load", "compare", killed, killed], ["load", "merge", self.folder / "all", killed, killed], ["report", killed]):
            done = self.ocrpipe(*command)
            self.assertIn("its load test was killed", done.stderr, command)
            self.assertIn("accepted.jsonl", done.stderr)
            self.assertEqual(done.returncode, 0 if command[0] == "report" else 3)
        (killed / "report.json").unlink()
        early = self.ocrpipe("report", killed)
        self.assert_exit(early, 3)
        self.assertIn("its load test was killed", early.stderr)

    def finished(self):
        return {"data": {"status": "COMPLETED", "progress": {"total_doc": 1, "ignored": 0, "finished": 1}, "documents": [
            {"document_id": "d-1", "status": "SUCCESS", "ocr_data": [{"name": "total", "value": ["12"]}]}]}}

    def test_a_finished_test_leaves_no_accepted_jsonl(self):
        self.serve("fixed:0s")
        self.load("whole", "--rate", "50/s", "--max-documents", "5")
        self.assertEqual(sorted(p.name for p in (self.folder / "whole").iterdir()), ["jobs.jsonl", "report.html", "report.json"])

    def test_a_full_disk_ends_the_sending_and_leaves_what_could_be_written(self):
        emulator = self.serve("fixed:100ms")
        # report.html is larger than this; the records reach it after some 40 documents.
        done = self.load("full", "--rate", "40/s", "--duration", "60s", "--log-format", "json",
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        self.assert_exit(done, 8)
        paid = {a["request_id"] for a in emulator.truth("accepted")}
        self.assertLess(len(paid), 400, "it went on sending")
        events = [json.loads(line) for line in done.stderr.splitlines()]
        self.assertIn("no further document is sent", " ".join(e.get("text", "") for e in events))
        recorded = {a["request_id"] for a in self.records("full", "accepted.jsonl")} | {job["request_id"] for job in self.records("full")}
        self.assertGreater(len(recorded), 10)
        told = " ".join(e.get("text", "") for e in events if e["event"] == "not_recorded")
        self.assertEqual({r for r in paid - recorded if r not in told}, set())

    def test_a_report_that_cannot_be_written_is_not_the_old_one(self):
        self.serve("fixed:100ms")
        # jobs.jsonl is smaller than this, the report is larger.
        done = self.load("full", "--rate", "40/s", "--max-documents", "4", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        self.assert_exit(done, 8)
        self.assertIn("the report of the test cannot be written", done.stderr)
        self.assertIn("jobs.jsonl has all its documents", done.stderr)
        self.assertEqual(len(self.records("full")), 4)
        compared = self.ocrpipe("load", "compare", self.folder / "full", self.folder / "full")
        self.assert_exit(compared, 3)
        self.assertIn("accepted.jsonl", compared.stderr)

    def test_records_that_are_removed_or_changed_end_the_sending(self):
        emulator = self.serve("fixed:100ms")
        spoil = [pathlib.Path.unlink, lambda path: path.rename(path.with_suffix(".moved")), lambda path: path.write_text("")]
        for name in ("jobs.jsonl", "accepted.jsonl"):
            for i, spoiled in enumerate(spoil):
                before = len(emulator.truth("accepted"))
                out = self.folder / f"{name}-{i}"
                process = self.start("load", "--doc-type", "invoice", "--out", out, "--rate", "40/s", "--duration", "100s", "--log-format", "json")
                self.wait_for_event(process, "load_progress", lambda o: o["done"] > 3)
                spoiled(out / name)
                _, said = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 8, said)
                self.assertIn("jobs.jsonl or accepted.jsonl was removed or changed", said)
                self.assertLess(len(emulator.truth("accepted")) - before, 1000, "it went on sending")

    def test_a_search_with_limits_of_its_own_finds_no_capacity_above_them(self):
        for limit in (["--submit-rate", "8/s"], []):
            self.serve("fixed:50ms", *([] if limit else ["--submit-limit", "8"]))
            out = "own" if limit else "asked"
            self.load(out, "--find-capacity", "--rate", "16/s", "--step", "3s", "--max-documents", "120", *limit)
            report = self.report_of(out)
            self.assertLess(report["load"]["capacity"]["estimate"] or 0, 12, report["verdict"])
            self.assertIn("the client's own rate limits" if limit else "asked to wait", report["verdict"])

    def test_refused_credentials_are_no_wish_to_wait(self):
        accepted = []
        service = Service(lambda request_id: self.finished(), on_submit=accepted.append)
        self.addCleanup(service.close)
        service.refuse = lambda body: (401, b"") if len(accepted) >= 8 else None
        self.url = service.url
        self.load("refused", "--rate", "20/s", "--duration", "3s", "--drain-timeout", "3s")
        self.assertNotIn("asked to wait", self.report_of("refused")["verdict"])

    def test_inputs_that_cannot_be_read_are_named_and_counted(self):
        self.serve("fixed:0s")
        self.write_documents(2)
        good = self.folder / "in"
        (self.folder / "empty.pdf").write_bytes(b"")
        (self.folder / "dangling.pdf").symlink_to(self.folder / "nothing.pdf")
        (self.folder / "list.jsonl").write_text("no JSON\n")
        (self.folder / "hollow").mkdir()
        for wrong in ("nowhere", "empty.pdf", "dangling.pdf", "list.jsonl", "hollow"):
            for arguments in ([], ["--find-capacity", "--step", "1s"]):
                done = self.load(wrong + "-out" + "-search" * bool(arguments), self.folder / wrong, good, "--rate", "5/s", "--max-documents", "5", *arguments)
                self.assert_exit(done, 3)
                self.assertRegex(done.stderr, rf'"level":"warn".*"text":"[^"]*{wrong}')

    def test_a_document_in_doubt_is_for_the_services_support(self):
        self.serve("fixed:0s", "--fault", "reset-after-acceptance:count=1")
        done = self.load("doubt", "--rate", "20/s", "--max-documents", "3")
        self.assert_exit(done, 1)
        self.assertIn("ask the service's support whether it has the document", done.stderr)
        self.assertNotIn("--on-ambiguous", done.stderr)

    def test_a_damaged_report_is_an_error_that_names_it(self):
        self.serve("fixed:0s")
        self.load("whole", "--rate", "50/s", "--max-documents", "5")
        for text in ("", "{", "[]", "null", "{}"):
            with self.subTest(text):
                (self.folder / "whole" / "report.json").write_text(text)
                done = self.ocrpipe("report", self.folder / "whole")
                self.assert_exit(done, 3)
                self.assertIn("report.json: it is empty, damaged or not a report", done.stderr)
                self.assertIn("jobs.jsonl", done.stderr)

    def test_missing_values_are_not_compared_as_zero(self):
        self.serve("fixed:0s")
        self.load("good", "--rate", "50/s", "--max-documents", "30")
        self.url = "http://127.0.0.1:9"
        self.load("bad", "--rate", "50/s", "--max-documents", "3")
        compared = self.ocrpipe("load", "compare", self.folder / "good", self.folder / "bad")
        self.assert_exit(compared, 0)
        self.assertRegex(compared.stdout, r"end to end p50 .* s +no value +-  unknown")
        self.assertRegex(compared.stdout, r"throughput .* no value")


if __name__ == "__main__":
    workbench.main()
