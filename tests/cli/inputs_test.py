"""Inputs that people have, on the real binary: CSV as other programs write it, links, growing files, names in other forms, nothing at all."""

import json
import os
import subprocess
import sys
import unicodedata

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Runs


class Manifests(Runs):
    def setUp(self):
        super().setUp()
        self.serve()
        self.write_documents(4, "docs")
        self.runs = 0

    def run_list(self, *manifests, folder=None):
        """A run with a directory of its own; what it sent, by file name."""
        self.out = folder or self.folder / f"out{self.runs}"
        self.runs += 1
        before = len(self.emulator.truth("accepted"))
        done = self.ocrpipe("run", *manifests, "--out", self.out, "--doc-type", "default")
        sent = {a["file_name"]: a["doc_type"] for a in self.emulator.truth("accepted")[before:]}
        return done, sent

    def test_csv_as_other_programs_write_it_is_read(self):
        rows = [("path", "doc_type"), ("docs/000.pdf", "invoice"), ("docs/001.pdf", "")]

        def table(separator, end, quote=""):
            return "".join(separator.join(quote + field + quote for field in row) + end for row in rows)

        for text in (table(";", "\r\n"), table("\t", "\n"), table("|", "\n"), table(",", "\r"), table(";", "\r"),
                     "sep=;\r\n" + table(";", "\r\n"), "sep=,\n" + table(",", "\n"), table(";", "\r\n", '"'),
                     table(", ", "\n", '"'), "\ufeff" + table(";", "\n"), table(",", "\n") + ",\n\n  \n , \n",
                     " Path , DOC_TYPE \ndocs/000.pdf,invoice\ndocs/001.pdf\n"):
            with self.subTest(text=text):
                done, sent = self.run_list(self.write("list.csv", text))
                self.assert_exit(done, 0)
                self.assertEqual(sent, {"000.pdf": "invoice", "001.pdf": "default"})
        for encoding, name in (("utf-16-le", "list.csv"), ("utf-16-be", "list.tsv")):
            done, sent = self.run_list(self.write(name, ("\ufeff" + table("\t", "\r\n")).encode(encoding)))
            self.assert_exit(done, 0)
            self.assertEqual(sent, {"000.pdf": "invoice", "001.pdf": "default"})
        lines = '{"path": "docs/000.pdf", "doc_type": "invoice"}\r{"path": "docs/001.pdf"}\r'
        for content in (lines, ("\ufeff" + lines).encode("utf-16-le")):
            done, sent = self.run_list(self.write("list.jsonl", content))
            self.assert_exit(done, 0)
            self.assertEqual(sent, {"000.pdf": "invoice", "001.pdf": "default"})

    def test_names_on_standard_input_in_utf16_or_with_cr_are_read(self):
        text = "docs/000.pdf\r\ndocs/001.pdf\r\n"
        for i, content in enumerate((("\ufeff" + text).encode("utf-16-le"), text.replace("\n", "").encode())):
            self.out = self.folder / f"out{i}"
            # Not through ocrpipe(), which takes text.
            done = subprocess.run([workbench.binary, "run", "-", "--out", self.out, "--doc-type", "invoice"], input=content,
                                  capture_output=True, timeout=workbench.PATIENCE, env=self.environment(), cwd=self.folder)
            self.assert_exit(done, 0)
            self.assertEqual({os.path.basename(r["path"]) for r in self.results}, {"000.pdf", "001.pdf"})

    def test_a_row_with_more_fields_than_columns_is_a_problem_unless_they_are_blank(self):
        done, sent = self.run_list(self.write("list.csv", "path,doc_type\ndocs/000.pdf,a,,\ndocs/001.pdf,b,c\ndocs/002.pdf,d\n"))
        self.assert_exit(done, 3)
        self.assertEqual(sent, {"000.pdf": "a", "002.pdf": "d"})
        self.assertEqual([f["message"] for f in self.failures],
                         ['3 fields, but the header names 2: put a field that contains "," in double quotes'])

    def test_a_file_that_is_no_manifest_is_refused_with_what_it_looks_like(self):
        for name, content, reason in (
                ("book.csv", b"PK\x03\x04\x14\x00\x06\x00", "an Excel or LibreOffice workbook"),
                ("old.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel"),
                ("scan.csv", b"%PDF-1.7\n", "a PDF"),
                ("page.jsonl", b"<!DOCTYPE html>", "web page"),
                ("wide.csv", "path,id\ndocs/000.pdf,1\n".encode("utf-16-le"), "UTF-16"),
                ("rows.csv", b'{"path": "docs/000.pdf"}\n', ".jsonl"),
                ("table.jsonl", b"path,id\ndocs/000.pdf,1\n", ".csv"),
                ("list.jsonl", b'[{"path": "docs/000.pdf"}]', "one JSON array"),
                ("packed.csv", b"\x1f\x8b\x08", "compressed"),
                ("columns.csv", b"Datei;Typ\ndocs/000.pdf;a\n", "only: Datei, Typ"),
                ("file.csv", b"file;note\ndocs/000.pdf;a\n", "rename the column file to path"),
                ("vietnamese.csv", "đường dẫn;số\ndocs/000.pdf;1\n".encode(), "rename the column đường dẫn to path"),
                ("empty.csv", b"", "no header"),
                ("latin.csv", "path\nhóa.pdf\n".encode("latin-1"), "save that list as UTF-8")):
            with self.subTest(name=name):
                done, sent = self.run_list(self.write(name, content))
                self.assert_exit(done, 3)
                self.assertEqual(sent, {})
                self.assertEqual(len(self.failures), 1)
                self.assertIn(reason, self.failures[0]["message"])
                self.assertIn(reason, done.stderr)

    def test_unknown_columns_are_reported_once_and_the_run_goes_on(self):
        table = self.write("list.csv", "path,note,amount\ndocs/000.pdf,x,1\ndocs/001.pdf,y,2\n")
        lines = self.write("list.jsonl", '{"path": "docs/002.pdf", "color": "red"}\n{"path": "docs/003.pdf"}\n')
        done, sent = self.run_list(table, lines)
        self.assert_exit(done, 0)
        self.assertEqual(len(sent), 4)
        said = [e["text"] for e in map(json.loads, done.stderr.splitlines()) if e["event"] == "unknown_columns"]
        self.assertEqual(len(said), 2)
        self.assertIn("list.csv: these columns are not used: amount, note;", said[0])
        self.assertIn("list.jsonl: these keys are not used: color (in 1 of 2 rows);", said[1])

    def test_failures_of_another_run_have_no_unknown_keys(self):
        broken = self.write("docs/broken.txt", "no document")
        done, _ = self.run_list(broken, self.folder / "missing.pdf")
        self.assert_exit(done, 1)
        done, _ = self.run_list(self.out / "failures.jsonl")
        self.assertNotIn("unknown_columns", done.stderr)
        self.assertNotIn("resembles", done.stderr)

    def test_a_column_that_resembles_a_known_one_stops_the_run_before_anything_is_sent(self):
        good = self.write("good.csv", "path\ndocs/000.pdf\n")
        for name in ("doctype", "docType", "doc-type", "Doc Type", "doc_tpye", "document_type", "file type", "filetype", "flow_id",
                     "type", "loại tài liệu"):
            for manifest in (self.write("bad.csv", f"path;{name}\ndocs/001.pdf;receipt\n"),
                             self.write("bad.jsonl", json.dumps({"path": "docs/002.pdf"}) + "\n"
                                        + json.dumps({"path": "docs/001.pdf", name: "receipt"}) + "\n")):
                with self.subTest(name=name, manifest=manifest.name):
                    done, sent = self.run_list(good, manifest)
                    self.assert_exit(done, 2)
                    self.assertEqual(sent, {})
                    self.assertFalse(self.out.exists())
                    self.assertIn(f"{name} is unknown and resembles ", done.stderr)
                    self.assertIn("bad.", done.stderr)

