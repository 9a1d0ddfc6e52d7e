"""Disks that are full, fail, or lose what was not synced: at every single change of a file of a small run of the real binary.

OCRPIPE_FAULT_FILES names the library that stands between the binary and its files. OCRPIPE_AT_LENGTH=1 leaves nothing out; otherwise each
place sees one of several faults.
"""

import collections
import errno
import json
import os
import re
import sqlite3
import subprocess
import sys
import unittest
import urllib.parse

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from disk import Disk, read_log
from outcome import Outcome, documents_in
from workbench import Case

library = os.environ.get("OCRPIPE_FAULT_FILES")
at_length = bool(os.environ.get("OCRPIPE_AT_LENGTH"))


@unittest.skipUnless(library, "OCRPIPE_FAULT_FILES is not set")
class Watched(Case):
    def setUp(self):
        super().setUp()
        self.emulator = self.start_emulator("--latency", "fixed:1ms")
        self.inputs = 0

    def new_inputs(self, count):
        """Documents that no other run of this test has seen, and a place for their results."""
        self.inputs += 1
        self.out = self.folder / f"out{self.inputs}"
        for i in range(count):
            self.write(f"in{self.inputs}/{i}.pdf", f"%PDF-1.4 document {i} of {self.inputs}")
        return self.folder / f"in{self.inputs}"

    def go(self, folder, fault=None, log=None, watch=False):
        watched = {}
        if fault or log or watch:
            # The sanitizers want to be first, and do not mind.
            watched = {"LD_PRELOAD": library, "FAULT_FILES_FOLDER": str(self.out), "FAULT_FILES_FAULT": fault,
                       "FAULT_FILES_LOG": log and str(log), "ASAN_OPTIONS": "verify_asan_link_order=0"}
        return self.run_bulk(folder, env={"OCRPIPE_POLL_INTERVAL": "5ms-10ms", **watched})

    def outcome(self, folder, accepted=None):
        documents = documents_in(folder)
        return Outcome(self.out, documents, self.emulator.truth("accepted") if accepted is None else accepted)

    def go_on_to_the_end(self, folder, **how):
        """The next run, on a disk that is whole again."""
        done = self.go(folder)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        outcome = self.outcome(folder, **how)
        self.assertEqual(outcome.problems(), [])
        return outcome

    def count_changes(self, documents):
        """How many a run of so many documents makes; a few more or less, since its commits depend on time."""
        log = self.folder / "count"
        self.assert_exit(self.go(self.new_inputs(documents), log=log), 0)
        return sum(change.op != "send" for change in read_log(log))


def parse_request(data):
    """("POST", the document's file name), ("GET", request id), or None for the rest of a request."""
    posted = re.search(rb'^POST .*filename="([^"]*)"', data, re.DOTALL)
    if posted:
        return "POST", posted[1].decode()
    asked = re.search(rb"^GET \S*/ingest/([^/ ]+) ", data)
    return asked and ("GET", urllib.parse.unquote(asked[1].decode()))


