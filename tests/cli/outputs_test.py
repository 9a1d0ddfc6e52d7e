"""What a run leaves behind: counts that add up, text files, what it says of growing files and of results that were moved away."""

import hashlib
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import unicodedata

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from scripted_service import Outputs, finished

COUNTS = ("found", "done", "failed", "unfinished", "not_sent", "repeated")


class Counts(Outputs):
    def assert_counts(self, run, **expected):
        """The equation holds wherever it is shown, and the numbers are the same everywhere."""
        report = {name: self.report[name] for name in COUNTS}
        status = json.loads(self.ocrpipe("status", self.out, "--json").stdout)
        self.assertEqual({name: status[name] for name in COUNTS}, report)
        self.assertEqual(status["documents"], sum(status["states"].values()))
        said = [o for o in map(json.loads, run.stderr.splitlines()) if o["event"] in ("progress", "run_finished")]
        self.assertEqual({name: said[-1][name] for name in COUNTS}, report)
        for counts in (*said, report, status):
            self.assertEqual(counts["found"], sum(counts[name] for name in COUNTS[1:]), counts)
        for name, value in expected.items():
            self.assertEqual(report[name], value, name)

    def manifest(self, *names):
        return self.write("list.jsonl", "".join(json.dumps({"path": f"in/{n}.pdf"}) + "\n" for n in names))

    def test_documents_listed_again_have_their_own_count_in_this_and_in_later_runs(self):
        self.serve("--latency", "fixed:20ms")
        self.write_documents(3)
        manifest = self.manifest("000", "001", "000", "002", "000", "001", "001")
        for _ in range(2):
            done = self.run_bulk(manifest)
            self.assert_exit(done, 0)
            self.assert_counts(done, found=7, done=3, repeated=4, failed=0, unfinished=0, not_sent=0)
            self.assertIn("3 of 3 done", done.stderr)
            self.assertIn("4 listed again", done.stderr)
        self.assertEqual(len(self.accepted), 3)
        self.assertIn("3  documents in all", self.ocrpipe("status", self.out).stdout)
        self.assert_exit(self.ocrpipe("report", self.out), 0)
        self.assertEqual((self.report["found"], self.report["repeated"]), (7, 4))

    def test_a_name_given_twice_on_the_command_line_and_on_standard_input(self):
        self.serve("--latency", "fixed:20ms")
        folder = self.write_documents(2)
        done = self.run_bulk(folder, folder / "000.pdf", "-", stdin=f"{folder}/001.pdf\n{folder}/001.pdf\n")
        self.assert_exit(done, 0)
        self.assert_counts(done, found=5, done=2, repeated=3)

    def test_a_run_with_other_inputs_counts_the_documents_of_earlier_runs_too(self):
        self.serve("--latency", "fixed:20ms")
        self.assert_exit(self.run_bulk(self.write_documents(3)), 0)
        done = self.run_bulk(self.write_documents(2, "other"))
        self.assert_exit(done, 0)
        self.assert_counts(done, found=5, done=5, repeated=0)

    def test_failed_documents_and_what_retry_makes_of_them(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed:count=2")
        self.write("in/empty.pdf", b"")
        done = self.run_bulk(self.write_documents(5))
        self.assert_exit(done, 1)
        self.assert_counts(done, found=5, done=3, failed=2)
        self.assertEqual(self.report["unreadable"], 1)
        done = self.ocrpipe("retry", self.out)
        self.assert_exit(done, 0)
        self.assert_counts(done, found=5, done=5, failed=0)

    def test_a_changed_file_and_an_id_of_two_documents_are_counted_once(self):
        self.serve("--latency", "fixed:20ms")
        folder = self.write_documents(2)
        self.assert_exit(self.run_bulk(folder), 0)
        self.write("in/000.pdf", "%PDF-1.4 another content")
        done = self.run_bulk(folder)
        self.assert_counts(done, found=2, done=2)
        done = self.run_bulk(self.write("more.jsonl", '{"path": "in/000.pdf", "id": "A"}\n{"path": "in/001.pdf", "id": "A"}\n'))
        self.assert_exit(done, 3)
        self.assert_counts(done, found=3, done=3, repeated=0)
        self.assertEqual(self.report["unreadable"], 1)

    def test_a_limit_on_documents(self):
        self.serve("--latency", "fixed:20ms")
        folder = self.write_documents(5)
        for expected, code in ((2, 5), (4, 5), (5, 0)):
            done = self.run_bulk(folder, "--max-documents", 2)
            self.assert_exit(done, code)
            self.assert_counts(done, found=expected, done=expected)

    def test_copies_are_done_and_listed_again_only_when_their_id_is(self):
        self.serve("--latency", "fixed:200ms")
        for name in "abc":
            self.write(f"in/{name}.pdf", "%PDF-1.4 the same")
        manifest = self.manifest("a", "b", "b", "c", "a")
        for _ in range(2):
            done = self.run_bulk(manifest, "--dedupe", "content")
            self.assert_exit(done, 0)
            self.assert_counts(done, found=5, done=3, repeated=2)
            self.assertEqual(self.report["copies"], 2)
        self.assertEqual(len(self.accepted), 1)

    def test_copies_that_wait_for_a_document_in_doubt_are_not_sent(self):
        self.serve("--latency", "fixed:20ms", "--fault", "reset-after-acceptance:count=1")
        for name in "abc":
            self.write(f"in/{name}.pdf", "%PDF-1.4 the same")
        manifest = self.manifest("a", "b", "c", "c")
        for _ in range(2):
            done = self.run_bulk(manifest, "--dedupe", "content")
            self.assert_exit(done, 1)
            self.assert_counts(done, found=4, done=0, failed=1, not_sent=2, repeated=1)
        self.assertEqual(len(self.accepted), 1)
        self.assertIn("2  more were found by the last run", self.ocrpipe("status", self.out).stdout)

    def test_jobs_that_an_interrupted_run_left_are_unfinished(self):
        self.serve("--fault", "endless-pending")
        folder = self.write_documents(3)
        process = self.start("run", folder, "--out", self.out, "--doc-type", "invoice", "--drain-timeout", "50ms")
        at_work = self.wait_for_event(process, "progress", lambda o: o["waiting"] == 3)
        self.assertEqual([at_work[name] for name in COUNTS], [3, 0, 0, 3, 0, 0])
        status = json.loads(self.ocrpipe("status", self.out, "--json").stdout)
        self.assertEqual([status[name] for name in COUNTS], [3, 0, 0, 3, 0, 0])
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=workbench.PATIENCE)
        done = subprocess.CompletedProcess([], process.returncode, output, errors)
        self.assert_exit(done, 143)
        self.assert_counts(done, found=3, unfinished=3)

    def test_jobs_of_an_earlier_run_are_in_the_display_from_the_beginning(self):
        emulator = self.serve("--latency", "fixed:2500ms")
        folder = self.write_documents(4)
        process = self.start("run", folder, "--out", self.out, "--doc-type", "invoice")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == 4)
        process.kill()
        process.wait()
        done = self.run_bulk(self.write_documents(1, "other"))
        self.assert_exit(done, 0)
        self.assert_counts(done, found=5, done=5)
        self.assertEqual(len(emulator.truth("accepted")), 5)

    def test_a_document_that_was_never_sent_keeps_later_runs_from_0_until_it_is(self):
        self.serve("--latency", "fixed:20ms")
        first = self.write_documents(2)
        done = self.run_bulk(first, env={"OCRPIPE_API_KEY": "sk-not-this-one"})
        self.assert_exit(done, 4)
        self.assertEqual(set(self.state_of("pdf")), {"new"})
        self.assertEqual(self.report["not_sent"], 2)
        done = self.run_bulk(self.write_documents(1, "other"))
        self.assert_exit(done, 1)
        self.assert_counts(done, found=3, done=1, not_sent=2)
        self.assertIn("ocrpipe retry", done.stderr)
        self.assertIn("2  new", self.ocrpipe("status", self.out).stdout)
        done = self.ocrpipe("retry", self.out)
        self.assert_exit(done, 0)
        self.assert_counts(done, found=3, done=3)


