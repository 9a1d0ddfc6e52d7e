"""Parts of documents: none is lost, whatever their number, the pace, failures and kills; those that failed are named and fetched later."""

import json
import signal
import sqlite3
import sys
import threading

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from scripted_service import Outputs


def answer_with(count, with_ids=True):
    documents = [{"document_id": f"d-{i}" if with_ids else None, "status": "SUCCESS", "ocr_data": [{"name": "text", "value": [f"w{i}"]}]} for i in range(count)]
    return {"data": {"status": "SUCCESS", "progress": {"total_doc": count, "ignored": 0, "finished": count}, "documents": documents}}


class Gate:
    """Answers to parts: content, unless the test says otherwise. Counts what is asked for at a time."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answers = {}  # by the id of the part
        self.under_way = 0
        self.most = 0
        self.seen = []
        self.hold_after = None  # requests beyond so many wait for open()
        self.opened = threading.Event()
        self.held = threading.Event()

    def __call__(self, words):
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.seen.append(words[-1])
            hold = self.hold_after is not None and len(self.seen) > self.hold_after
        if hold:
            self.held.set()
            self.opened.wait(workbench.PATIENCE)
        with self.lock:
            self.under_way -= 1
        return self.answers.get(words[-1], (200, {"table": [words[-1]]}))


class Parts(Outputs):
    def serve_parts(self, count, with_ids=True, **more):
        self.gate = Gate()
        self.addCleanup(self.gate.opened.set)
        self.service = self.script(answer_with(count, with_ids), part=self.gate, **more)
        return self.gate

    def run_parts(self, *arguments, **more):
        return self.run_bulk("in", "--parts", "tables", *arguments, **more)

    def start_parts(self):
        return self.start("run", "in", "--out", self.out, "--doc-type", "invoice", "--parts", "tables")

    def missing(self):
        """The rows of the ledger about parts that results lack: id and class, in the order of their places."""
        database = sqlite3.connect(self.out / "ledger.db")
        try:
            return database.execute("SELECT sub_id, failure_class FROM missing_part ORDER BY document, place").fetchall()
        finally:
            database.close()

    def last_lines(self):
        return list({line["id"]: line for line in self.results}.values())

    def assert_complete(self, count, lines=1):
        """The last line of each document lists so many files, with the content of each part."""
        self.assertEqual(self.missing(), [])
        self.assertEqual(self.failures, [])
        self.assertEqual((self.report["parts_failed"], self.report["parts_wanted"]), (0, 0))
        last = self.last_lines()
        self.assertEqual(len(last), lines)
        for line in last:
            self.assertEqual([p["document_id"] for p in line["parts"]], [f"d-{i}" for i in range(count)])
            for part in line["parts"]:
                self.assertEqual(json.loads((self.out / part["file"]).read_text()), {"table": [part["document_id"]]})
        return last

    @property
    def polls(self):
        return [r for r in self.service.requests if r != "POST" and "/table/" not in r]


class Many(Parts):
    def test_3_000_documents_in_one_answer_have_their_parts(self):
        gate = self.serve_parts(3000)
        self.write("in/a.pdf")
        self.assert_exit(self.run_parts("--connections", "14"), 0)
        self.assert_complete(3000)
        self.assertEqual(len(gate.seen), 3000)
        self.assertLessEqual(gate.most, 2)
        self.assertEqual(self.report["parts"], 3000)
        self.assertEqual(self.report["done"], 1)

    def test_many_documents_with_many_parts(self):
        gate = self.serve_parts(700)
        self.write_documents(4)
        self.assert_exit(self.run_parts(), 0)
        self.assert_complete(700, lines=4)
        self.assertEqual(len(gate.seen), 2800)
        self.assertEqual(self.report["latency"]["parts"]["count"], 4)

    def test_the_wait_for_the_poll_rate_does_not_count_against_the_deadline(self):
        gate = self.serve_parts(25)
        self.write("in/a.pdf")
        self.assert_exit(self.run_parts("--poll-rate", "10/s", "--deadline", "2s"), 0)
        self.assert_complete(25)
        self.assertEqual(len(gate.seen), 25)

    def test_the_wait_for_a_connection_does_not_count_against_the_deadline(self):
        gate = self.serve_parts(25)
        slow = threading.Event()
        self.service.part = lambda words: (slow.wait(0.1), gate(words))[1]
        self.write("in/a.pdf")
        self.assert_exit(self.run_parts("--connections", "7", "--deadline", "2s"), 0)
        self.assert_complete(25)


class Failing(Parts):
    def fail_two_of_four(self):
        gate = self.serve_parts(4)
        gate.answers = {"d-1": (500, {"message": "down"}), "d-2": (422, {"message": "no such table"}), "d-3": (410, {})}
        self.write("in/a.pdf")
        done = self.run_parts("--deadline", "5s")  # while nothing else is read, a part that answers 500 is read until then
        self.assert_exit(done, 1)
        return gate, done

    def test_parts_that_fail_are_named_everywhere(self):
        _, done = self.fail_two_of_four()
        self.assertEqual(self.missing(), [("d-1", "service_error"), ("d-2", "rejected")])
        [line] = self.results
        self.assertEqual(line["status"], "done")
        self.assertEqual([p.get("error") for p in line["parts"]], [None, "service_error", "rejected", "part_absent"])
        self.assertEqual([(f["id"], f["kind"], f["document_id"], f["class"], f["request_id"]) for f in self.failures],
                         [("in/a.pdf", "table", "d-1", "service_error", "r-1"), ("in/a.pdf", "table", "d-2", "rejected", "r-1")])
        self.assertIn("no such table", self.failures[1]["message"])
        report = self.report
        self.assertEqual((report["done"], report["failed"], report["parts"], report["parts_failed"]), (1, 0, 1, 2))
        self.assertEqual(report["parts_failed_by_class"], {"rejected": 1, "service_error": 1})
        self.assertEqual([e["path"] for e in self.events(done, "part_failed")], ["in/a.pdf"] * 2)
        [said] = self.events(done, "run_finished")
        self.assertIn("2 parts failed (1 rejected, 1 service_error)", said["text"])
        self.assertIn(f"see {self.out}/failures.jsonl; to fetch the missing parts, which costs nothing: the same run command, or "
                      f"ocrpipe retry {self.out}", said["text"])
        status = self.ocrpipe("status", self.out).stdout
        self.assertIn("2  parts failed; see failures.jsonl", status)
        self.assertIn("1  parts with class rejected", status)
        counts = json.loads(self.ocrpipe("status", self.out, "--json").stdout)
        self.assertEqual((counts["parts_failed"], counts["parts_wanted"], counts["part_classes"]), (2, 0, {"rejected": 1, "service_error": 1}))

    def fetch_later(self, again):
        gate, _ = self.fail_two_of_four()
        first = self.results
        del gate.seen[:], self.service.requests[:]
        del gate.answers["d-1"]
        self.assert_exit(again(), 1)  # one still fails
        self.assertEqual(sorted(gate.seen), ["d-1", "d-2"])
        self.assertEqual(self.missing(), [("d-2", "rejected")])
        self.assertEqual([f["document_id"] for f in self.failures], ["d-2"])
        gate.answers["d-2"] = (410, {})
        self.assert_exit(again(), 0)
        self.assertEqual((self.missing(), self.failures), ([], []))
        self.assertEqual(len([r for r in self.service.requests if "/table/" not in r]), 0)
        self.assertEqual(len(self.results), 3)
        last = self.results[-1]
        self.assertEqual([p.get("error") for p in last["parts"]], [None, None, "part_absent", "part_absent"])
        self.assertEqual({k: v for k, v in last.items() if k != "parts"}, {k: v for k, v in first[0].items() if k != "parts"})
        for part in last["parts"][:2]:
            self.assertEqual(json.loads((self.out / part["file"]).read_text()), {"table": [part["document_id"]]})
        self.assert_exit(again(), 0)
        self.assertEqual(len(self.results), 3)

    def test_the_same_command_fetches_what_failed(self):
        self.fetch_later(self.run_parts)

    def test_retry_fetches_what_failed(self):
        self.fetch_later(lambda: self.ocrpipe("retry", self.out))

    def test_export_fetches_what_failed_or_was_absent_too(self):
        gate, _ = self.fail_two_of_four()
        gate.answers.clear()
        self.assert_exit(self.export("--parts", "tables"), 0)
        self.assertEqual(sorted(line["document_id"] for line in self.lines_of("exported-parts.jsonl")), ["d-1", "d-2", "d-3"])

    def test_absent_parts_are_no_failure(self):
        gate = self.serve_parts(2)
        gate.answers = {"d-0": (410, {}), "d-1": (410, {})}
        self.write("in/a.pdf")
        self.assert_exit(self.run_parts(), 0)
        self.assertEqual([p["error"] for p in self.results[0]["parts"]], ["part_absent"] * 2)
        self.assertEqual((self.missing(), self.failures, self.report["parts_failed"]), ([], [], 0))
        self.assert_exit(self.run_parts(), 0)
        self.assertEqual(len(gate.seen), 2)

    def test_parts_that_came_late_are_fetched_by_an_export(self):
        gate = self.serve_parts(2)
        gate.answers = {"d-0": (410, {}), "d-1": (410, {})}
        self.write("in/a.pdf")
        done = self.run_parts()
        self.assert_exit(done, 0)
        self.assertIn("2 parts absent", done.stderr)
        self.assertEqual(self.report["parts_absent"], 2)
        del gate.answers["d-0"]
        done = self.export("--parts", "tables")
        self.assert_exit(done, 0)
        self.assertIn("1 parts fetched, 0 were there already, 1 absent", done.stderr)
        self.assertEqual([line.get("error") for line in self.lines_of("exported-parts.jsonl")], [None, "part_absent"])
        asked = len(gate.seen)
        done = self.export("--parts", "tables")
        self.assertIn("0 parts fetched, 1 were there already, 1 absent", done.stderr)
        self.assertEqual(len(gate.seen), asked)

    def test_parts_of_documents_without_an_id_are_counted_and_told(self):
        self.serve_parts(2, with_ids=False)
        self.write("in/a.pdf")
        self.write("in/b.pdf", "%PDF-1.4 another")
        done = self.run_parts()
        self.assert_exit(done, 0)
        self.assertEqual(self.report["parts_without_id"], 4)
        self.assertEqual(done.stderr.count("parts without an id, which cannot be fetched"), 1)

    def test_a_part_over_the_limit_fails_and_a_run_with_a_higher_limit_fetches_it(self):
        gate = self.serve_parts(2)
        gate.answers["d-1"] = (200, {"table": "x" * 2_000_000})
        self.write("in/a.pdf")
        done = self.run_parts("--max-answer", "1MiB")
        self.assert_exit(done, 1)
        self.assertEqual(len(gate.seen), 2)
        self.assertEqual([(f["document_id"], f["class"]) for f in self.failures], [("d-1", "body_too_large")])
        self.assertIn("raise --max-answer", done.stderr)
        self.assert_exit(self.run_parts("--max-answer", "4MiB"), 0)
        self.assertEqual(len(gate.seen), 3)
        [_, last] = self.results
        self.assertGreater((self.out / last["parts"][1]["file"]).stat().st_size, 2_000_000)
        self.assertEqual(self.missing(), [])

    def test_refused_parts_do_not_hold_back_the_result(self):
        gate = self.serve_parts(1)
        gate.answers["d-0"] = (403, b"Forbidden")
        self.write("in/a.pdf")
        self.assert_exit(self.run_parts(), 1)  # the result can be read again, so the key is good
        self.assertEqual(self.state_of("a.pdf"), ["done"])
        self.assertEqual(self.report["parts_failed_by_class"], {"rejected": 1})
        gate.answers.clear()
        self.assert_exit(self.run_parts(), 0)
        self.assert_complete(1)

    def test_copies_get_the_parts_too(self):
        gate = self.serve_parts(2)
        gate.answers["d-1"] = (500, {})
        for name in ("a", "b", "c"):
            self.write(f"in/{name}.pdf")
        self.assert_exit(self.run_parts("--dedupe", "content", "--deadline", "5s"), 1)
        self.assertEqual(self.service.requests.count("POST"), 1)
        self.assertEqual(self.missing(), [("d-1", "service_error")] * 3)
        self.assertEqual({f["request_id"] for f in self.failures}, {"r-1"})
        gate.answers.clear()
        self.write("in/d.pdf")
        self.assert_exit(self.run_parts("--dedupe", "content"), 0)
        self.assertEqual(self.service.requests.count("POST"), 1)
        self.assert_complete(2, lines=4)

    def test_failures_as_a_manifest_cost_nothing(self):
        gate, _ = self.fail_two_of_four()
        gate.answers.clear()
        given, self.out = self.out / "failures.jsonl", self.folder / "again"
        done = self.run_bulk(given, "--parts", "tables")
        self.assert_exit(done, 0)
        self.assertEqual(self.service.requests.count("POST"), 1)
        self.assert_complete(4)

    def test_a_document_that_is_sent_again_lacks_nothing_of_its_earlier_result(self):
        gate, _ = self.fail_two_of_four()
        gate.answers = {"d-1": (410, {}), "d-2": (410, {}), "d-3": (410, {})}
        self.write("in/a.pdf", "%PDF-1.4 changed")
        self.assert_exit(self.run_parts(), 0)
        self.assertEqual((self.missing(), self.failures), ([], []))
        self.assertEqual([r["request_id"] for r in self.last_lines()], ["r-2"])

    def test_results_that_were_moved_away_get_their_parts_when_they_are_back(self):
        gate, _ = self.fail_two_of_four()
        gate.answers.clear()
        del gate.seen[:]
        moved = (self.out / "results-00001.jsonl").rename(self.folder / "archive.jsonl")
        done = self.run_parts()
        self.assert_exit(done, 1)
        self.assertEqual(gate.seen, [])
        self.assertIn("results-00001.jsonl is not in", self.events(done, "parts_not_fetched")[0]["text"])
        moved.rename(self.out / "results-00001.jsonl")
        self.assert_exit(self.run_parts(), 0)
        self.assertEqual(sorted(gate.seen), ["d-1", "d-2"])
        self.assertEqual(self.missing(), [])


    def test_parts_that_are_fetched_while_their_empty_result_is_read_again_stay(self):
        empty = answer_with(1)
        empty["data"]["documents"][0]["ocr_data"] = None
        gate = self.serve_parts(1)
        self.service.result = lambda request_id: empty
        gate.answers = {"d-0": (422, {"message": "not now"})}
        self.write("profile.json", '{"settle_seconds": 0.2}')
        self.write("in/a.pdf")
        self.assert_exit(self.run_parts("--profile", "profile.json"), 1)
        gate.answers.clear()
        self.service.result = lambda request_id: (self.wait_until(lambda: self.missing() == []), empty)[1]
        self.run_parts("--profile", "profile.json")
        database = sqlite3.connect(self.out / "ledger.db")
        [(offset,)] = database.execute("SELECT result_offset FROM document").fetchall()
        database.close()
        lines = (self.out / "results-00001.jsonl").read_bytes()
        [part] = json.loads(lines[offset:])["parts"]  # the last line
        self.assertTrue((self.out / part["file"]).exists())


class Interrupted(Parts):
    def test_a_kill_while_few_parts_are_fetched_loses_nothing(self):
        gate = self.serve_parts(10)
        gate.hold_after = 5
        self.write("in/a.pdf")
        run = self.start_parts()
        self.assertTrue(gate.held.wait(workbench.PATIENCE))
        run.kill()
        run.wait()
        gate.opened.set()
        self.assertEqual(self.state_of("a.pdf"), ["submitted"])
        self.assert_exit(self.run_parts(), 0)
        self.assertEqual(self.service.requests.count("POST"), 1)
        self.assertEqual(len(self.results), 1)
        self.assert_complete(10)

    def test_few_large_results_wait_in_memory_for_their_parts(self):
        gate = self.serve_parts(1)
        gate.hold_after = 0
        self.service.result = lambda request_id: answer_with(1) | {"padding": "x" * 40_000_000}
        for name in ("a", "b"):
            self.write(f"in/{name}.pdf", f"%PDF-1.4 {name}")
        run = self.start_parts()
        self.wait_until(lambda: len(gate.seen) == 2)
        self.assertEqual(sorted(self.state_of("a.pdf") + self.state_of("b.pdf")), ["done", "submitted"])
        gate.opened.set()
        self.assertEqual(run.wait(workbench.PATIENCE), 0)
        self.assert_complete(1, lines=2)

    def test_a_kill_while_many_parts_are_fetched_keeps_the_result_and_fetches_only_what_it_lacks(self):
        gate = self.serve_parts(3000)
        gate.hold_after = 1500
        self.write("in/a.pdf")
        run = self.start_parts()
        self.assertTrue(gate.held.wait(workbench.PATIENCE))
        run.kill()
        run.wait()
        gate.opened.set()
        self.assertEqual(self.state_of("a.pdf"), ["done"])
        self.assertEqual(len(self.missing()), 2000)
        del gate.seen[:]
        polls = len(self.polls)
        self.assert_exit(self.run_parts(), 0)
        self.assertEqual((len(gate.seen), len(self.polls), self.service.requests.count("POST")), (2000, polls, 1))
        self.assert_complete(3000)

    def test_a_run_that_is_stopped_keeps_the_result_and_the_parts_that_it_has(self):
        gate = self.serve_parts(10)
        gate.hold_after = 5
        self.write("in/a.pdf")
        run = self.start_parts()
        self.assertTrue(gate.held.wait(workbench.PATIENCE))
        run.send_signal(signal.SIGINT)
        self.wait_for_event(run, "stopping")
        run.send_signal(signal.SIGINT)
        run.wait(workbench.PATIENCE)
        self.assertEqual(run.returncode, 130)
        self.assertEqual(self.state_of("a.pdf"), ["done"])
        missing = len(self.missing())
        self.assertGreaterEqual(missing, 5)
        self.assertEqual(self.report["parts_wanted"], missing)
        self.assertEqual(len([p for p in self.results[0]["parts"] if p.get("error") == "not_fetched"]), missing)
        gate.opened.set()
        del gate.seen[:]
        self.assert_exit(self.ocrpipe("retry", self.out), 0)
        self.assertEqual(len(gate.seen), missing)
        self.assert_complete(10)


class Earlier(Parts):
    def test_a_ledger_of_the_former_version_is_read_and_continued(self):
        self.serve_parts(2)
        self.write("in/a.pdf")
        self.assert_exit(self.run_parts(), 0)
        database = sqlite3.connect(self.out / "ledger.db")
        database.executescript("DROP TABLE missing_part; DROP INDEX document_incomplete; DROP VIEW document_for_people; ALTER TABLE document DROP COLUMN completeness; "
                               "ALTER TABLE document DROP COLUMN sent_at; ALTER TABLE document DROP COLUMN last_pending_at; ALTER TABLE document DROP COLUMN ready_at; "
                               "CREATE VIEW document_for_people AS SELECT number, state, id FROM document; "
                               "ALTER TABLE document DROP COLUMN ask_again; UPDATE metadata SET value = '1' WHERE key = 'schema_version'; PRAGMA user_version = 1")
        database.close()
        self.assertIn("1  documents in all", self.ocrpipe("status", self.out).stdout)
        self.assert_exit(self.export("--parts", "tables"), 0)
        self.write("in/b.pdf", "%PDF-1.4 another")
        self.assert_exit(self.run_parts(), 0)
        self.assertEqual(self.service.requests.count("POST"), 2)
        self.assert_complete(2, lines=2)


if __name__ == "__main__":
    workbench.main()
