"""The single-document commands, doctor and usage on the real binary."""

import hashlib
import http.server
import json
import os
import pty
import signal
import stat
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Case, KEY


class SingleDocuments(Case):
    def submit(self, *more):
        done = self.ocrpipe("submit", self.write("a.pdf"), "--doc-type", "invoice", *more)
        self.assert_exit(done, 0)
        return done.stdout

    def test_recognize_prints_the_text_and_says_the_request_id(self):
        emulator = self.start_emulator()
        done = self.ocrpipe("recognize", self.write("a.pdf"), "--doc-type", "invoice")
        self.assert_exit(done, 0)
        self.assertTrue(done.stdout.strip())
        self.assertFalse(done.stdout.lstrip().startswith("{"))
        self.assertIn(emulator.truth("accepted")[0]["request_id"], done.stderr)

    def test_recognize_json_prints_what_the_service_said(self):
        self.start_emulator()
        done = self.ocrpipe("recognize", self.write("a.pdf"), "--doc-type", "invoice", "--json")
        self.assert_exit(done, 0)
        self.assertIn("documents", json.loads(done.stdout)["data"])

    def test_submit_then_result(self):
        emulator = self.start_emulator()
        request_id = self.submit().strip()
        self.assertEqual(request_id, emulator.truth("accepted")[0]["request_id"])
        done = self.ocrpipe("result", request_id, "--wait")
        self.assert_exit(done, 0)
        self.assertIn("data", json.loads(done.stdout))
        self.assertEqual(len(emulator.truth("accepted")), 1)
        done = self.ocrpipe("result", request_id, "--wait", "--text")
        self.assert_exit(done, 0)
        self.assertTrue(done.stdout.strip())

    def test_result_that_is_not_there_yet_gives_1_and_the_way_to_wait(self):
        self.start_emulator("--latency", "fixed:60m")
        request_id = self.submit().strip()
        done = self.ocrpipe("result", request_id)
        self.assert_exit(done, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn(f"ocrpipe result {request_id} --wait", done.stderr)

    def test_request_id_that_nobody_knows_gives_1_and_no_promise(self):
        self.start_emulator()
        done = self.ocrpipe("result", "no-such-id")
        self.assert_exit(done, 1)
        self.assertIn("does not know this request id", done.stderr)

    def test_deadline_ends_waiting_and_keeps_the_request_id(self):
        emulator = self.start_emulator("--fault", "endless-pending")
        done = self.ocrpipe("recognize", self.write("a.pdf"), "--doc-type", "invoice", "--deadline", "300ms")
        self.assert_exit(done, 1)
        self.assertIn(f"ocrpipe result {emulator.truth('accepted')[0]['request_id']} --wait", done.stderr)

    def test_parts_are_printed_or_written(self):
        self.start_emulator()
        submitted = json.loads(self.submit("--json"))
        result = json.loads(self.ocrpipe("result", submitted["request_id"], "--wait").stdout)
        document = result["data"]["documents"][0]
        document_id = document.get("document_id") or document.get("id")
        for part in ("table", "signature", "stamp"):
            done = self.ocrpipe(part, submitted["request_id"], document_id)
            self.assert_exit(done, 0)
            json.loads(done.stdout)
        target = self.folder / "page.png"
        done = self.ocrpipe("image", submitted["request_id"], submitted["file_ids"][0], "-o", target)
        self.assert_exit(done, 0)
        self.assertEqual(done.stdout, "")
        self.assertEqual(stat.S_IMODE(target.stat().st_mode), 0o600)
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE)
        self.assert_exit(self.ocrpipe("image", submitted["request_id"], submitted["file_ids"][0], "-o", fifo), 0)
        self.assertEqual(reader.communicate(timeout=workbench.PATIENCE)[0], target.read_bytes())
        self.assertTrue(fifo.is_fifo())
        piped = subprocess.run([workbench.binary, "image", submitted["request_id"], submitted["file_ids"][0], "-o", "-"],
                               capture_output=True, env=self.environment(), timeout=workbench.PATIENCE)
        self.assertEqual(piped.stdout, target.read_bytes())
        self.assertTrue(piped.stdout)

    def test_part_that_is_absent_gives_1(self):
        self.start_emulator("--fault", "part-absent")
        submitted = json.loads(self.submit("--json"))
        self.assert_exit(self.ocrpipe("result", submitted["request_id"], "--wait"), 0)
        target = self.folder / "page.png"
        impatient = self.write("profile.json", '{"settle_seconds": 0, "settle_reads": 1}')
        done = self.ocrpipe("image", submitted["request_id"], submitted["file_ids"][0], "-o", target, "--profile", impatient)
        self.assert_exit(done, 1)
        self.assertFalse(target.exists())

    def test_inputs_that_cannot_be_sent_give_3(self):
        emulator = self.start_emulator()
        for path in (self.folder / "missing.pdf", self.write("notes.txt", "plain"), self.write("empty.pdf", b""), self.folder):
            done = self.ocrpipe("submit", path, "--doc-type", "invoice")
            self.assert_exit(done, 3)
            self.assertIn(str(path), done.stderr)
        self.assertEqual(emulator.truth("accepted"), [])

    def piped(self, command, content, *more):
        done = subprocess.run([workbench.binary, command, "-", "--doc-type", "invoice", *more], input=content, capture_output=True,
                              env=self.environment(), timeout=workbench.PATIENCE, cwd=self.folder)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    def test_document_on_standard_input(self):
        emulator = self.start_emulator()
        content = b"%PDF-1.4 \x00\xff\r\n a document" * 100_000
        done = self.piped("submit", content)
        self.assert_exit(done, 0)
        accepted = emulator.truth("accepted")[0]
        self.assertEqual(done.stdout.strip(), accepted["request_id"])
        self.assertEqual(accepted["sha256"], hashlib.sha256(content).hexdigest())
        self.assertEqual(accepted["file_name"], "stdin.pdf")
        self.assertIn("standard input: accepted as " + accepted["request_id"], done.stderr)
        done = self.piped("recognize", b"\x89PNG\r\n\x1a\n an image")
        self.assert_exit(done, 0)
        self.assertTrue(done.stdout.strip())
        self.assertEqual(emulator.truth("accepted")[1]["file_name"], "stdin.png")

    def test_bytes_of_no_known_format_on_standard_input_are_sent_only_with_a_file_type(self):
        emulator = self.start_emulator()
        self.assert_exit(self.piped("submit", b"plain text"), 3)
        self.assertEqual(emulator.truth("accepted"), [])
        self.assert_exit(self.piped("submit", b"plain text", "--file-type", "pdf"), 0)
        self.assertEqual(emulator.truth("accepted")[0]["file_name"], "stdin.pdf")

    def test_standard_input_without_a_document_gives_3(self):
        emulator = self.start_emulator()
        done = self.piped("recognize", b"")
        self.assert_exit(done, 3)
        self.assertIn("standard input: the document has no bytes", done.stderr)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            done = subprocess.run([workbench.binary, "submit", "-", "--doc-type", "invoice"], stdin=folder, capture_output=True,
                                  text=True, env=self.environment(), timeout=workbench.PATIENCE)
        finally:
            os.close(folder)
        self.assert_exit(done, 3)
        self.assertIn("standard input: the document cannot be read", done.stderr)
        self.assertEqual(emulator.truth("accepted"), [])

    def test_terminal_as_standard_input_is_named(self):
        ours, terminal = pty.openpty()
        try:
            done = subprocess.run([workbench.binary, "recognize", "-", "--doc-type", "invoice"], stdin=terminal, capture_output=True,
                                  text=True, env=self.environment(), timeout=workbench.PATIENCE)
        finally:
            os.close(ours)
            os.close(terminal)
        self.assert_exit(done, 2)
        self.assertIn("FILE: - is standard input, which is a terminal", done.stderr)

    def test_key_command_leaves_standard_input_to_the_document(self):
        emulator = self.start_emulator()
        done = subprocess.run([workbench.binary, "submit", "-", "--doc-type", "invoice", "--api-key-command", f"cat; echo {KEY}"],
                              input=b"%PDF-1.4 x", capture_output=True, env=self.environment(OCRPIPE_API_KEY=None),
                              timeout=workbench.PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(emulator.truth("accepted")[0]["sha256"], hashlib.sha256(b"%PDF-1.4 x").hexdigest())

    def test_wrong_key_gives_4_at_once(self):
        self.start_emulator()
        done = self.ocrpipe("recognize", self.write("a.pdf"), "--doc-type", "invoice", env={"OCRPIPE_API_KEY": "sk-other"})
        self.assert_exit(done, 4)
        self.assertEqual(done.stdout, "")

    def test_full_disk_behind_standard_output_does_not_lose_the_request_id(self):
        emulator = self.start_emulator()
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([workbench.binary, "submit", str(self.write("a.pdf")), "--doc-type", "invoice"], stdout=full,
                                  stderr=subprocess.PIPE, text=True, env=self.environment(), timeout=workbench.PATIENCE)
        self.assertEqual(done.returncode, 8)
        self.assertIn(emulator.truth("accepted")[0]["request_id"], done.stderr)

    def test_reader_that_goes_away_is_no_error(self):
        self.start_emulator()
        ours, theirs = os.pipe()
        os.close(ours)
        try:
            done = subprocess.run([workbench.binary, "recognize", str(self.write("a.pdf")), "--doc-type", "invoice"], stdout=theirs,
                                  stderr=subprocess.PIPE, text=True, env=self.environment(), timeout=workbench.PATIENCE)
        finally:
            os.close(theirs)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_interrupt_while_waiting_gives_130_and_the_request_id(self):
        emulator = self.start_emulator("--fault", "endless-pending")
        process = self.start("recognize", self.write("a.pdf"), "--doc-type", "invoice", "--log-format", "json")
        self.wait_for_event(process, "accepted")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=workbench.PATIENCE)
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn(emulator.truth("accepted")[0]["request_id"], errors)