class Texts(Outputs):
    def texts(self):
        return {p.name: p.read_text(encoding="utf-8") for p in (self.out / "text").iterdir()}

    def test_text_files_keep_the_documents_names_in_any_script(self):
        self.script(finished(("total", "12")))
        names = ["hoá đơn tháng 3.pdf", "счёт №5.pdf", "請求書 (2).pdf", "فاتورة.pdf", "a+b,c & d'e.pdf",
                 unicodedata.normalize("NFD", "hoá đơn.pdf")]
        for i, name in enumerate(names):
            self.write(f"in/{name}", f"%PDF-1.4 {i}")
        self.assert_exit(self.run_bulk(self.folder / "in", "--text"), 0)
        for r in self.results:
            name = pathlib.Path(r["path"]).name
            digits = hashlib.sha256(r["id"].encode()).hexdigest()[:12]
            self.assertEqual(r["text"], f"text/{name}-{digits}.txt")
            self.assertEqual((self.out / r["text"]).read_text(encoding="utf-8"), "12")
        self.assertEqual(len(self.texts()), len(names))

    def test_names_that_would_deceive_or_not_fit_become_harmless(self):
        self.script(finished(("total", "12")))
        rows = [{"path": "in/a.pdf", "id": i} for i in (
            "gpj.\u202eexe", "a\u200bb", "..", "/", "-rf", "\ufeffx", "a\u2028b", "c:\\d|e?", "đ" * 300, "é" * 116 + "x",
            "\U0001f600" * 80, "tag\U000e0041", "in/..")]
        self.write("in/a.pdf")
        rows += [{"path": f"in/{name}"} for name in ("two\nlines.pdf", "\x7f.pdf", "-rf.pdf")]
        for row in rows[-3:]:
            self.write(row["path"], "%PDF-1.4 " + row["path"])
        manifest = self.write("m.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
        self.assert_exit(self.run_bulk(manifest, "--text"), 0)
        by_id = {r["id"]: pathlib.Path(r["text"]).name for r in self.results}
        self.assertEqual(len(set(by_id.values())), len(rows))
        for name in by_id.values():
            self.assertLessEqual(len(name.encode()), 255)
            self.assertFalse(name.startswith((".", "-")), name)
            self.assertFalse([c for c in name if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs", "Cn")], name)
            self.assertTrue((self.out / "text" / name).is_file())
        self.assertTrue(by_id["gpj.\u202eexe"].startswith("gpj._exe-"))
        self.assertTrue(by_id["c:\\d|e?"].startswith("c__d_e_-"))
        self.assertTrue(by_id["đ" * 300].startswith("đđđ"))

    def test_a_name_that_is_not_utf8_has_a_text_file(self):
        self.script(finished(("total", "12")))
        path = os.fsencode(self.folder / "in") + b"/caf\xe9.pdf"
        os.mkdir(self.folder / "in")
        with open(path, "wb") as file:
            file.write(b"%PDF-1.4 x")
        self.assert_exit(self.run_bulk(self.folder / "in", "--text"), 0)
        self.assertTrue(self.results[0]["text"].startswith("text/caf_.pdf-"))

    def test_a_run_without_text_names_none(self):
        self.script(finished(("total", "12")))
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        self.assertNotIn("text", self.results[0])

    def test_copies_of_equal_documents_have_their_own_text_file(self):
        self.serve("--latency", "fixed:200ms")
        for name in "abc":
            self.write(f"in/{name}.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content", "--text"), 0)
        self.write("in/late.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content", "--text"), 0)
        self.assertEqual(len(self.accepted), 1)
        self.assertEqual(len({r["text"] for r in self.results}), 4)
        for r in self.results:
            self.assertIn(pathlib.Path(r["path"]).name, r["text"])
        self.assertEqual(len(set(self.texts().values())), 1)
        self.assertTrue(all(self.texts().values()))

    def test_members_of_a_line_keep_their_order(self):
        self.script(finished(("total", "12")), part=lambda words: (200, {"rows": [["1"]]}))
        self.write("in/a.pdf", "%PDF-1.4 the same")
        self.write("in/b.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content", "--text", "--parts", "tables"), 0)
        first, copy = self.results
        order = ["id", "path", "sha256", "request_id", "status", "sent_at", "submitted_at", "last_pending_at", "ready_at", "finished_at", "attempts", "polls", "possible_duplicate",
                 "parts", "text", "result"]
        self.assertEqual(list(first), order)
        self.assertEqual(list(copy), order[:4] + ["duplicate_of"] + order[4:])
        self.assertEqual(copy["result"], first["result"])
        self.assertEqual(copy["parts"], first["parts"])