class Order(Watched):
    """What is on the disk for certain when a byte leaves, and when the ledger says that a document is done."""

    def read_ledger(self, disk):
        folder = self.folder / "safe"
        disk.lay_out(folder, "none")
        database = sqlite3.connect(folder / "ledger.db")
        try:
            return {os.path.basename(row[0]): row for row in database.execute(
                "SELECT id, state, request_id, result_file, result_offset, result_length FROM document")}
        except sqlite3.OperationalError:
            return {}  # no table yet
        finally:
            database.close()
            for path in folder.iterdir():
                path.unlink()

    def problems(self, changes):
        disk, found, seen = Disk(), [], collections.Counter()
        for change in changes:
            disk.apply(change)
            request = parse_request(change.data) if change.op == "send" else None
            if request:
                seen[request[0]] += 1
                rows = self.read_ledger(disk)
                if request[0] == "POST" and rows.get(request[1], [None] * 2)[1] != "intent":
                    found.append(f"{request[1]} leaves without a durable intent")
                if request[0] == "GET" and not any(row[2] == request[1] for row in rows.values()):
                    found.append(f"{request[1]} is asked for and not durable")
            elif change.op == "sync" and change.name.startswith("ledger.db"):
                files = disk.after_cut("none")
                for name, (_, state, _, file, offset, length) in self.read_ledger(disk).items():
                    if state != "done":
                        continue
                    seen["done"] += 1
                    line = files.get(f"results-{file:05}.jsonl", b"")[offset:offset + length]
                    if not line.endswith(b"\n") or os.path.basename(json.loads(line)["id"]) != name:
                        found.append(f"{name} is durably done, its result is not")
        self.assertGreater(min(seen["POST"], seen["GET"], seen["done"]), 0)
        return found

    def test_intent_before_the_first_byte_request_id_before_the_first_poll_result_before_done(self):
        log = self.folder / "log"
        folder = self.new_inputs(8)
        self.assert_exit(self.go(folder, log=log), 0)
        changes = read_log(log)
        self.assertEqual(self.problems(changes), [])
        # This can fail: without the syncs of one file, the promises that rest on them are broken.
        for name, broken in (("ledger.db-wal", "intent"), ("results-00001.jsonl", "its result")):
            without = [c for c in changes if not (c.op == "sync" and c.name == name)]
            try:
                problems = self.problems(without)
            except AssertionError:
                problems = ["nothing is ever durable: intent"]
            self.assertIn(broken, " ".join(problems))

    def test_in_a_resumed_run_too(self):
        log = self.folder / "log"
        folder = self.new_inputs(8)
        killed = self.go(folder, fault=f"{self.count_changes_of_8 * 2 // 3} kill", log=log)
        self.assertLess(killed.returncode, 0)
        self.assertIn(self.go(folder, log=log).returncode, (0, 1))
        self.assertEqual(self.problems(read_log(log)), [])

    def test_after_a_sync_that_failed_what_it_lost_is_written_again(self):
        for name, nth in (("results-00001.jsonl", 0), ("ledger.db-wal", 4)):
            with self.subTest(file=name):
                folder = self.new_inputs(8)
                log = self.folder / f"log{self.inputs}"
                self.assert_exit(self.go(folder, fault=f"{nth} {errno.EIO} sync {name}", log=log), 8)
                self.assertIn(self.go(folder, log=log).returncode, (0, 1))
                self.assertEqual([c.name for c in read_log(log) if c.op == "sync" and c.error], [name])
                self.assertEqual(self.problems(read_log(log)), [])

    @property
    def count_changes_of_8(self):
        out, inputs = self.out, self.inputs
        count = self.count_changes(8)
        self.out, self.inputs = out, self.inputs
        return count


class PowerCut(Watched):
    def test_anywhere_nothing_is_lost_and_nothing_sent_twice(self):
        log = self.folder / "log"
        folder = self.new_inputs(4)
        self.assert_exit(self.go(folder, log=log), 0)
        original = {row["file_name"]: row for row in self.emulator.truth("accepted")}
        disk, posted = Disk(), set()
        cuts = 0
        for i, change in enumerate(read_log(log)):
            disk.apply(change)
            if change.op == "send":
                request = parse_request(change.data)
                if request and request[0] == "POST":
                    posted.add(request[1])
                continue
            ways = ("none", "all", "some")
            for survivors in ways if at_length else (ways[i % 3],):
                with self.subTest(after=f"{i}: {change}", survivors=survivors):
                    cuts += 1
                    self.out = self.folder / f"cut{cuts}"
                    disk.lay_out(self.out, survivors, seed=i)
                    before = len(self.emulator.truth("accepted"))
                    done = self.go(folder)
                    self.assertIn(done.returncode, (0, 1), done.stderr)
                    accepted = [original[name] for name in posted] + self.emulator.truth("accepted")[before:]
                    self.assertEqual(self.outcome(folder, accepted).problems(), [])
        self.assertGreater(cuts, 60)


class Killed(Watched):
    def test_after_and_in_the_middle_of_each_change_nothing_is_lost_and_nothing_sent_twice(self):
        killed = 0
        for at in range(self.count_changes(4)):
            for how in ("kill", "tear") if at_length else (("kill", "tear")[at % 2],):
                with self.subTest(at=at, how=how):
                    folder = self.new_inputs(4)
                    killed += self.go(folder, fault=f"{at} {how}").returncode < 0
                    self.go_on_to_the_end(folder)
        self.assertGreater(killed, 60)


