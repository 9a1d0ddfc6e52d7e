"""What a service or a proxy echoes of a request's secrets is in nothing that a command says or leaves behind."""

import base64
import html
import http.server
import json
import pathlib
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Case

KEY = 'sk-KEYSTART/"+\\KEYEND'
PASSWORD = 'PASSTART/"&\\PASSEND'
BASIC = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
NEEDLES = [n.lower().encode() for n in ("KEYSTART", "KEYEND", "PASSTART", "PASSEND", BASIC[:10])]

PLAIN = f"Authorization: Bearer {KEY}, Proxy-Authorization: Basic {BASIC}, me:{PASSWORD}"
ECHO = " | ".join((PLAIN, urllib.parse.quote(PLAIN, safe=""), urllib.parse.quote(PLAIN), json.dumps(PLAIN),
                   json.dumps(PLAIN).replace("/", "\\/"), html.escape(PLAIN), PLAIN.lower(), PLAIN.upper(), f"Basic {BASIC.rstrip('=')}"))
IN_JSON = json.dumps({"message": ECHO, "headers": {"Authorization": f"Bearer {KEY}", "proxy": PASSWORD}})
# The excerpt of a body ends inside the key.
ACROSS = "x" * (512 - len("Bearer sk-KEYSTART/")) + f"Bearer {KEY}"
HOST = f"http://{urllib.parse.quote(KEY, safe='')}.example/"