class Growing(Outputs):
    def grow_while_sent(self, content, **more):
        path = self.write("in/scan.pdf", content)

        def grow(number):
            if number == 1:
                with path.open("ab") as file:
                    file.write(b" and the rest")

        self.script(finished(("total", "12")) if not more else more["result"], on_submit=grow)
        return path

    def assert_read_again(self, path):
        done = self.run_bulk(self.folder / "in")
        self.assert_exit(done, 0)
        self.assertEqual(self.report["changed_files"], 0)
        self.assertEqual(self.results[-1]["sha256"], hashlib.sha256(path.read_bytes()).hexdigest())
        self.assertNotIn("file_changed", self.results[-1])

    def test_a_file_that_grows_while_it_is_sent_is_reported_marked_and_read_again(self):
        for size in (100, 400_000):  # held in memory, and read while it is sent
            self.out = self.folder / f"out{size}"
            path = self.grow_while_sent(b"%PDF-1.4 " + b"x" * size)
            done = self.run_bulk(self.folder / "in")
            self.assert_exit(done, 0)
            self.assertEqual([r.get("file_changed") for r in self.results], [True])
            self.assertEqual(self.report["changed_files"], 1)
            self.assertEqual([o["path"] for o in self.events(done, "file_changed")], [str(path)])
            self.assertIn("1 changed while being read", done.stderr)
            self.assert_read_again(path)

    def test_a_file_that_only_its_time_betrays_is_reported(self):
        path = self.write("in/scan.pdf")
        self.script(finished(("total", "12")), on_submit=lambda number: os.utime(path, (1, 1)))
        self.assert_exit(self.run_bulk(self.folder / "in"), 0)
        self.assertEqual(self.report["changed_files"], 1)

    def test_a_half_file_that_the_service_cannot_read_says_why(self):
        failed = {"data": {"status": "FAILED", "progress": {"total_doc": 1, "ignored": 0, "finished": 1}, "documents": []}}
        path = self.grow_while_sent(b"%PDF-1.4 half", result=failed)
        done = self.run_bulk(self.folder / "in")
        self.assert_exit(done, 1)
        self.assertEqual(self.report["changed_files"], 1)
        self.assertIn("modified after it was read", self.failures[0]["message"])
        self.url = self.script(finished(("total", "12"))).url
        done = self.run_bulk(self.folder / "in", "--accept-changes")
        self.assert_exit(done, 0)
        self.assertEqual(self.results[-1]["sha256"], hashlib.sha256(path.read_bytes()).hexdigest())

    def test_files_that_stay_or_go_are_not_reported(self):
        folder = self.write_documents(3)
        self.script(finished(("total", "12")), on_submit=lambda number: (folder / "001.pdf").unlink(missing_ok=True))
        done = self.run_bulk(folder, "--max-inflight", 1)
        self.assertEqual(self.report["changed_files"], 0)
        self.assertEqual(self.events(done, "file_changed"), [])


