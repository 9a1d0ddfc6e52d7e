"""`ocrpipe export`: files that are made of results later."""

import csv
import io
import json
import pathlib
import signal
import subprocess
import sys
import threading

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from scripted_service import Outputs, finished


class Export(Outputs):
    OFFLINE = {"OCRPIPE_API_KEY": None, "OCRPIPE_PORTAL_USER_ID": None, "OCRPIPE_BASE_URL": "http://127.0.0.1:9"}

    def table(self, *arguments):
        done = self.export("--csv", *arguments, env=self.OFFLINE)
        return done, list(csv.DictReader(io.StringIO(done.stdout.removeprefix("\ufeff"), newline="")))

    def test_text_is_made_later_as_the_run_would_have_made_it(self):
        self.serve("--latency", "fixed:20ms")
        self.write("in/hoá đơn.pdf", "%PDF-1.4 one")
        self.write("in/a.pdf", "%PDF-1.4 two")
        self.write("in/copy.pdf", "%PDF-1.4 two")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 0)
        done = self.export("--text", env=self.OFFLINE)
        self.assert_exit(done, 0)
        self.assertEqual(done.stdout, f"{self.out}/exported-text.jsonl\n")
        made = {p.name: p.read_bytes() for p in (self.out / "text").iterdir()}
        self.assertEqual(len(made), 3)
        for line in self.lines_of("exported-text.jsonl"):
            self.assertEqual(list(line), ["id", "path", "request_id", "text"])
            self.assertIn(pathlib.Path(line["path"]).name, line["text"])
            self.assertTrue((self.out / line["text"]).is_file())
        first = self.out
        self.out = self.folder / "again"
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content", "--text"), 0)
        self.assertEqual({p.name for p in (self.out / "text").iterdir()}, set(made))
        self.assertTrue(all(made.values()))
        for path in first.rglob("*"):
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_the_last_result_of_a_document_counts(self):
        answers = {"r-1": "old", "r-2": "new", "r-3": "other"}
        self.script(lambda request_id: finished(("total", answers[request_id])))
        folder = self.write_documents(1)
        self.assert_exit(self.run_bulk(folder), 0)
        self.write("in/000.pdf", "%PDF-1.4 another content")
        self.assert_exit(self.run_bulk(folder), 0)
        self.assert_exit(self.export("--text", env=self.OFFLINE), 0)
        self.assertEqual([p.read_text() for p in (self.out / "text").iterdir()], ["new"])
        done, rows = self.table()
        self.assert_exit(done, 0)
        self.assertEqual([(r["request_id"], r["total"]) for r in rows], [("r-2", "new")])

    def test_a_line_without_its_end_is_not_there_yet_and_one_that_is_none_is_said(self):
        self.script(finished(("total", "12")))
        self.assert_exit(self.run_bulk(self.write_documents(2)), 0)
        path = self.out / "results-00001.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole + b'{"id":"torn","path":"x","resu')
        done, rows = self.table()
        self.assert_exit(done, 0)
        self.assertEqual(len(rows), 2)
        path.write_bytes(b"not JSON\n" + whole)
        done, rows = self.table()
        self.assert_exit(done, 1)
        self.assertIn("1 lines", done.stderr)
        self.assertEqual(len(rows), 2)

    def test_results_that_were_moved_away_are_named_and_the_others_exported(self):
        self.script(finished(("total", "12")))
        folder = self.write_documents(1)
        self.assert_exit(self.run_bulk(folder), 0)
        (self.out / "results-00001.jsonl").rename(self.folder / "kept.jsonl")
        done = self.export("--text", env=self.OFFLINE)
        self.assert_exit(done, 1)
        self.assertIn("results-00001.jsonl", done.stderr)
        self.assert_exit(self.run_bulk(self.write_documents(2)), 0)
        done, rows = self.table()
        self.assert_exit(done, 1)
        self.assertIn("results-00001.jsonl is not in", done.stderr)
        self.assertEqual(len(rows), 1)

    def test_results_without_a_ledger_are_exported_too(self):
        self.script(finished(("total", "12")))
        self.assert_exit(self.run_bulk(self.write_documents(2)), 0)
        for path in self.out.glob("ledger*"):
            path.unlink()
        done, rows = self.table()
        self.assert_exit(done, 0)
        self.assertEqual(len(rows), 2)

    def test_the_table_has_a_row_a_document_and_a_column_a_field(self):
        documents = [
            {"document_id": "d-1", "document_type": "invoice", "status": "SUCCESS",
             "ocr_data": [{"name": "seller", "value": ["Nhà sách, \"Hà Nội\""]}, {"name": "total", "value": ["-12.50", "+84 912 345 678"]},
                          {"name": "status", "value": ["paid"]}]},
            {"document_id": "d-2", "document_type": "receipt", "status": "SUCCESS",
             "ocr_data": [{"name": "total", "value": [{"name": "total", "extracted_value": "=1+1"}]}, {"name": "note", "value": ["two\nlines"]},
                          {"name": "@risk", "value": ["-2+3"]}]}]
        self.script({"data": {"status": "SUCCESS", "progress": {"total_doc": 2, "ignored": 0, "finished": 2}, "documents": documents}})
        self.write("in/hoá đơn.pdf")
        self.assert_exit(self.run_bulk(self.folder / "in"), 0)
        path = self.out / "results.csv"
        done = self.export("--csv", "-o", path, env=self.OFFLINE)
        self.assert_exit(done, 0)
        self.assertEqual(done.stdout, "")
        document = self.folder / "in" / "hoá đơn.pdf"
        self.assertEqual(path.read_bytes().decode(), (
            "\ufeffpath,id,request_id,status,recognized,document,document_id,document_type,text,seller,total,field.status,note,'@risk\r\n"
            f'{document},{document},r-1,done,yes,1,d-1,invoice,,"Nhà sách, ""Hà Nội""",-12.50; +84 912 345 678,paid,,\r\n'
            f"{document},{document},r-1,done,yes,2,d-2,receipt,,,'=1+1,,\"two\nlines\",'-2+3\r\n").replace(
                "-12.50; +84", "'-12.50; +84"))

    def test_a_table_of_results_without_fields_has_their_text(self):
        self.script(finished(("text", "line one", "line two"), ("words", "line", "one")))
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        done, rows = self.table()
        self.assertTrue(done.stdout.startswith("\ufeffpath,"))
        self.assertEqual(rows[0]["text"].replace("\r\n", "\n"), "line one\nline two")
        self.assertNotIn("words", rows[0])

    def test_fields_that_occur_again_are_joined_and_too_many_names_share_a_column(self):
        self.script(finished(("tax", "1", "2"), ("tax", "3"), *((f"f{i:04}", str(i)) for i in range(2001))))
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        done, rows = self.table()
        self.assert_exit(done, 0)
        self.assertEqual(rows[0]["tax"], "1; 2; 3")
        self.assertEqual(rows[0]["f1998"], "1998")
        self.assertEqual(rows[0]["other_fields"], "f1999: 1999; f2000: 2000")
        self.assertIn("other_fields", done.stderr)

    def test_a_reader_that_has_enough_is_no_error(self):
        self.script(finished(("total", "x" * 50_000)))
        self.assert_exit(self.run_bulk(self.write_documents(30)), 0)
        done = subprocess.run(["bash", "-c", 'set -o pipefail; "$0" export "$1" --csv | head -c 8', workbench.binary, str(self.out)],
                              capture_output=True, env=self.environment(), timeout=workbench.PATIENCE)
        self.assertEqual((done.returncode, done.stdout), (0, "\ufeffpath,".encode()), done.stderr)

    def test_a_file_that_was_there_stays_until_the_new_table_is_whole(self):
        self.script(finished(("total", "12")))
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        path = self.write("results.csv", "old")
        self.assert_exit(self.export("--csv", "--out", path, env=self.OFFLINE), 0)
        self.assertTrue(path.read_text(encoding="utf-8").startswith("\ufeffpath,"))
        self.assertEqual([p.name for p in self.folder.iterdir() if p.name.endswith(".tmp")], [])

    def test_parts_go_on_after_an_interrupt(self):
        started = threading.Event()
        exporting = []

        def part(words):
            started.wait(workbench.PATIENCE)
            if exporting:
                exporting.pop().send_signal(signal.SIGINT)
            return 200, {"rows": [["1"]]}

        self.script(lambda request_id: finished(documents=[
            {"document_id": "d-" + request_id[2:], "status": "SUCCESS", "ocr_data": [{"name": "n", "value": ["1"]}]}]), part=part)
        self.assert_exit(self.run_bulk(self.write_documents(200)), 0)
        process = self.start("export", self.out, "--parts", "tables")
        exporting.append(process)
        started.set()
        _, errors = process.communicate(timeout=workbench.PATIENCE)
        self.assertEqual(process.returncode, 130, errors)
        self.assertLess(len(self.lines_of("exported-parts.jsonl")), 200)
        self.assert_exit(self.export("--parts", "tables"), 0)
        lines = self.lines_of("exported-parts.jsonl")
        self.assertEqual((len(lines), len({l["id"] for l in lines})), (200, 200))

    def test_parts_are_fetched_later_and_nothing_is_sent(self):
        self.serve("--latency", "fixed:20ms")
        for i in range(3):
            self.write(f"in/{i}.pdf", f"%PDF-1.4 {i}")
        self.write("in/copy.pdf", "%PDF-1.4 1")
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content"), 0)
        for _ in range(2):
            done = self.export("--parts", "tables,images")
            self.assert_exit(done, 0)
            lines = self.lines_of("exported-parts.jsonl")
            self.assertEqual(done.stdout, f"{self.out}/exported-parts.jsonl\n")
            self.assertEqual(len({(l["id"], l["kind"]) for l in lines}), 8)
            self.assertEqual(len(lines), len({json.dumps(l) for l in lines}))
            for l in lines:
                self.assertTrue((self.out / l["file"]).stat().st_size)
        self.assertEqual(len(self.accepted), 3)
        made = {p.relative_to(self.out): p.read_bytes() for p in (self.out / "parts").rglob("*") if p.is_file()}
        self.out = self.folder / "again"
        self.assert_exit(self.run_bulk(self.folder / "in", "--dedupe", "content", "--parts", "tables,images"), 0)
        self.assertEqual({p.relative_to(self.out) for p in (self.out / "parts").rglob("*") if p.is_file()}, set(made))

    def test_parts_that_are_there_are_not_fetched_and_those_that_failed_are_named(self):
        broken = {"d-1"}
        service = self.script(lambda request_id: finished(documents=[
            {"document_id": "d-" + request_id[2:], "status": "SUCCESS", "ocr_data": [{"name": "n", "value": ["1"]}]}]),
            part=lambda words: (422, {"message": "no"}) if words[2] in broken else (200, {"rows": [["1"]]}))
        folder = self.write_documents(3)
        self.assert_exit(self.run_bulk(folder), 0)
        done = self.export("--parts", "tables")
        self.assert_exit(done, 1)
        failed = next(r["path"] for r in self.results if r["request_id"] == "r-1")
        self.assertIn(failed, done.stderr)
        self.assertEqual(len(self.lines_of("exported-parts.jsonl")), 2)
        broken.clear()
        service.requests.clear()
        self.assert_exit(self.export("--parts", "tables"), 0)
        self.assertEqual([r.split("/ingest/")[1] for r in service.requests], ["table/r-1/d-1"])
        service.requests.clear()
        self.assert_exit(self.export("--parts", "tables"), 0)
        self.assertEqual(service.requests, [])
        self.assertEqual(len(self.lines_of("exported-parts.jsonl")), 3)

    def test_a_table_never_takes_the_place_of_a_file_of_the_run(self):
        self.script(finished(("total", "12")))
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        before = {path.name: path.read_bytes() for path in self.out.iterdir() if path.is_file()}
        for name in ("results-00001.jsonl", "results-00002.jsonl", "ledger.db", "failures.jsonl", "report.json"):
            done = self.export("--csv", "-o", self.out / name)
            self.assert_exit(done, 2)
            self.assertIn(name, done.stderr)
        after = {path.name: path.read_bytes() for path in self.out.iterdir() if path.is_file()}
        self.assertEqual({n: before[n] for n in ("results-00001.jsonl", "report.json")},
                         {n: after[n] for n in ("results-00001.jsonl", "report.json")})
        self.assertNotIn("results-00002.jsonl", after)
        self.assert_exit(self.export("--csv", "-o", self.out / "march.csv"), 0)

    def test_a_refused_key_ends_the_export_with_4(self):
        self.serve("--latency", "fixed:20ms")
        self.assert_exit(self.run_bulk(self.write_documents(30)), 0)
        done = self.export("--parts", "tables", env={"OCRPIPE_API_KEY": "sk-not-this-one"})
        self.assert_exit(done, 4)
        self.assertIn("OCRPIPE_PORTAL_USER_ID", done.stderr)
        self.assertNotIn("sk-not-this-one", done.stderr)

    def test_it_works_beside_a_run(self):
        self.serve("--latency", "fixed:20ms")
        self.assert_exit(self.run_bulk(self.write_documents(2)), 0)
        self.emulator.close()
        self.serve("--fault", "endless-pending")
        process = self.start("run", self.write_documents(3), "--out", self.out, "--doc-type", "invoice", "--accept-changes")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] >= 1)
        done, rows = self.table()
        self.assert_exit(done, 0)
        self.assertGreaterEqual(len(rows), 2)

    def test_usage(self):
        self.script(finished(("total", "12")))
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        for wrong in ((), ("--text", "--csv"), ("--text", "-o", "x"), ("--parts", "nonsense"), ("--parts", "")):
            self.assert_exit(self.export(*wrong), 2)
        done = self.ocrpipe("export", self.folder / "nowhere", "--text")
        self.assert_exit(done, 2)
        self.assertIn("there is no run in this directory", done.stderr)
        self.assert_exit(self.export("--csv", "-o", self.folder / "no" / "such" / "folder.csv", env=self.OFFLINE), 8)
        for file in self.out.glob("results-*"):
            self.assertEqual(len(file.read_text().splitlines()), 1)

    def test_a_directory_without_a_result_gives_3(self):
        self.serve("--latency", "fixed:20ms", "--fault", "job-failed")
        self.assert_exit(self.run_bulk(self.write_documents(1)), 1)
        done = self.export("--csv", env=self.OFFLINE)
        self.assert_exit(done, 3)
        self.assertIn("no result", done.stderr)

    def test_a_second_run_with_text_or_parts_names_the_export(self):
        self.script(finished(("total", "12")), part=lambda words: (200, {"rows": [["1"]]}))
        folder = self.write_documents(1)
        self.assert_exit(self.run_bulk(folder), 0)
        for options, command in ((("--text",), "--text"), (("--parts", "tables"), "--parts table")):
            done = self.run_bulk(folder, *options)
            self.assert_exit(done, 4)
            self.assertIn(f"ocrpipe export {self.out} {command}", done.stderr)
        done = self.run_bulk(folder, "--text", "--accept-changes")
        self.assert_exit(done, 0)
        self.assertIn(f"ocrpipe export {self.out} --text", self.events(done, "configuration_changed")[0]["text"])
        self.assert_exit(self.export("--text", env=self.OFFLINE), 0)

    def test_a_profile_decides_what_the_text_is(self):
        self.script({"data": {"status": "SUCCESS", "progress": {"total_doc": 1, "ignored": 0, "finished": 1},
                              "documents": [{"document_id": "d-1", "status": "SUCCESS",
                                             "ocr_data": [{"name": "n", "value": [{"extracted_value": "a", "corrected": "b"}]}]}]}})
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        self.assert_exit(self.export("--text", "--profile", self.folder / "missing.json", env=self.OFFLINE), 2)


if __name__ == "__main__":
    workbench.main()