class Links(Runs):
    def make_ring(self):
        """Six directories with a file each that link to each other."""
        for i in range(6):
            self.write(f"ring/d{i}/{i}.pdf", f"%PDF-1.4 number {i}")
            for k in range(6):
                if k != i:
                    (self.folder / f"ring/d{i}/to{k}").symlink_to(f"../d{k}")
        return self.folder / "ring"

    def test_six_directories_that_link_to_each_other_cost_six_submits(self):
        self.serve()
        ring = self.make_ring()
        done = self.run_bulk(ring)
        self.assert_exit(done, 0)
        self.assertEqual(len(self.accepted), 6)
        self.assertEqual(self.report["links_skipped"], 30)
        self.assertIn("symbolic links skipped: 30", done.stderr)
        # The same documents are known by the same names with the option: nothing is paid for again.
        self.assert_exit(self.run_bulk(ring, "--follow-links"), 0)
        self.assertEqual(len(self.accepted), 6)
        self.out = self.folder / "out2"
        self.assert_exit(self.run_bulk(ring, "--follow-links"), 0)
        self.assertEqual(len(self.accepted), 12)
        self.out = self.folder / "out3"
        self.assert_exit(self.run_bulk(ring / "d0", "--follow-links"), 0)
        self.assertEqual(len(self.accepted), 18)
        self.out = self.folder / "out4"
        self.assert_exit(self.run_bulk(ring / "d0"), 0)
        self.assertEqual(len(self.accepted), 19)
        self.assertEqual(self.report["links_skipped"], 5)

    def test_links_out_of_the_tree_are_followed_only_when_asked(self):
        self.serve()
        self.write("elsewhere/folder/a.pdf", "%PDF-1.4 a")
        self.write("elsewhere/b.pdf", "%PDF-1.4 b")
        folder = self.write_documents(1)
        (folder / "folder").symlink_to(self.folder / "elsewhere/folder")
        (folder / "b.pdf").symlink_to(self.folder / "elsewhere/b.pdf")
        (folder / "twice.pdf").symlink_to(self.folder / "elsewhere/b.pdf")
        (folder / "same.pdf").symlink_to("000.pdf")
        done = self.run_bulk(folder, "--log-format", "human")
        self.assert_exit(done, 0)
        self.assertEqual([os.path.basename(r["path"]) for r in self.results], ["000.pdf"])
        self.assertEqual(self.report["links_skipped"], 4)
        self.assertIn("symbolic links skipped: 4, to something that is read anyway: 1, to directories, or out of the inputs: 3; "
                      "give --follow-links to follow them", done.stderr)
        done = self.run_bulk(folder, env={"OCRPIPE_FOLLOW_LINKS": "1"})
        self.assert_exit(done, 0)
        self.assertEqual(sorted(os.path.relpath(r["path"], folder) for r in self.results), ["000.pdf", "b.pdf", "folder/a.pdf"])
        self.assertEqual(len(self.accepted), 3)
        self.assertEqual(self.report["links_skipped"], 2)

    def test_a_directory_below_another_input_is_read_once(self):
        self.serve()
        self.write("in/below/a.pdf", "%PDF-1.4 a")
        self.write("in/b.pdf", "%PDF-1.4 b")
        done = self.run_bulk("in/below", self.folder / "in", "in/below")
        self.assert_exit(done, 0)
        self.assertEqual(len(self.accepted), 2)
        self.assertIn('"event":"directories_repeated"', done.stderr)
        self.assertIn('"event":"directory_repeated"', done.stderr)

    def test_an_input_that_is_a_link_is_followed(self):
        self.serve()
        self.write_documents(2)
        (self.folder / "link").symlink_to("in")
        self.assert_exit(self.run_bulk("link"), 0)
        self.assertEqual(len(self.accepted), 2)