class Failing(Watched):
    def fail_each(self, error, places):
        ends = collections.Counter()
        for at in places:
            with self.subTest(at=at, error=errno.errorcode[error]):
                folder = self.new_inputs(4)
                log = self.folder / f"log{self.inputs}"
                done = self.go(folder, fault=f"{at} {error}", log=log)
                failed = [change for change in read_log(log) if change.error == error]
                what = str(failed[0]) if failed else "nothing"
                ends[done.returncode] += 1
                self.assertIn(done.returncode, (0, 8), f"{what}: {done.stderr}")
                if done.returncode == 0:
                    self.assertEqual(self.outcome(folder).problems(), [], what)
                else:
                    said = [json.loads(line) for line in done.stderr.splitlines()]
                    errors = [m for m in said if m["level"] == "error"]
                    self.assertEqual(len(errors), 1, f"{what}: {done.stderr}")
                    # SQLite tries a file that it cannot create in another way, and forgets a journal's errors.
                    if failed[0].op != "create" and failed[0].name != "ledger.db-journal":
                        self.assertIn(os.strerror(error), errors[0]["text"], what)
                    self.assertRegex(errors[0]["text"], "make room on the disk|repair the disk", what)
                self.go_on_to_the_end(folder)
        self.assertGreater(ends[8], len(places) // 2)
        return ends

    def test_a_full_disk_gives_8_and_the_next_run_completes(self):
        self.fail_each(errno.ENOSPC, range(0, self.count_changes(4), 1 if at_length else 2))

    def test_a_failing_disk_gives_8_and_the_next_run_completes(self):
        self.fail_each(errno.EIO, range(1, self.count_changes(4), 1 if at_length else 2))


class Unrecorded(Case):
    """Request ids that came when the ledger could not be written any more."""

    def test_they_are_taken_from_failures_and_never_lost_on_the_way(self):
        emulator = self.start_emulator("--latency", "fixed:4s")
        folder = self.write_documents(4)
        process = self.start("run", folder, "--out", self.out, "--doc-type", "invoice", "--parts", "images")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == 4)
        process.kill()
        process.wait()
        self.forget_requests()
        # What cannot be adopted stays: it is money.
        stranger = {"id": "elsewhere", "path": "/elsewhere.pdf", "class": "ledger_failed", "request_id": "r-unknown"}
        with open(self.out / "failures.jsonl", "a", encoding="utf-8") as lines:
            lines.write(json.dumps(stranger, separators=(",", ":")) + "\n")
        done = self.run_bulk(folder, "--parts", "images")
        self.assertEqual(len(self.results), 4, done.stderr)
        self.assertTrue(all(r["parts"] and not r["possible_duplicate"] for r in self.results))
        self.assertEqual(len(emulator.truth("accepted")), 4)
        self.assertEqual([f["request_id"] for f in self.failures], ["r-unknown"])
        self.assertEqual((self.report["done"], self.report["failed"]), (4, 0))

    def forget_requests(self):
        """As if no commit had succeeded after the intents: two of them were settled by another start since."""
        database = sqlite3.connect(self.out / "ledger.db")
        rows = database.execute("SELECT id, request_id, file_ids, lower(hex(sha256)) FROM document").fetchall()
        with open(self.out / "failures.jsonl", "a", encoding="utf-8") as lines:
            for name, request_id, file_ids, sha256 in rows:
                lines.write(json.dumps({"id": name, "path": name, "sha256": sha256, "class": "ledger_failed", "request_id": request_id,
                                        "file_ids": json.loads(file_ids), "attempts": 1}, separators=(",", ":")) + "\n")
        database.execute("UPDATE document SET state = 'intent', file_ids = NULL, submitted_at = NULL")
        database.execute("UPDATE document SET state = 'ambiguous', failure_class = 'ambiguous_submit' WHERE number < 3")
        database.execute("UPDATE document SET request_id = NULL")
        database.execute("DELETE FROM earlier_request")
        database.commit()
        database.close()


@unittest.skipUnless(os.geteuid() == 0, "mounting a small disk takes root")
class FullDisk(Case):
    def test_a_disk_that_is_really_full_gives_8_and_a_larger_one_completes(self):
        emulator = self.start_emulator("--latency", "fixed:20ms")
        folder = self.write_documents(1500)
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            self.skipTest(f"no small disk: {mounted.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        self.out = disk / "out"
        for _ in range(2):  # the second one finds it full
            full = self.run_bulk(folder)
            self.assert_exit(full, 8)
            self.assertIn("make room", full.stderr)
            self.assertNotIn("keep this line", full.stderr)
        self.assertGreater(len(emulator.truth("accepted")), 50)
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        done = self.run_bulk(folder)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        outcome = Outcome(self.out, documents_in(folder), emulator.truth("accepted"))
        self.assertEqual(outcome.problems(), [])
        self.assertEqual(outcome.accepted_twice, 0)
        # Those that were being sent had their answer, and their request_id found its way. Others were next in line, and are held although
        # they were not sent: that could not be recorded either.
        accepted_in_doubt = [path for path in outcome.failures if outcome.accepted[outcome.documents[path]]]
        self.assertEqual(accepted_in_doubt, [])


if __name__ == "__main__":
    workbench.main()
