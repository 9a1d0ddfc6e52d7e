"""`ocrpipe run` on the real binary: exit code, standard output, standard error, files."""

import hashlib
import json
import os
import pathlib
import pty
import resource
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Case, KEY


class Run(Case):
    def test_directory_is_read_and_every_document_has_one_line(self):
        emulator = self.start_emulator()
        folder = self.write_documents(12)
        self.write("in/below/hoá đơn.pdf")
        (folder / "loop").symlink_to(folder)
        done = self.run_bulk(folder)
        self.assert_exit(done, 0)
        self.assertEqual(done.stdout, f"{self.out}/report.json\n")
        self.assertEqual(len(self.results), 13)
        for line in self.results:
            self.assertEqual(line["sha256"], hashlib.sha256(pathlib.Path(line["path"]).read_bytes()).hexdigest())
            self.assertTrue(line["request_id"])
            self.assertIn("data", line["result"])
        self.assertEqual(self.report["done"], 13)
        self.assertEqual(self.failures, [])
        self.assertEqual(len(emulator.truth("accepted")), 13)
        self.assertEqual({oct((self.out / name).stat().st_mode & 0o777) for name in ("results-00001.jsonl", "report.json")}, {"0o600"})

    def test_standard_error_without_a_terminal_is_json_lines_with_start_and_end(self):
        self.start_emulator()
        done = self.run_bulk(self.write_documents(3))
        events = [json.loads(line) for line in done.stderr.splitlines()]
        self.assertEqual(events[0]["event"], "run_started")
        self.assertEqual(events[-1]["event"], "run_finished")
        self.assertEqual(events[-1]["done"], 3)
        for event in events:
            self.assertLessEqual({"time", "level", "event", "text"}, event.keys())

    def test_unsupported_empty_and_missing_inputs_are_reported_and_not_fatal(self):
        self.start_emulator()
        folder = self.write_documents(2)
        self.write("in/notes.txt", "no document at all")
        self.write("in/empty.pdf", b"")
        done = self.run_bulk(folder, self.folder / "missing.pdf")
        self.assert_exit(done, 1)
        self.assertEqual(len(self.results), 2)
        found = {(pathlib.Path(f["path"]).name, f["class"]) for f in self.failures}
        self.assertEqual(found, {("notes.txt", "unsupported_file_type"), ("empty.pdf", "empty_document"),
                                 ("missing.pdf", "unreadable_file")})
        for name in ("notes.txt", "empty.pdf", "missing.pdf"):
            self.assertIn(name, done.stderr)

    def test_help_says_which_files_of_a_folder_are_read(self):
        emulator = self.start_emulator()
        folder = self.write_documents(1)
        self.write("in/notes.txt", "no document at all")
        self.write("in/.hidden.pdf")
        self.assert_exit(self.run_bulk(folder), 1)
        self.assertEqual([f["class"] for f in self.failures], ["unsupported_file_type"])
        self.assertEqual(len(emulator.truth("accepted")), 1)
        said = " ".join(self.ocrpipe("run", "--help").stdout.split())
        self.assertIn("every file below scans/ whose name does not begin with a dot", said)
        self.assertIn("unsupported_file_type", said)

    def test_only_inputs_that_cannot_be_read_give_3(self):
        self.start_emulator()
        done = self.run_bulk(self.write_documents(1), self.folder / "missing.pdf")
        self.assert_exit(done, 3)
        self.assertEqual(self.report["unreadable"], 1)
        self.assertEqual(self.report["done"], 1)

    def test_manifest_names_flow_and_type_of_each_document(self):
        emulator = self.start_emulator()
        self.write_documents(3, "docs")
        manifest = self.write("march.jsonl", '{"path": "docs/000.pdf", "doc_type": "invoice", "id": "A-1"}\n'
                                             '{"path": "docs/001.pdf", "flow": "77"}\n'
                                             'not JSON\n')
        table = self.write("april.csv", "path,doc_type,id\ndocs/002.pdf,receipt,C-3\n")
        done = self.ocrpipe("run", manifest, table, "--out", self.out)
        self.assertEqual({(a["file_name"], a["flow"], a["doc_type"]) for a in emulator.truth("accepted")},
                         {("000.pdf", "single", "invoice"), ("001.pdf", "77", ""), ("002.pdf", "single", "receipt")})
        self.assertLessEqual({"A-1", "C-3"}, {r["id"] for r in self.results})
        self.assert_exit(done, 3)
        self.assertIn("march.jsonl:3", done.stderr)

    def test_names_on_standard_input_by_line_and_by_nul(self):
        self.start_emulator()
        plain = self.write("plain.pdf")
        strange = self.write("two\nlines.pdf", "%PDF-1.4 another")
        done = self.run_bulk("-", stdin=f"{plain}\n")
        self.assert_exit(done, 0)
        self.assertEqual([r["path"] for r in self.results], [str(plain)])
        self.out = self.folder / "out2"
        done = self.run_bulk("-", "-0", stdin=f"{plain}\0{strange}\0")
        self.assert_exit(done, 0)
        self.assertEqual({r["path"] for r in self.results}, {str(plain), str(strange)})

    def test_parts_are_found_where_the_profile_says(self):
        self.start_emulator("--shape", "document-id-key=docref")
        profile = self.write("profile.json", '{"document_id_keys": ["docref"]}')
        self.assert_exit(self.run_bulk(self.write_documents(2), "--parts", "tables", "--profile", profile), 0)
        self.assertEqual(self.report["parts"], 2)

    def test_a_profile_that_is_none_is_refused(self):
        self.start_emulator()
        for profile in (self.folder, self.write("empty.json", ""), self.folder / "missing"):
            self.assert_exit(self.run_bulk(self.write_documents(1), "--profile", profile), 2)

    def test_text_and_parts_are_files_of_their_own(self):
        self.start_emulator()
        done = self.run_bulk(self.write_documents(2), "--text", "--parts", "tables,signatures,stamps,images")
        self.assert_exit(done, 0)
        texts = sorted((self.out / "text").iterdir())
        self.assertEqual(len(texts), 2)
        self.assertTrue(all(t.read_text(encoding="utf-8").strip() for t in texts))
        self.assertTrue(any(p.is_file() for p in (self.out / "parts").rglob("*")))

    def test_wrong_key_ends_the_run_with_4_and_fails_no_document(self):
        self.start_emulator()
        done = self.run_bulk(self.write_documents(5), env={"OCRPIPE_API_KEY": "sk-not-this-one"})
        self.assert_exit(done, 4)
        self.assertEqual(self.report["failed"], 0)
        self.assertEqual(self.report["done"], 0)
        self.assertEqual(self.failures, [])
        self.assertIn("check the key and OCRPIPE_PORTAL_USER_ID", done.stderr)

    def test_wrong_base_url_ends_the_run_with_4(self):
        self.start_emulator("--fault", "gateway-404")
        done = self.run_bulk(self.write_documents(2))
        self.assert_exit(done, 4)
        self.assertIn("check OCRPIPE_BASE_URL and OCRPIPE_PORTAL_USER_ID", done.stderr)
        self.assertEqual(self.failures, [])

    def test_an_input_that_is_the_output_folder_gives_2_and_makes_nothing(self):
        emulator = self.start_emulator()
        folder = self.write_documents(2)
        (self.folder / "link").symlink_to(folder)
        for given, out in ((folder, folder), ("in", folder), (self.folder / "link", "./in/"), (folder, "link")):
            self.out = out
            done = self.run_bulk(given)
            self.assert_exit(done, 2)
            self.assertIn("--out", done.stderr)
            self.assertIn(str(given), done.stderr)
            self.assertEqual(sorted(p.name for p in folder.iterdir()), ["000.pdf", "001.pdf"])
        self.assertEqual(emulator.truth("accepted"), [])
        self.out = folder / "results"  # is passed over
        for _ in range(2):
            self.assert_exit(self.run_bulk(folder), 0)
        self.assertEqual(len(self.results), 2)

    def test_out_that_cannot_be_written_gives_8_and_sends_nothing(self):
        emulator = self.start_emulator()
        self.write("occupied", "a file")
        self.out = self.folder / "occupied" / "below"
        done = self.run_bulk(self.write_documents(1))
        self.assert_exit(done, 8)
        self.assertEqual(emulator.truth("accepted"), [])

    def test_limits_hold(self):
        emulator = self.start_emulator("--latency", "fixed:300ms")
        done = self.run_bulk(self.write_documents(8), "--max-inflight", "2", "--connections", "3", "--submit-rate", "100/s",
                             "--poll-rate", "100/s", "--bandwidth", "1M")
        self.assert_exit(done, 0)
        inside = most = 0
        with open(emulator.truth_path, encoding="utf-8") as lines:
            for o in map(json.loads, lines):
                inside += {"accepted": 1, "result_delivered": -1}.get(o["event"], 0)
                most = max(most, inside)
        self.assertLessEqual(most, 2)

    def test_low_limit_of_open_files_is_raised_and_said(self):
        self.start_emulator()
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard != resource.RLIM_INFINITY and hard < 512:
            self.skipTest("the hard limit leaves no room")
        done = self.run_bulk(self.write_documents(1),
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard)))
        self.assert_exit(done, 0)
        self.assertIn('"event":"file_limit"', done.stderr)

    def test_key_from_file_or_command_leaves_standard_input_alone(self):
        self.start_emulator()
        document = self.write("a.pdf")
        key_file = self.write("key", KEY + "\n")
        key_file.chmod(0o600)
        done = self.run_bulk("-", "--api-key-file", key_file, stdin=f"{document}\n", env={"OCRPIPE_API_KEY": None})
        self.assert_exit(done, 0)
        self.out = self.folder / "out2"
        done = self.run_bulk("-", "--api-key-command", f"cat; cat {key_file}", stdin=f"{document}\n", env={"OCRPIPE_API_KEY": None})
        self.assert_exit(done, 0)
        self.assertEqual(len(self.results), 1)