class Growing(Runs):
    def test_young_files_are_skipped_with_3_and_found_by_the_next_run(self):
        self.serve()
        folder = self.write_documents(3)
        for name in ("000.pdf", "001.pdf"):
            os.utime(folder / name, (1_600_000_000, 1_600_000_000))
        done = self.run_bulk(folder, "--min-age", "10d")
        self.assert_exit(done, 3)
        self.assertEqual(len(self.accepted), 2)
        self.assertEqual(self.report["too_young"], 1)
        self.assertEqual(self.failures, [])
        said = [e for e in map(json.loads, done.stderr.splitlines()) if e["event"] == "too_young"]
        self.assertEqual([e["too_young"] for e in said], [1])
        self.assertIn("modified less than 10d00h ago and may be incomplete: 1;", said[0]["text"])
        os.utime(folder / "002.pdf", (1_600_000_000, 1_600_000_000))
        self.assert_exit(self.run_bulk(folder, "--min-age", "10d"), 0)
        self.assertEqual(len(self.accepted), 3)
        self.assertEqual(self.report["too_young"], 0)

    def test_names_manifests_and_single_files_have_an_age_too(self):
        self.serve()
        folder = self.write_documents(1)
        manifest = self.write("list.csv", "path\nin/000.pdf\n")
        for i, (given, stdin) in enumerate(((manifest, ""), (folder / "000.pdf", ""), ("-", f"{folder}/000.pdf\n"))):
            self.out = self.folder / f"out{i}"
            self.assert_exit(self.run_bulk(given, "--min-age", "10d", stdin=stdin), 3)
            self.assertEqual(self.report["too_young"], 1)
        self.assertEqual(self.accepted, [])

    def test_an_age_that_makes_no_sense_is_refused(self):
        done = self.run_bulk(self.write_documents(1), "--min-age", "soon")
        self.assert_exit(done, 2)
        self.assertIn("--min-age", done.stderr)


