"""`ocrpipe load` on the real binary, against an emulator whose capacity is known.

The bounds are wide, because the machine may be busy with other tests; bench/load proves the precision.
"""

import shutil
import json
import math
import signal
import socket
import unittest
import urllib.request

import workbench
from load_case import WORKERS, LoadCase

def percentile(values, p):
    values = sorted(values)
    return values[max(0, math.ceil(p / 100 * len(values)) - 1)]


class Load(LoadCase):
    def test_constant_rate_below_capacity(self):
        emulator = self.serve()
        done = self.load("low", "--rate", "100/s", "--duration", "4s", "--threshold", "error_rate<1%,backlog_slope<=0,e2e.p95<60s")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("at most 400 documents", done.stderr)
        self.assertIn(emulator.url, done.stderr)
        report = self.report_of("low")
        load = report["load"]
        self.assertEqual(report["kind"], "load")
        self.assertEqual(load["outcomes"], {"due": 400, "accepted": 400, "done": 400, "failed": 0, "unfinished": 0})
        self.assertFalse(load["backlog"]["grows"])
        self.assertTrue(all(t["holds"] for t in load["thresholds"]))
        self.assertEqual(report["latency"]["end_to_end"]["count"], 400)
        jobs = self.jobs("low")
        self.assertEqual(len(jobs), 400)
        self.assertEqual(len({a["sha256"] for a in emulator.truth("accepted")}), 400, "each document has other bytes")
        for job in jobs:
            self.assertLessEqual(job["due"], job["started"])
            self.assertLessEqual(job["sent"], job["accepted"])
            self.assertLess(job["accepted"], job["ended"])
        page = (self.folder / "low" / "report.html").read_text()
        self.assertIn(report["verdict"][:30], page)
        little = load["little"]
        self.assertLess(abs(little["sampled_in_flight"] / little["rate_times_time"] - 1), 0.25)

    def test_overload_is_measured_against_the_truth(self):
        emulator = self.serve()
        done = self.load("high", "--rate", "260/s", "--duration", "6s", "--threshold", "backlog_slope<=0")
        self.assertEqual(done.returncode, 99, done.stderr)
        load = self.report_of("high")["load"]
        self.assertGreater(load["backlog"]["low"], 0)
        self.assertLess(abs(load["backlog"]["slope"] / 60 - 1), 0.35)
        ready_in = {a["request_id"]: float(a["ready_in_ms"]) / 1000 for a in emulator.truth("accepted")}
        truth = percentile([job["accepted"] - job["due"] + ready_in[job["request_id"]] for job in self.jobs("high")], 95)
        measured = load["end_to_end"]["p95"]
        self.assertEqual(measured["low"], measured["high"], "nothing is unfinished")
        self.assertLess(abs(measured["estimate"] / truth - 1), 0.08)
        # The teeth: whoever stops with the arrivals and counts only finished documents is far off.
        self.assertLess(load["completed_only"]["p95"]["estimate"], 0.92 * truth)

    def test_unfinished_documents_are_censored(self):
        self.serve("fixed:60s")
        done = self.load("cut", "--rate", "50/s", "--duration", "1s", "--drain-timeout", "1s")
        self.assertEqual(done.returncode, 1, done.stderr)
        load = self.report_of("cut")["load"]
        self.assertEqual(load["outcomes"]["unfinished"], 50)
        self.assertIsNone(load["end_to_end"]["p95"]["high"])
        self.assertGreater(load["end_to_end"]["p95"]["low"], 0.9)
        self.assertTrue(all(job["request_id"] for job in self.jobs("cut")), "a request_id is what was paid for")

    def test_closed_loop_poisson_and_stages(self):
        self.serve()
        closed = self.load("closed", "--concurrency", "5", "--max-documents", "60")
        self.assertEqual(closed.returncode, 0, closed.stderr)
        self.assertEqual(self.report_of("closed")["load"]["outcomes"]["done"], 60)
        self.assertLessEqual(self.report_of("closed")["peaks"]["in_flight"], 5)
        staged = self.load("staged", "--stages", "0->50/s:2s,50/s:1s", "--poisson", "--seed", "7")
        self.assertEqual(staged.returncode, 0, staged.stderr)
        self.assertLess(abs(self.report_of("staged")["load"]["outcomes"]["done"] - 100), 40)

    def test_find_capacity(self):
        self.serve()
        done = self.load("found", "--find-capacity", "--rate", "100/s", "--step", "5s", "--max-documents", "20000")
        self.assertEqual(done.returncode, 0, done.stderr)
        capacity = self.report_of("found")["load"]["capacity"]
        self.assertLess(abs(capacity["estimate"] / (WORKERS / 0.1) - 1), 0.08, capacity)

    def test_parts_are_fetched_after_each_result_and_measured(self):
        emulator = self.serve("fixed:100ms", "--documents-per-file", "2")
        done = self.load("parts", "--rate", "50/s", "--duration", "2s", "--parts", "tables,images")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = self.report_of("parts")
        self.assertEqual(report["load"]["outcomes"]["done"], 100)
        images = report["http_statuses"]["image"]["200"]
        self.assertEqual(report["http_statuses"]["table"], {"200": 200})
        self.assertGreaterEqual(images, 100)
        self.assertEqual((report["parts"], report["parts_failed"], report["parts_wanted"]), (200 + images, 0, 0))
        self.assertEqual(report["latency"]["parts"]["count"], 100)
        self.assertEqual((report["load"]["time_to_parts"]["count"], report["load"]["time_to_parts"]["censored"]), (100, 0))
        self.assertIn(f"{200 + images} parts were fetched", report["verdict"])
        self.assertIn('"parts":', done.stderr)
        for job in self.jobs("parts"):
            self.assertLess(job["ended"], job["parts_done"])
            self.assertEqual((job["parts_wanted"], job["parts_failed"]), (0, {}))
        self.assertEqual(sum(job["parts"] for job in self.jobs("parts")), 200 + images)
        # The time from due to the result does not contain the parts.
        longest = max(job["ended"] - job["due"] for job in self.jobs("parts"))
        self.assertAlmostEqual(report["latency"]["end_to_end"]["max"], longest, places=4)
        self.assertLess(abs(report["load"]["little"]["sampled_in_flight"] / report["load"]["little"]["rate_times_time"] - 1), 0.25)
        without = self.load("without", "--rate", "50/s", "--duration", "1s")
        self.assertEqual(without.returncode, 0, without.stderr)
        self.assertNotIn("parts", without.stderr)
        self.assertNotIn("parts", "".join(self.jobs("without")[0]))
        self.assertNotIn("time_to_parts", self.report_of("without")["load"])
        merged = self.ocrpipe("load", "merge", self.folder / "all", self.folder / "parts", self.folder / "without")
        self.assertEqual(merged.returncode, 0, merged.stderr)
        self.assertEqual((self.report_of("all")["parts"], self.report_of("all")["latency"]["parts"]["count"]), (200 + images, 100))
        compared = self.ocrpipe("load", "compare", self.folder / "parts", self.folder / "parts")
        self.assertRegex(compared.stdout, r"parts p95 .*: within noise")
        self.assertEqual(len(emulator.truth("accepted")), 150)

    def test_parts_that_fail_are_counted_by_class_and_leave_their_documents_done(self):
        self.serve("fixed:0s", "--fault", "status:code=400:route=part")
        done = self.load("failed", "--concurrency", "3", "--max-documents", "9", "--parts", "stamps")
        self.assertEqual(done.returncode, 1, done.stderr)
        report = self.report_of("failed")
        self.assertEqual((report["done"], report["failed"], report["parts"], report["parts_failed"]), (9, 0, 0, 9))
        self.assertEqual(report["parts_failed_by_class"], {"rejected": 9})
        self.assertEqual([(e["kind"], e["class"], e["count"]) for e in report["errors"]], [("part", "rejected", 9)])
        self.assertEqual([job["parts_failed"] for job in self.jobs("failed")], [{"rejected": 1}] * 9)
        self.assertLessEqual(report["peaks"]["in_flight"], 3)

    def test_parts_that_are_not_there_in_time_are_censored(self):
        self.serve("fixed:0s", "--fault", "stall:route=part")
        done = self.load("stalled", "--rate", "50/s", "--max-documents", "5", "--drain-timeout", "2s", "--parts", "tables")
        self.assertEqual(done.returncode, 1, done.stderr)
        report = self.report_of("stalled")
        self.assertEqual((report["done"], report["parts"], report["parts_failed"], report["parts_wanted"]), (5, 0, 0, 5))
        self.assertEqual((report["load"]["time_to_parts"]["count"], report["load"]["time_to_parts"]["censored"]), (5, 5))
        self.assertEqual(report["load"]["end_to_end"]["censored"], 0)
        self.assertEqual([(job["parts_done"], job["parts_wanted"]) for job in self.jobs("stalled")], [(None, 1)] * 5)

    def test_compare_and_merge_name_themselves_as_they_are_typed(self):
        for command in ("compare", "merge"):
            helped = self.ocrpipe("load", command, "--help")
            self.assertEqual(helped.returncode, 0)
            self.assertIn(f"Usage: ocrpipe load {command} [OPTIONS]", helped.stdout)
            wrong = self.ocrpipe("load", command, "--nonsense")
            self.assertEqual(wrong.returncode, 2)
            self.assertIn(f"see ocrpipe load {command} --help", wrong.stderr)
            self.assertNotIn(f"load-{command}", helped.stdout + wrong.stderr)
            self.assertEqual(self.ocrpipe(f"load-{command}").returncode, 2)

    def test_what_cannot_be_joined_is_refused(self):
        self.serve()
        for out, delay in (("good", "5s"), ("late", "0s")):
            self.load(out, "--rate", "50/s", "--duration", "1s", "--send-delay", delay)
        good = self.folder / "good"
        before = (good / "jobs.jsonl").read_bytes()
        for out, others, words in (("all", [good, good], "given twice"), ("good", [good, self.folder / "late"], "given twice"),
                                   ("all", [good, self.folder / "late"], "generator was the bottleneck")):
            done = self.ocrpipe("load", "merge", self.folder / out, *others)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stderr)
        shutil.copytree(good, self.folder / "copy")
        done = self.ocrpipe("load", "merge", self.folder / "all", good, self.folder / "copy")
        self.assert_exit(done, 2)
        self.assertIn("the same documents", done.stderr)
        done = self.ocrpipe("run", self.write_documents(1), "--out", good, "--doc-type", "invoice")
        self.assert_exit(done, 2)
        self.assertIn("has the records of a load test", done.stderr)
        self.assertEqual((good / "jobs.jsonl").read_bytes(), before)
        (good / "jobs.jsonl").write_bytes(before[:before.index(b"\n") + 1])
        done = self.ocrpipe("load", "compare", good, good)
        self.assertIn("jobs.jsonl has 1 documents, but report.json has 50", done.stderr)

    def test_a_merged_test_keeps_what_its_parts_say(self):
        emulator = self.serve("fixed:0s", "--fault", "error-500-after-acceptance:count=2", "--fault", "status:code=400:count=3:route=submit")
        for out in "ab":
            self.load(out, "--rate", "20/s", "--max-documents", "10")
        a, b = self.report_of("a"), self.report_of("b")
        merged = self.ocrpipe("load", "merge", self.folder / "all", self.folder / "a", self.folder / "b")
        self.assert_exit(merged, 1)
        report = self.report_of("all")
        self.assertEqual(report["failed_by_class"], {"ambiguous_submit": 2, "rejected": 3})
        self.assertEqual(report["paid"], {"accepted": 15, "in_doubt": 2, "possible_duplicates": 0})
        self.assertEqual(len(emulator.truth("accepted")), 17)
        for status in ("201", "400", "500"):
            self.assertEqual(report["http_statuses"]["submit"][status], sum(r["http_statuses"]["submit"].get(status, 0) for r in (a, b)), status)
        errors = {e["class"]: e for e in report["errors"]}
        self.assertIn("--doc-type", errors["rejected"]["remedy"])
        self.assertNotIn("resubmit", errors["ambiguous_submit"]["remedy"])
        first = {e["class"]: e["message"] for r in (b, a) for e in r["errors"]}
        self.assertEqual(errors["rejected"]["message"], first["rejected"])
        again = self.ocrpipe("load", "merge", self.folder / "all", self.folder / "a", self.folder / "b")
        self.assert_exit(again, 2)
        self.assertIn("give another directory", again.stderr)

    def test_a_merged_test_keeps_what_limited_its_parts(self):
        self.serve("fixed:50ms")
        for out in "ab":
            self.load(out, "--rate", "20/s", "--duration", "3s", "--submit-rate", "5/s")
        self.ocrpipe("load", "merge", self.folder / "all", self.folder / "a", self.folder / "b")
        for out in ("a", "b", "all"):
            self.assertIn("the client's own rate limits are the limit", self.report_of(out)["verdict"])
        self.assertGreater(self.report_of("a")["limits"]["limiting"].get("submit rate", 0), 0)
        self.assertGreater(self.report_of("all")["limits"]["waited"]["submit_rate"], 10)

    def test_tests_that_ended_early_are_named(self):
        self.serve("fixed:0s")
        self.load("good", "--rate", "50/s", "--max-documents", "30")
        self.url = "http://127.0.0.1:9"
        self.load("bad", "--rate", "50/s", "--max-documents", "30")
        for command in (["compare"], ["merge", self.folder / "all"]):
            done = self.ocrpipe("load", *command, self.folder / "good", self.folder / "bad")
            self.assertIn("bad: it ended early", done.stderr)
        self.assertEqual(self.report_of("all")["state"], "stopped")
        self.assertIn("connect_failed", self.report_of("all")["ended_by"] + self.report_of("all")["verdict"])
        # Without a request_id, too, a copy is a copy.
        shutil.copytree(self.folder / "bad", self.folder / "copy")
        self.assert_exit(self.ocrpipe("load", "merge", self.folder / "twice", self.folder / "bad", self.folder / "copy"), 2)

    def test_the_offered_rate_of_a_few_documents(self):
        self.serve("fixed:0s")
        self.load("three", "--rate", "5/s", "--max-documents", "3")
        self.assertAlmostEqual(self.report_of("three")["load"]["offered_per_second"], 5, places=6)
        self.load("one", "--rate", "5/s", "--max-documents", "1")
        self.assertAlmostEqual(self.report_of("one")["load"]["offered_per_second"], 5, places=6)

    def test_a_poisson_plan_sends_no_more_than_announced(self):
        emulator = self.serve("fixed:0s")
        done = self.load("poisson", "--stages", "1/s:1s", "--poisson", "--seed", "29062")
        self.assertIn("at most 7 documents", done.stderr)
        self.assertEqual(len(emulator.truth("accepted")), 7)

    def test_compare_and_merge(self):
        self.serve()
        for out, rate in (("a", "60/s"), ("b", "60/s"), ("c", "260/s")):
            self.load(out, "--rate", rate, "--duration", "3s")
        a, b, c = (self.folder / out for out in "abc")
        worse = self.ocrpipe("load", "compare", a, c)
        self.assertEqual(worse.returncode, 0, worse.stderr)
        self.assertRegex(worse.stdout, r"end to end p95 .*: more")
        self.assertRegex(worse.stdout, r"offered .* /s .*: more")
        self.assertRegex(worse.stdout, r"throughput .*: more")
        merged = self.ocrpipe("load", "merge", self.folder / "all", a, b)
        self.assertEqual(merged.returncode, 0, merged.stderr)
        report = self.report_of("all")
        self.assertEqual(report["load"]["outcomes"]["done"], 360)
        self.assertEqual(sum(n for _, _, n in report["latency"]["end_to_end"]["buckets"]), 360)
        wrong = self.ocrpipe("load", "compare", a, self.folder / "nothing")
        self.assertEqual(wrong.returncode, 3)
        self.assertIn("give the --out directory of a load test", wrong.stderr)

    def test_nonsense_is_refused_before_anything_is_sent(self):
        emulator = self.serve()
        for arguments, words in (
            (["--rate", "5/s"], "--duration"),
            (["--duration", "5s"], "--rate"),
            (["--rate", "0", "--duration", "5s"], "--rate"),
            (["--rate", "5/s", "--concurrency", "3", "--duration", "5s"], "only one of"),
            (["--stages", "50/s", "--duration", "5s"], "stage 1"),
            (["--rate", "5/s", "--duration", "5s", "--threshold", "e2e<3s"], "e2e.p95"),
            (["--rate", "5/s", "--duration", "5s", "--threshold", ""], "is empty"),
            (["--rate", "5/s", "--duration", "5s", "--threshold", "error_rate<5"], "such as 5%"),
            (["--rate", "0->40/s:5s"], "give --stages '0->40/s:5s'"),
            (["--rate", "5/s", "--duration", "5s", "--on-ambiguous", "resubmit"], "--on-ambiguous: resubmit would send and pay for more documents"),
            (["--rate", "5/s", "--duration", "5s", "--threshold", "latency<3s"], "there is no such metric"),
            (["--rate", "5/s", "--duration", "5s", "--generate", "big"], "--generate"),
            (["--rate", "5/s", "--duration", "5s", "--parts", "tables,seals"], "give a list of tables, signatures, stamps, images"),
        ):
            with self.subTest(arguments):
                done = self.load("nonsense", *arguments)
                self.assertEqual(done.returncode, 2)
                self.assertIn(words, done.stderr)
        self.assertEqual(emulator.truth("accepted"), [])

    def test_another_machine_needs_yes(self):
        done = self.ocrpipe("load", "--doc-type", "invoice", "--out", self.folder / "away", "--rate", "5/s", "--duration", "10s",
                            env={"OCRPIPE_BASE_URL": "https://ocr.invalid"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("--yes", done.stderr)
        self.assertIn("up to 50 documents", done.stderr)

    def test_a_proxy_on_another_machine_needs_yes_too(self):
        for proxy, words in (("http://me:secret@ocr.invalid:3128", "--yes"), ("http://127.0.0.1:1", "")):
            done = self.ocrpipe("load", "--doc-type", "invoice", "--out", self.folder / "away", "--rate", "5/s", "--max-documents", "1",
                                "--proxy", proxy, env={"OCRPIPE_BASE_URL": "http://127.0.0.1:1"})
            self.assertEqual("--yes" in done.stderr, bool(words), done.stderr)
            self.assertNotIn("secret", done.stderr)

    def test_a_generator_that_is_late_says_so(self):
        self.serve()
        done = self.load("late", "--rate", "300/s", "--duration", "3s", "--send-delay", "0s")
        self.assert_exit(done, 98)
        self.assertIn("The generator was the bottleneck", self.report_of("late")["verdict"])
        self.assertIsNotNone(self.report_of("late")["load"]["generator"]["bottleneck"])

    def test_the_report_can_be_watched_during_the_test(self):
        self.serve("fixed:60s")
        process = self.start("load", "--doc-type", "invoice", "--out", self.folder / "watched", "--rate", "50/s", "--duration", "100s",
                             "--metrics", "127.0.0.1:0", "--log-format", "json")
        url = self.wait_for_event(process, "metrics")["url"]
        self.wait_for_event(process, "load_progress", lambda o: o["accepted"] > 10)
        with urllib.request.urlopen(url + "report.json", timeout=workbench.PATIENCE) as answer:
            report = json.load(answer)
        self.assertEqual((report["kind"], report["state"]), ("load", "running"))
        self.assertGreater(report["paid"]["accepted"], 10)
        with urllib.request.urlopen(url + "metrics", timeout=workbench.PATIENCE) as answer:
            self.assertIn(b"ocrpipe_documents_accepted_total", answer.read())
        # Every five seconds it is written, too.
        self.wait_until((self.folder / "watched" / "report.html").exists)
        self.assertEqual(self.report_of("watched")["state"], "running")
        process.send_signal(signal.SIGINT)
        self.wait_for_event(process, "stopping")  # two signals at once may arrive as one
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=workbench.PATIENCE)

    def test_a_port_in_use_is_an_error_before_anything_is_sent(self):
        emulator = self.serve()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for search in ([], ["--find-capacity", "--step", "1s"]):
                done = self.load("taken", "--rate", "5/s", "--duration", "5s", "--metrics", f"127.0.0.1:{port}", *search)
                self.assertEqual(done.returncode, 2)
                self.assertIn("choose another port", done.stderr)
                self.assertNotIn("no step fits", done.stderr)
        self.assertEqual(emulator.truth("accepted"), [])

    def test_interrupt_drains_and_reports(self):
        self.serve()
        process = self.start("load", "--doc-type", "invoice", "--out", self.folder / "stopped", "--poll-interval", "20ms-40ms", "--rate",
                             "50/s", "--duration", "100s", "--log-format", "json")
        self.wait_for_event(process, "load_progress", lambda o: o["done"] > 10)
        process.send_signal(signal.SIGINT)
        self.wait_for_event(process, "load_finished")
        self.assertEqual(process.wait(timeout=workbench.PATIENCE), 130)
        report = self.report_of("stopped")
        self.assertEqual(report["state"], "stopped")
        outcomes = report["load"]["outcomes"]
        self.assertEqual(outcomes["due"], outcomes["done"])
        self.assertLess(outcomes["due"], 5000)


if __name__ == "__main__":
    workbench.main()