class Interrupted(Case):
    def start_endless(self, count=3):
        self.start_emulator("--fault", "endless-pending")
        process = self.start("run", self.write_documents(count), "--out", self.out, "--doc-type", "invoice")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == count)
        return process

    def finish(self, process):
        output, errors = process.communicate(timeout=workbench.PATIENCE)
        return subprocess.CompletedProcess([], process.returncode, output, errors)

    def test_terminate_counts_like_an_interrupt_but_gives_143(self):
        process = self.start_endless(1)
        process.send_signal(signal.SIGTERM)
        self.wait_for_event(process, "stopping")
        process.send_signal(signal.SIGTERM)
        self.assert_exit(self.finish(process), 143)

    def test_first_interrupt_finishes_what_is_under_way_and_takes_no_more(self):
        emulator = self.start_emulator("--latency", "fixed:4s")
        process = self.start("run", self.write_documents(20), "--out", self.out, "--doc-type", "invoice", "--max-inflight", "2")
        self.wait_for_event(process, "progress", lambda o: o["waiting"] == 2)
        process.send_signal(signal.SIGINT)
        done = self.finish(process)
        self.assert_exit(done, 130)
        self.assertEqual(len(self.results), 2)
        self.assertEqual(self.failures, [])
        self.assertEqual(len(emulator.truth("accepted")), 2)
        self.assertEqual(self.report["ended_by"], "stopped")