class Archived(Outputs):
    def archive(self, name="results-00001.jsonl"):
        target = self.folder / "archive"
        target.mkdir(exist_ok=True)
        (self.out / name).rename(target / name)
        return target / name

    def test_a_run_goes_on_in_the_next_file_and_names_the_missing_one(self):
        self.serve("--latency", "fixed:20ms")
        folder = self.write_documents(2)
        self.assert_exit(self.run_bulk(folder), 0)
        self.archive()
        self.write_documents(3)
        for _ in range(2):
            done = self.run_bulk(folder)
            self.assert_exit(done, 0)
            self.assertIn("results-00001.jsonl", self.events(done, "results_moved_away")[0]["text"])
            self.assertFalse((self.out / "results-00001.jsonl").exists())
            self.assertEqual(len(self.lines_of("results-00002.jsonl")), 1)
        self.assertEqual(len(self.accepted), 3)
        self.archive("results-00002.jsonl")
        self.write_documents(4)
        done = self.run_bulk(folder)
        self.assert_exit(done, 0)
        self.assertIn("results-00001.jsonl, results-00002.jsonl", done.stderr)
        self.assertEqual(len(self.lines_of("results-00003.jsonl")), 1)
        self.assertEqual((self.report["done"], len(self.accepted)), (4, 4))

    def test_a_number_is_not_used_again_when_nothing_was_written_into_its_file(self):
        self.serve("--latency", "fixed:20ms")
        folder = self.write_documents(1)
        self.assert_exit(self.run_bulk(folder), 0)
        kept = self.archive()
        for _ in range(2):
            self.assert_exit(self.run_bulk(folder), 0)
        kept.rename(self.out / kept.name)
        done = self.run_bulk(self.write_documents(2))
        self.assert_exit(done, 0)
        self.assertEqual(self.events(done, "results_moved_away"), [])
        ids = [r["id"] for n in (1, 2) for r in self.lines_of(f"results-0000{n}.jsonl")]
        self.assertEqual((len(ids), len(set(ids))), (2, 2))

    def test_a_file_that_is_there_but_cut_is_refused_with_8(self):
        self.serve("--latency", "fixed:20ms")
        folder = self.write_documents(2)
        self.assert_exit(self.run_bulk(folder), 0)
        path = self.out / "results-00001.jsonl"
        for damage in (b"", path.read_bytes()[:-5]):
            path.write_bytes(damage)
            self.assert_exit(self.run_bulk(folder), 8)
            self.assertEqual(path.read_bytes(), damage)
            self.assertEqual(sorted(p.name for p in self.out.glob("results-*")), ["results-00001.jsonl"])

    def test_copies_of_a_document_whose_result_was_moved_away_are_not_sent_until_it_is_back(self):
        self.serve("--latency", "fixed:20ms")
        self.write("in/a.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 0)
        kept = self.archive()
        self.write("in/b.pdf", "%PDF-1.4 the same")
        self.write("in/c.pdf", "%PDF-1.4 another")
        for _ in range(2):
            done = self.run_bulk(self.folder / "in", "--dedupe", "content")
            self.assert_exit(done, 1)
            self.assertIn("restore", self.events(done, "copy_not_sent")[0]["text"])
            self.assertIn("b.pdf", self.events(done, "copy_not_sent")[0]["text"])
            self.assertEqual((self.report["found"], self.report["done"], self.report["not_sent"]), (3, 2, 1))
        kept.rename(self.out / kept.name)
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 0)
        self.assertEqual(len(self.accepted), 2)
        self.assertEqual(self.report["copies"], 1)

    def test_later_files_without_their_ledger_are_refused_and_not_touched(self):
        self.serve("--latency", "fixed:20ms")
        folder = self.write_documents(1)
        self.assert_exit(self.run_bulk(folder), 0)
        self.archive()
        self.assert_exit(self.run_bulk(self.write_documents(2)), 0)
        for path in self.out.glob("ledger*"):
            path.unlink()
        before = (self.out / "results-00002.jsonl").read_bytes()
        self.assertTrue(before)
        done = self.run_bulk(folder)
        self.assert_exit(done, 2)
        self.assertIn("results-00002.jsonl", done.stderr)
        self.assertEqual((self.out / "results-00002.jsonl").read_bytes(), before)

    def test_a_deep_result_that_a_killed_run_did_not_record_is_kept(self):
        deep = json.loads("[" * 55 + '"deep"' + "]" * 55)
        answer = finished(("total", "12"))
        answer["data"]["extra"] = deep
        service = self.script(answer)
        folder = self.write_documents(1)
        self.assert_exit(self.run_bulk(folder), 0)
        before = (self.out / "results-00001.jsonl").read_bytes()
        database = sqlite3.connect(self.out / "ledger.db")
        database.execute("UPDATE document SET state = 'submitted', result_file = NULL, result_offset = NULL, result_length = NULL, "
                         "finished_at = NULL")
        database.commit()
        database.close()
        asked = len(service.requests)
        self.assert_exit(self.run_bulk(folder), 0)
        self.assertEqual(len(service.requests), asked)
        self.assertEqual((self.out / "results-00001.jsonl").read_bytes(), before)
        self.assertEqual(self.report["done"], 1)


if __name__ == "__main__":
    workbench.main()
