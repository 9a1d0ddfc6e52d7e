"""Hostile inputs and a hostile service, end to end on the real binary: reported, bounded, and nothing written where it must not be."""

import http.server
import itertools
import json
import os
import pathlib
import socket
import sys
import threading

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Case

EVIL_ID = "../../etc/passwd\r\nX-Evil: "


class HostileService:
    """A service whose ids are paths and headers, and whose texts are control sequences."""

    def __init__(self):
        self.requests = []
        self.numbers = itertools.count(1)
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, value):
                service.requests.append((self.command, self.path, dict(self.headers)))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                self.answer({"data": {"request_id": EVIL_ID + str(next(service.numbers)), "file_ids": ["../../../file", "/etc/shadow"]}})

            def do_GET(self):
                self.answer({"data": {"status": "SUCCESS", "documents": [
                    {"document_id": "..", "document_type": "\x1b[2J", "status": "SUCCESS",
                     "ocr_data": [{"name": "../n", "value": ["\x1b]0;title\x07 text"]}]}]}})

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Hostile(Case):
    def everything(self):
        """All paths of the test's folder but those of the run, and what files hold."""
        return {str(p): p.read_bytes() if p.is_file() else None for p in self.folder.rglob("*")
                if not p.is_relative_to(self.out) and p.name != "truth.jsonl"}

    def write_raw(self, folder, name, content):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(os.fsencode(folder), name), "wb") as out:
            out.write(content)

    def test_names_that_are_long_broken_or_headers_are_read_and_sent_within_their_quotes(self):
        emulator = self.start_emulator()
        names = ["n" * 251 + ".pdf", "two\nlines.pdf", 'a.pdf"\r\nX-Evil: 1\r\n\r\n<b>', "\x1b[31mred\x07.pdf", "hóa đơn.pdf"]
        folder = self.folder / "in"
        for i, name in enumerate(names):
            self.write_raw(folder, name.encode(), b"%%PDF-1.4 %d" % i)
        self.write_raw(folder, b"not \xff\xfe UTF-8.pdf", b"%PDF-1.4 raw")
        done = self.run_bulk(folder, "--log-format", "human", "--text")
        self.assert_exit(done, 0)
        self.assertEqual(len(self.results), len(names) + 1)
        self.assertLessEqual(set(names), {pathlib.Path(r["path"]).name for r in self.results})
        sent = {a["file_name"] for a in emulator.truth("accepted")}
        self.assertEqual(len(sent), len(names) + 1)
        # One line each, whatever the names hold: nothing that a terminal would take for an order.
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.assertNotIn("\a", done.stdout + done.stderr)
        self.assertFalse([line for line in done.stderr.splitlines() if line.startswith(("lines.pdf", "X-Evil"))])

    def test_fifos_devices_sockets_and_links_to_them_are_reported_without_waiting(self):
        emulator = self.start_emulator()
        folder = self.write_documents(2)
        os.mkfifo(folder / "fifo.pdf")
        (folder / "zero.pdf").symlink_to("/dev/zero")
        (folder / "nowhere.pdf").symlink_to(folder / "missing.pdf")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder / "socket.pdf"))
        done = self.run_bulk(folder, "/dev/null", folder / "fifo.pdf")
        self.assert_exit(done, 3)
        self.assertEqual(len(self.results), 2)
        found = sorted((pathlib.Path(f["path"]).name, f["class"]) for f in self.failures)
        self.assertEqual(found, [(name, "unreadable_file") for name in
                                 ("fifo.pdf", "fifo.pdf", "nowhere.pdf", "null", "socket.pdf", "zero.pdf")])
        self.assertEqual(len(emulator.truth("accepted")), 2)

    def test_broken_rows_of_a_manifest_are_reported_by_line_and_the_rest_goes_on(self):
        emulator = self.start_emulator()
        self.write_documents(4, "docs")
        os.mkfifo(self.folder / "docs" / "fifo")
        rows = [
            b'{"path": "docs/000.pdf", "id": "../../etc/passwd"}',
            b'{"path": "docs/001.pdf", "doc_type": "x\\r\\nX-Evil: 1"}',
            b'{"path": "docs/001.pdf", "id": "a\\nb"}',
            b'{"path": "docs/001.pdf\\u0000.png"}',
            b'{"path": "docs/fifo"}',
            b'{"path": "/dev/zero"}',
            b'{"path": ' + b"[" * 100_000,
            b'{"path": "docs/001.pdf", "id": "\xff\xfe"}',
            b'{"path": "docs/001.pdf", "id": "' + b"i" * 2_000_000 + b'"}',
            b'["docs/001.pdf"]',
            b'{"path": "docs/001.pdf", "flow": 1}',
            b'{"path": "docs/003.pdf"}',
        ]
        manifest = self.write("march.jsonl", b"\n".join(rows))
        table = self.write("april.csv", b'path,doc_type\n'
                                        b'docs/001.pdf,"x\r\nX-Evil: 1"\n'
                                        b'docs/001.pdf,receipt,and more\n'
                                        b'"docs/001.pdf" x,y\n'
                                        b'docs/002.pdf,receipt\n'
                                        b'"docs/001.pdf,never ends\n')
        before = self.everything()
        done = self.run_bulk(manifest, table, "--text", "--parts", "tables,images")
        self.assert_exit(done, 3)
        self.assertEqual({a["file_name"] for a in emulator.truth("accepted")}, {"000.pdf", "002.pdf", "003.pdf"})
        self.assertIn("../../etc/passwd", {r["id"] for r in self.results})
        for line in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11):
            self.assertIn(f"march.jsonl:{line}", done.stderr)
        for line in (2, 4, 5, 7):
            self.assertIn(f"april.csv:{line}", done.stderr)
        self.assertLess(len(done.stderr), 100_000)
        self.assertEqual(self.everything(), before)

    def test_ids_of_the_service_become_no_paths_no_headers_and_no_control_sequences(self):
        service = HostileService()
        self.addCleanup(service.close)
        self.url = service.url
        folder = self.write_documents(2)
        before = self.everything()
        done = self.run_bulk(folder, "--text", "--parts", "tables,signatures,stamps,images", "--log-format", "human")
        self.assertEqual(self.report["done"], 2, done.stderr)
        self.assertEqual(self.everything(), before)
        self.assertEqual({r["request_id"] for r in self.results}, {EVIL_ID + "1", EVIL_ID + "2"})
        self.assertTrue(list((self.out / "parts").iterdir()))
        for path in self.out.rglob("*"):
            self.assertFalse(path.is_symlink())
            self.assertNotIn("passwd", path.relative_to(self.out).parts)
        base = f"/maas/user-{workbench.USER}/greennode/idp/v1/ocr/ingest"
        self.assertTrue(service.requests)
        for command, path, headers in service.requests:
            self.assertTrue(path == base if command == "POST" else path.startswith(base + "/"), path)
            self.assertNotIn("/../", path + "/")
            self.assertNotIn("X-Evil", headers)
        self.assertIn("..%2F..%2Fetc%2Fpasswd%0D%0AX-Evil%3A%201", " ".join(path for _, path, _ in service.requests))
        self.assertNotIn("\x1b", done.stdout + done.stderr)


if __name__ == "__main__":
    workbench.main()