class UnicodeForms(Runs):
    def test_inputs_rows_and_names_in_another_form_are_found(self):
        self.serve()
        composed = "hoá đơn/bảng ậ.pdf"
        forms = [unicodedata.normalize(form, composed) for form in ("NFC", "NFD")]
        sent = 0
        for i, (disk, typed) in enumerate((forms, reversed(forms))):
            path = self.write(f"tree{i}/{disk}", f"%PDF-1.4 {i}")
            file = f"tree{i}/{typed}"
            listed = self.write(f"list{i}.csv", f"path\n{file}\n")
            for k, (given, stdin) in enumerate(((file, ""), (os.path.dirname(file), ""), (listed, ""), ("-", f"{file}\n"))):
                with self.subTest(disk=i, given=k):
                    self.out = self.folder / f"out{i}{k}"
                    for _ in range(2):
                        self.assert_exit(self.run_bulk(given, stdin=stdin), 0)
                    self.assertEqual(len(self.results), 1)
                    self.assertTrue(os.path.samefile(self.folder / self.results[0]["path"], path))
                    if given == os.path.dirname(file):
                        self.assertTrue(self.results[0]["id"].startswith(given + "/"), self.results[0]["id"])
                    else:
                        self.assertTrue(self.results[0]["id"].endswith(file), self.results[0]["id"])
                    sent += 1
                    self.assertEqual(len(self.accepted), sent)
            self.assert_exit(self.ocrpipe("recognize", file, "--doc-type", "invoice"), 0)
            sent += 1

    def test_two_files_that_differ_only_in_their_form_are_told_apart_or_refused(self):
        self.serve()
        name = "ậ.pdf"
        forms = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
        neither = "a\u0302\u0323.pdf"
        for i, form in enumerate(forms):
            self.write(f"in/{form}", f"%PDF-1.4 {i}")
        self.assert_exit(self.run_bulk(*(f"in/{form}" for form in forms)), 0)
        self.assertEqual(len(self.accepted), 2)
        done = self.run_bulk(f"in/{neither}")
        self.assert_exit(done, 3)
        self.assertIn("2 names in the directory differ from it only in Unicode normalization", done.stderr)


class LongManifests(Runs):
    def test_a_near_miss_in_the_last_row_of_a_long_list_stops_the_run_before_anything_is_sent(self):
        emulator = self.start_emulator()
        self.write_documents(1)
        row = '{"path": "in/000.pdf", "id": "%d", "doc_type": "x"}\n'
        self.write("m.jsonl", "".join(row % i for i in range(40_000)) + '{"path": "in/000.pdf", "docType": "x"}\n')
        done = self.run_bulk("m.jsonl")
        self.assert_exit(done, 2)
        self.assertIn("m.jsonl:40001", done.stderr)
        self.assertEqual(emulator.truth("accepted"), [])

    def test_a_manifest_in_a_fifo_is_read_once(self):
        self.start_emulator()
        self.write_documents(1)
        fifo = self.folder / "m.jsonl"
        os.mkfifo(fifo)
        writer = subprocess.Popen(["sh", "-c", f"printf '{{\"path\": \"in/000.pdf\"}}\n' > {fifo}"])
        self.addCleanup(writer.kill)
        done = self.run_bulk(fifo)
        self.assert_exit(done, 0)
        self.assertEqual(len(self.results), 1)


class Nothing(Runs):
    def test_inputs_without_documents_are_reported_with_3(self):
        self.serve()
        (self.folder / "empty/deeper").mkdir(parents=True)
        self.write("hidden/.a.pdf")
        self.write("outside.pdf")
        (self.folder / "links").mkdir()
        (self.folder / "links/a.pdf").symlink_to("../outside.pdf")
        header = self.write("header.csv", "path,doc_type\n")
        blank = self.write("blank.jsonl", "\n")
        for i, (given, why) in enumerate((("empty", "it contains no files"), ("hidden", "names that begin with a dot: 1"),
                                          ("links", "links that are not followed: 1"),
                                          (header, "the manifest has a header and no rows"), (blank, "the manifest has no rows"),
                                          ("-", "there were no names"))):
            with self.subTest(given=given):
                self.out = self.folder / f"out{i}"
                done = self.run_bulk(given)
                self.assert_exit(done, 3)
                self.assertIn("no documents found in", done.stderr)
                self.assertIn(why, done.stderr)
                self.assertEqual(self.report["found"], 0)
                self.assertEqual(self.report["empty_inputs"], 1)
        self.assertEqual(self.accepted, [])

    def test_an_empty_input_beside_a_full_one_is_reported_too(self):
        self.serve()
        (self.folder / "empty").mkdir()
        done = self.run_bulk(self.write_documents(1), "empty")
        self.assert_exit(done, 3)
        self.assertEqual(len(self.results), 1)
        self.assertIn("no documents found in empty: it contains no files", done.stderr)

    def test_a_run_in_which_all_is_done_has_something_to_pass_over(self):
        self.serve()
        folder = self.write_documents(2)
        for _ in range(2):
            done = self.run_bulk(folder)
            self.assert_exit(done, 0)
            self.assertNotIn("no documents found", done.stderr)

    def test_a_retry_with_nothing_to_retry_says_so(self):
        self.serve()
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        done = self.ocrpipe("retry", self.out)
        self.assert_exit(done, 0)
        self.assertIn("nothing to send again", done.stderr)


if __name__ == "__main__":
    workbench.main()