class Terminal(Case):
    def run_on_a_terminal(self, **env):
        self.start_emulator("--latency", "fixed:1500ms")
        try:
            ours, theirs = pty.openpty()
        except OSError as why:  # a bare chroot has no /dev/pts
            self.skipTest(f"no terminal to be had here: {why}")
        process = subprocess.Popen(
            [workbench.binary, "run", self.write_documents(3), "--out", self.out, "--doc-type", "invoice"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, env=self.environment(TERM="xterm", **env))
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # EIO: the other end is closed
                break
            if not piece:
                break
            seen += piece
        os.close(ours)
        process.communicate(timeout=workbench.PATIENCE)
        self.assertEqual(process.returncode, 0, seen)
        return seen.decode()

    def test_progress_is_redrawn_in_place_and_gone_at_the_end(self):
        seen = self.run_on_a_terminal()
        self.assertIn("0 of 3 done", seen)
        self.assertIn("in flight", seen)
        last_line = seen.rstrip().rsplit("\n", 1)[-1]
        self.assertIn("3 of 3 done", last_line.rsplit("\x1b[K", 1)[-1])
        self.assertNotIn("{", seen)

    def test_no_color_is_respected(self):
        self.assertNotIn("\x1b[3", self.run_on_a_terminal(NO_COLOR="1"))


class Secrets(Case):
    def test_key_is_in_no_output_and_no_file(self):
        self.start_emulator("--latency", "fixed:20ms", "--fault", "job-failed:p=0.3", "--fault", "error-500-after-acceptance:p=0.2")
        folder = self.write_documents(10)
        outputs = []
        for arguments in (("run", folder, "--out", self.out, "--doc-type", "invoice", "--log-level", "debug", "--text"),
                          ("recognize", folder / "000.pdf", "--doc-type", "invoice", "--log-level", "debug", "--log-format", "json"),
                          ("doctor",), ("run", "--help"), ("run", folder)):
            done = self.ocrpipe(*arguments)
            outputs.append(done.stdout + done.stderr)
        wrong = "sk-wrong-but-secret-all-the-same"
        done = self.ocrpipe("recognize", folder / "000.pdf", "--doc-type", "invoice", env={"OCRPIPE_API_KEY": wrong})
        self.assert_exit(done, 4)
        outputs.append(done.stdout + done.stderr)
        for secret in (KEY, wrong):
            for text in outputs:
                self.assertNotIn(secret, text)
            for path in self.out.rglob("*"):
                if path.is_file():
                    self.assertNotIn(secret.encode(), path.read_bytes(), path)

    def test_a_proxys_password_is_in_no_output_and_no_file(self):
        folder = self.write_documents(2)
        for i, given in enumerate((("--proxy", "http://me:open%20sesame@127.0.0.1:9"), ("--proxy=http://me:open-sesame@127.0.0.1:9",))):
            self.out = self.folder / f"out{i}"
            done = self.run_bulk(folder, *given, "--max-duration", "200ms", "--drain-timeout", "1s", "--log-level", "debug")
            self.assertIn("continue with: ocrpipe run", done.stderr)
            self.assertIn("me:***@127.0.0.1:9", done.stderr)
            for path in self.out.rglob("*"):
                self.assertNotIn(b"sesame", path.read_bytes() if path.is_file() else b"", path)
            for said in (done, self.ocrpipe("doctor", *given)):
                self.assertNotIn("sesame", said.stdout + said.stderr)


if __name__ == "__main__":
    workbench.main()