class Usage(Case):
    def test_no_arguments_give_short_help_on_standard_error(self):
        done = self.ocrpipe()
        self.assert_exit(done, 2)
        self.assertEqual(done.stdout, "")
        self.assertIn("usage: ocrpipe", done.stderr)

    def test_help_and_version_are_data(self):
        for arguments in (("--help",), ("run", "--help"), ("--version",)):
            done = self.ocrpipe(*arguments)
            self.assert_exit(done, 0)
            self.assertEqual(done.stderr, "")
        self.assertIn("ocrpipe run scans/", self.ocrpipe("run", "--help").stdout)

    def test_nonsense_gives_2_and_everything_wrong_at_once(self):
        done = self.ocrpipe("run", "in", "--out", "out", "--deadline", "soon", "--connections", "0", "--parts", "pages",
                            env={"OCRPIPE_PORTAL_USER_ID": None, "OCRPIPE_API_KEY": None, "OCRPIPE_LOG_FORMAT": "human"})
        self.assert_exit(done, 2)
        self.assertEqual(done.stdout, "")
        for what in ("--deadline", "--connections", "--parts", "--portal-user-id", "OCRPIPE_API_KEY", "--doc-type"):
            self.assertIn(what, done.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_a_wrong_value_is_named_by_where_it_comes_from(self):
        wrong = {
            "OCRPIPE_BASE_URL": "ftp://x", "OCRPIPE_CA_FILE": "/nonexistent/ca.pem", "OCRPIPE_DEADLINE": "soon",
            "OCRPIPE_PROFILE": "/nonexistent/profile.json", "OCRPIPE_PORTAL_USER_ID": "4 2", "OCRPIPE_API_KEY": "se cret",
            "OCRPIPE_CLIENT_CERT": "/nonexistent/cert.pem", "OCRPIPE_PROXY": "socks5://p:1", "HTTPS_PROXY": "http://p:port",
        }
        for variable, value in wrong.items():
            with self.subTest(variable):
                env = {"OCRPIPE_BASE_URL": "https://ocr.invalid", variable: value}
                done = self.ocrpipe("result", "r-1", env=env)
                self.assert_exit(done, 2)
                self.assertTrue(done.stderr.startswith(f"error: {variable}: "), done.stderr)
                if variable == "HTTPS_PROXY" or variable == "OCRPIPE_API_KEY":
                    continue
                flag = "--" + variable.removeprefix("OCRPIPE_").lower().replace("_", "-")
                done = self.ocrpipe("result", "r-1", flag, value, env={"OCRPIPE_BASE_URL": "https://ocr.invalid"})
                self.assert_exit(done, 2)
                self.assertTrue(done.stderr.startswith(f"error: {flag}: "), done.stderr)
        for variable in ("OCRPIPE_API_KEY_FILE", "OCRPIPE_API_KEY_COMMAND"):
            done = self.ocrpipe("result", "r-1", env={"OCRPIPE_API_KEY": None, variable: "/nonexistent/key"})
            self.assert_exit(done, 2)
            self.assertTrue(done.stderr.splitlines()[-1].startswith(f"error: {variable}: "), done.stderr)

    def test_unknown_command_and_option_give_2(self):
        for arguments in (("frobnicate",), ("run", "in", "--out", "out", "--frobnicate"), ("status", "out"), ("load",)):
            self.assert_exit(self.ocrpipe(*arguments), 2)

    def test_key_as_an_argument_is_refused_and_not_repeated(self):
        for arguments in (("--api-key", KEY), (f"--api-key={KEY}",)):
            done = self.ocrpipe("doctor", *arguments)
            self.assert_exit(done, 2)
            self.assertIn("--api-key-file", done.stderr)
            self.assertNotIn(KEY, done.stdout + done.stderr)

    def test_plain_http_to_another_machine_is_refused(self):
        done = self.ocrpipe("doctor", env={"OCRPIPE_BASE_URL": "http://ocr.invalid"})
        self.assert_exit(done, 4)
        self.assertIn("--allow-plain-http", done.stdout)


class Doctor(Case):
    def test_all_is_well(self):
        self.start_emulator()
        done = self.ocrpipe("doctor", "--out", self.out)
        self.assert_exit(done, 0)
        self.assertEqual([line.split()[:2] for line in done.stdout.splitlines()],
                         [["ok", check] for check in ("configuration", "name", "service", "disk", "files")])
        self.assertFalse(self.out.exists())
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["emulator.log", "truth.jsonl"])

    def test_json(self):
        self.start_emulator()
        done = self.ocrpipe("doctor", "--log-format", "json")
        self.assert_exit(done, 0)
        findings = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual({f["verdict"] for f in findings}, {"ok"})

    def start_gateway(self):
        """Somebody else's gateway, which knows no OCR API."""

        class Stranger(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_error(404, "no route matched")

            def log_message(self, *_):
                pass

        gateway = http.server.HTTPServer(("127.0.0.1", 0), Stranger)
        thread = threading.Thread(target=gateway.serve_forever)
        thread.start()
        self.addCleanup(gateway.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(gateway.shutdown)
        self.url = f"http://127.0.0.1:{gateway.server_port}"

    def assert_finding(self, done, verdict, check, text):
        found = [line for line in done.stdout.splitlines() if line.split()[:2] == [verdict, check]]
        self.assertTrue(any(text in line for line in found), done.stdout)

    def test_wrong_key(self):
        self.start_emulator()
        done = self.ocrpipe("doctor", env={"OCRPIPE_API_KEY": "sk-other"})
        self.assert_exit(done, 4)
        self.assert_finding(done, "fail", "service", "check the key and OCRPIPE_PORTAL_USER_ID")

    def test_wrong_base_url(self):
        self.start_gateway()
        done = self.ocrpipe("doctor")
        self.assert_exit(done, 4)
        self.assert_finding(done, "fail", "service", "check OCRPIPE_BASE_URL and OCRPIPE_PORTAL_USER_ID")
        done = self.ocrpipe("doctor", "--base-url", self.url)
        self.assert_finding(done, "fail", "service", "check --base-url and OCRPIPE_PORTAL_USER_ID")

    def test_nobody_listens(self):
        done = self.ocrpipe("doctor")
        self.assert_exit(done, 4)
        self.assert_finding(done, "fail", "service", "the firewall")

    def test_nothing_configured(self):
        done = self.ocrpipe("doctor", env={"OCRPIPE_API_KEY": None, "OCRPIPE_PORTAL_USER_ID": None})
        self.assert_exit(done, 4)
        self.assert_finding(done, "fail", "configuration", "OCRPIPE_API_KEY")
        self.assert_finding(done, "fail", "configuration", "--portal-user-id")
        self.assert_finding(done, "skipped", "service", "")

    def test_disk_that_cannot_be_written(self):
        self.start_emulator()
        done = self.ocrpipe("doctor", "--out", "/proc/ocrpipe-results")
        self.assert_exit(done, 8)
        self.assert_finding(done, "fail", "disk", "--out")


if __name__ == "__main__":
    workbench.main()