def answer(status, body, content_type="application/json", *headers):
    body = body.encode()
    head = [f"HTTP/1.1 {status} {PLAIN}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", "Connection: close",
            f'WWW-Authenticate: Bearer realm="{KEY}"', f'Proxy-Authenticate: Basic realm="{PASSWORD}"', *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


ACCEPTED = answer(201, '{"data":{"request_id":"r-1"}}')
KINDS = {f"{status} {form}": answer(status, body, kind)
         for status in (400, 401, 403, 404, 429, 500, 502)
         for form, body, kind in (("JSON", IN_JSON, "application/json"), ("page", f"<html>{ECHO}</html>", "text/html"))}
KINDS |= {
    "a key across the end of the excerpt": answer(400, ACROSS, "text/plain"),
    "an answer that ends inside the key": answer(400, f"Bearer {KEY[:-3]}", "text/plain"),
    "200 page": answer(200, f"<html>{ECHO}</html>", "text/html"),
    "200 broken JSON": answer(200, '{"data":' + IN_JSON),
    "200 error": answer(200, json.dumps({"code": 400, "message": ECHO})),
    "job failed": answer(200, json.dumps({"data": {"status": "FAILED", "message": ECHO}})),
    "pending": answer(200, json.dumps({"data": {"status": "RUNNING", "message": ECHO}})),
    "redirect to another origin": answer(302, ECHO, "text/plain", f"Location: http://other.example/{urllib.parse.quote(KEY)}"),
    "redirect to the key": answer(307, ECHO, "text/plain", f"Location: {HOST}"),
    "redirect to no URL": answer(307, ECHO, "text/plain", f"Location: {KEY}:{PASSWORD}"),
    "unknown content encoding": answer(200, ECHO, "text/plain", f"Content-Encoding: {KEY}"),
    "unknown transfer encoding": answer(200, ECHO, "text/plain", f"Transfer-Encoding: {KEY}"),
    "Retry-After": answer(429, ECHO, "text/plain", f"Retry-After: {KEY}"),
    "no HTTP": f"{ECHO}\r\n\r\n".encode(),
    "redirect with the key as user": answer(307, ECHO, "text/plain", f"Location: {HOST.replace(chr(46), chr(64), 1)}"),
    "a bad status": f"HTTP/1.1 {KEY} {PASSWORD}\r\n\r\n".encode(),
    "a bad header": f"HTTP/1.1 200 OK\r\n{KEY}\r\n: {PASSWORD}\r\n\r\n".encode(),
    "a bad length": f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n".encode(),
    "cut off": answer(400, IN_JSON)[:-9],
}


class Echo(http.server.BaseHTTPRequestHandler):
    """Service and proxy in one: answers submits and all else with the bytes of the test."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say(self.server.to_submit)

    def do_GET(self):
        self.say(self.server.to_all_else)

    def do_CONNECT(self):
        self.say(self.server.to_all_else)

    def say(self, bytes):
        self.server.seen.add((self.headers.get("Authorization"), self.headers.get("Proxy-Authorization")))
        self.wfile.write(bytes)
        self.close_connection = True

    def log_message(self, *arguments):
        pass


class Secrets(Case):
    def setUp(self):
        super().setUp()
        self.service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self.service.seen = set()
        self.addCleanup(self.service.server_close)
        self.addCleanup(self.service.shutdown)
        threading.Thread(target=self.service.serve_forever, daemon=True).start()
        self.url = "http://ocr.example"
        self.proxy = f"http://me:{urllib.parse.quote(PASSWORD, safe='')}@127.0.0.1:{self.service.server_port}"
        self.document = self.write("a.pdf")

    def environment(self, **changes):
        return super().environment(OCRPIPE_API_KEY=KEY, OCRPIPE_PROXY=self.proxy, **changes)

    def give(self, to_submit, to_all_else):
        self.service.to_submit, self.service.to_all_else = to_submit, to_all_else

    def assert_clean(self, bytes, what):
        for needle in NEEDLES:
            self.assertNotIn(needle, bytes.lower(), f"{what}: {bytes[:2000]}")

    def assert_nothing_leaks(self, name):
        """A run and what is said about it afterwards, in a folder of its own."""
        self.out = self.folder / name.replace(" ", "-")
        limits = ("--max-duration", "700ms", "--drain-timeout", "100ms", "--deadline", "300ms", "--log-level", "debug", "--allow-plain-http")
        said = [self.run_bulk(self.document, *limits, "--text", "--parts", "tables,images"),
                self.ocrpipe("status", self.out), self.ocrpipe("report", self.out), self.ocrpipe("support", self.out, "r-1"),
                self.ocrpipe("support", self.out, "r-1", "--sample")]
        for done in said:
            self.assert_clean((done.stdout + done.stderr).encode(), f"{name}: {done.args[1]}")
        self.assertTrue((self.out / "report.json").exists(), said[0].stderr)
        for path in self.out.rglob("*"):
            # The answers themselves are kept byte for byte.
            if path.is_file() and path.parent.name != "answers":
                self.assert_clean(path.read_bytes(), f"{name}: {path.name}")
        return said[0]

    def test_answers_to_submits(self):
        for name, bytes in KINDS.items():
            with self.subTest(name):
                self.give(bytes, bytes)
                self.assert_nothing_leaks(name)
        self.assertEqual(self.service.seen, {(f"Bearer {KEY}", f"Basic {BASIC}")})

    def test_answers_to_polls(self):
        for name, bytes in KINDS.items():
            with self.subTest(name):
                self.give(ACCEPTED, bytes)
                self.assert_nothing_leaks(name)

    def test_answers_of_a_proxy_to_connect(self):
        self.url = "https://ocr.example"
        for name, bytes in KINDS.items():
            with self.subTest(name):
                self.give(b"", bytes)
                self.assert_nothing_leaks(name)

    def test_commands_for_one_document(self):
        limits = ("--deadline", "300ms", "--allow-plain-http", "--log-level", "debug")
        for name in ("400 JSON", "404 page", "job failed", "redirect to the key", "unknown content encoding"):
            self.give(KINDS[name], KINDS[name])
            for arguments in (("submit", self.document, "--doc-type", "invoice"), ("recognize", self.document, "--doc-type", "invoice"),
                              ("table", "r-1", "d-1"), ("result", "r-1", "--wait"), ("doctor",)):
                if arguments[0] == "result" and name == "job failed":
                    continue  # prints the answer, as asked
                with self.subTest(name, command=arguments[0]):
                    done = self.ocrpipe(*arguments, *limits)
                    self.assertNotEqual(done.returncode, 0)
                    self.assert_clean((done.stdout + done.stderr).encode(), name)

    def test_the_message_says_what_is_masked_and_keeps_the_rest(self):
        self.give(KINDS["400 JSON"], b"")
        done = self.assert_nothing_leaks("400 JSON")
        self.assert_exit(done, 1)
        self.assertIn("Authorization: Bearer ***, Proxy-Authorization: Basic ***==, me:***", self.failures[0]["message"])

    def test_a_command_that_prints_the_key_does_not_get_ours(self):
        seen = self.folder / "environment"
        self.give(KINDS["400 JSON"], b"")
        with_password = f"http://me:{urllib.parse.quote(PASSWORD, safe='')}@127.0.0.1:1"
        others = {"https_proxy": with_password, "ALL_PROXY": with_password, "FTP_PROXY": "http://127.0.0.1:1"}
        self.run_bulk(self.document, "--allow-plain-http", "--api-key-command", f"env > {seen}; echo {workbench.KEY}", env=others)
        text = seen.read_bytes()
        self.assertIn(b"OCRPIPE_PORTAL_USER_ID=", text)
        self.assert_clean(text, "the command's environment")
        self.assertIn(b"FTP_PROXY=", text)  # it has no password
        for name in (b"OCRPIPE_API_KEY=", b"https_proxy=", b"ALL_PROXY="):
            self.assertNotIn(name, text)
        self.assertNotIn(pathlib.Path(self.proxy).name.encode(), text)


if __name__ == "__main__":
    workbench.main()
