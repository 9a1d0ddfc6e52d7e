"""The programs in examples/: each does its work against the emulator, and says what is wrong with an exit code that is not 0."""

import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # the source folder stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "cli"))
import workbench
from workbench import KEY, USER, Runs

EXAMPLES = pathlib.Path(sys.argv.pop(2)).resolve()
README = pathlib.Path(__file__).resolve().parents[1] / "README.md"


class Programs(Runs):
    def service(self, **changes):
        known = {"OCRPIPE_PORTAL_USER_ID": USER, "OCRPIPE_API_KEY": KEY, "OCRPIPE_BASE_URL": self.url}
        return {k: v for k, v in {**workbench.clean_environment(), **known, **changes}.items() if v is not None}

    def example(self, name, *arguments, stdin="", **environment):
        return subprocess.run([EXAMPLES / f"example_{name}", *arguments], input=stdin, capture_output=True, text=True, timeout=workbench.PATIENCE,
                              env=self.service(**environment))


class Examples(Programs):

    def documents(self, count):
        folder = self.write_documents(count)
        return [str(folder / f"{i:03}.pdf") for i in range(count)]

    def setUp(self):
        super().setUp()
        self.serve("--latency", "fixed:100ms")

    def test_recognize(self):
        done = self.example("recognize", *self.documents(1))
        self.assert_exit(done, 0)
        self.assertTrue(done.stdout.strip())

    def test_recognize_says_what_is_wrong(self):
        document, *_ = self.documents(1)
        for code, said, arguments, environment in ((2, "usage", (), {}), (2, "usage", (document,), {"OCRPIPE_API_KEY": None}),
                                                   (2, "usage", (document,), {"OCRPIPE_PORTAL_USER_ID": None}),
                                                   (2, "base_url", (document,), {"OCRPIPE_BASE_URL": "nonsense"}),
                                                   (1, "no-such-file", ("no-such-file",), {}),
                                                   (1, "credentials", (document,), {"OCRPIPE_API_KEY": "wrong"})):
            with self.subTest(said=said, environment=environment):
                done = self.example("recognize", *arguments, **environment)
                self.assert_exit(done, code)
                self.assertIn(said, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_the_readme_shows_recognize(self):
        code = (pathlib.Path(__file__).resolve().parents[1] / "examples/recognize.cpp").read_text()
        shown = code[code.index("#include"):]
        self.assertIn(f"```cpp\n{shown}```", README.read_text())

    def test_callbacks_and_futures(self):
        done = self.example("callbacks_and_futures", *self.documents(3))
        self.assert_exit(done, 0)
        for how in ("callback: ", "future: ", "coroutine: "):
            self.assertIn(how, done.stdout)
        self.assert_exit(self.example("callbacks_and_futures", *self.documents(3), OCRPIPE_API_KEY="wrong"), 1)

    def test_own_source_and_sink(self):
        paths = self.documents(40)
        done = self.example("own_source_and_sink", stdin="".join(f"{p}\n" for p in (*paths, "no-such-file")))
        self.assert_exit(done, 1)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(sorted(line["path"] for line in lines), sorted((*paths, "no-such-file")))
        self.assertEqual([line["path"] for line in lines if "error" in line], ["no-such-file"])

    def test_resume(self):
        for path in self.documents(2):
            self.assert_exit(self.ocrpipe("submit", path, "--doc-type", "INVOICE"), 0)
        ids = [what["request_id"] for what in self.emulator.truth("accepted")]
        done = self.example("resume", *ids)
        self.assert_exit(done, 0)
        self.assertEqual(sorted(line.split(":")[0] for line in done.stdout.splitlines() if line.startswith(tuple(ids))), sorted(ids))
        self.assert_exit(self.example("resume"), 2)

    def test_test_without_service(self):
        done = self.example("test_without_service")
        self.assert_exit(done, 0)
        self.assertIn("12 after", done.stdout)


Reply = collections.namedtuple("Reply", "status headers body")


class Server(Programs):
    def serve_callers(self, *arguments, **environment):
        """Starts the server, and returns its process."""
        self.said = self.folder / "server.log"
        with open(self.said, "wb") as log:
            server = subprocess.Popen([EXAMPLES / "example_server", "0", *map(str, arguments)], stdout=subprocess.PIPE, stderr=log, text=True,
                                      env=self.service(**environment))

        def end():
            if server.poll() is None:
                server.kill()
            server.communicate()

        self.addCleanup(end)
        self.port = int(server.stdout.readline().rsplit(":", 1)[1])
        return server

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=workbench.PATIENCE)

    def ask(self, method, target, body=None, connection=None):
        with contextlib.nullcontext(connection) if connection else contextlib.closing(self.connect()) as used:
            used.request(method, target, body)
            answer = used.getresponse()
            return Reply(answer.status, answer.headers, answer.read().decode())

    def post(self, i, target="/ocr?doc_type=INVOICE"):
        return self.ask("POST", target, f"%PDF-1.4 document number {i}")

    def metric(self, name):
        lines = dict(line.split() for line in self.ask("GET", "/metrics").body.splitlines())
        return float(lines[name])

    def ends(self, server):
        self.assertEqual(server.wait(workbench.PATIENCE), 0, self.said.read_text())

    def stop(self, server):
        server.send_signal(signal.SIGTERM)
        self.ends(server)

    def many_callers(self, threads):
        self.serve("--latency", "fixed:100ms")
        server = self.serve_callers(threads, 20)
        refused = set()

        def patient_caller(i):
            while (reply := self.post(i)).status == 503:
                refused.add(i)
                self.assertGreaterEqual(int(reply.headers["Retry-After"]), 1)
                time.sleep(int(reply.headers["Retry-After"]))
            return reply

        with concurrent.futures.ThreadPoolExecutor(50) as callers:
            replies = list(callers.map(patient_caller, range(50)))
        self.assertEqual({r.status for r in replies}, {200}, self.said.read_text())
        self.assertTrue(all(json.loads(r.body)["text"] for r in replies))
        ids = [json.loads(r.body)["request_id"] for r in replies]
        self.assertEqual(sorted(ids), sorted(a["request_id"] for a in self.emulator.truth("accepted")))
        self.assertTrue(refused)
        self.assertEqual(self.metric("ocr_accepted_total"), 50)
        self.stop(server)

    def test_many_callers_on_one_thread(self):
        self.many_callers(1)

    def test_many_callers_on_two_threads(self):
        self.many_callers(2)

    def test_many_callers_on_four_threads(self):
        self.many_callers(4)

    def test_a_caller_that_hangs_up_cancels_its_job(self):
        self.serve("--latency", "fixed:3000s")
        server = self.serve_callers(2, 1)
        caller = self.connect()
        caller.request("POST", "/ocr?doc_type=INVOICE", "%PDF-1.4 a document")
        self.wait_until(lambda: self.metric("ocr_waiting_jobs") == 1)
        self.assertEqual(self.post(1).status, 503)
        caller.close()
        self.wait_until(lambda: self.metric("ocr_waiting_jobs") == 0)
        (accepted,) = self.emulator.truth("accepted")
        self.assertIn(f"accepted: {accepted['request_id']}\n", self.said.read_text())
        self.stop(server)

    def test_whatever_was_accepted_for_callers_that_hung_up_is_in_the_log(self):
        self.serve("--latency", "fixed:3000s")
        server = self.serve_callers(4, 100)
        for i in range(100):
            with socket.create_connection(("127.0.0.1", self.port)) as caller:
                body = f"%PDF-1.4 document number {i}"
                caller.sendall(f"POST /ocr?doc_type=INVOICE HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        self.stop(server)
        log = self.said.read_text()
        noted = [line.split()[1] for line in log.splitlines() if line.startswith("accepted: ")]
        in_doubt = log.count("failed: the document went out but no request_id came back")
        accepted = [what["request_id"] for what in self.emulator.truth("accepted")]
        self.assertLessEqual(set(noted), set(accepted))
        self.assertLessEqual(len(set(accepted) - set(noted)), in_doubt)

    def test_sigterm_answers_the_documents_in_hand_and_takes_no_more(self):
        self.serve("--latency", "fixed:3s")
        server = self.serve_callers(2, 10)
        idle = self.connect()
        self.addCleanup(idle.close)
        self.assertEqual(self.ask("GET", "/healthz", connection=idle).body, "ok\n")
        with concurrent.futures.ThreadPoolExecutor(10) as callers:
            replies = callers.map(self.post, range(10))
            self.wait_until(lambda: self.metric("ocr_accepted_total") == 10)
            server.send_signal(signal.SIGTERM)

            def refuses_connections():
                with socket.socket() as one:
                    return one.connect_ex(("127.0.0.1", self.port)) != 0

            self.wait_until(refuses_connections)
            late = self.ask("POST", "/ocr?doc_type=INVOICE", "%PDF-1.4 too late", connection=idle)
            self.assertEqual(late.status, 503)
            self.assertEqual([r.status for r in replies], [200] * 10)
        self.ends(server)
        self.assertEqual(len(self.emulator.truth("accepted")), 10)

    def test_one_connection_serves_several_requests(self):
        self.serve("--latency", "fixed:100ms")
        self.serve_callers()
        connection = self.connect()
        self.addCleanup(connection.close)
        for i in range(2):
            self.assertEqual(self.ask("GET", "/healthz", connection=connection).status, 200)
            reply = self.ask("POST", "/ocr?doc_type=INVOICE", f"%PDF-1.4 document {i}", connection=connection)
            self.assertEqual(reply.status, 200, reply)

    def test_wrong_requests_are_refused(self):
        self.serve("--latency", "fixed:100ms")
        self.serve_callers()
        pdf = "%PDF-1.4 a document"
        for status, method, target, body in ((404, "GET", "/", None), (404, "POST", "/other", pdf), (404, "GET", "/healthz", pdf), (404, "GET", "/ocr", None),
                                             (400, "POST", "/ocr", pdf), (400, "POST", "/ocr?doc_type=INVOICE", ""),
                                             (415, "POST", "/ocr?doc_type=INVOICE", "no document"),
                                             (413, "POST", "/ocr?doc_type=INVOICE", b"%PDF" + bytes(20 * 1024 * 1024))):
            with self.subTest(status=status, target=target):
                reply = self.ask(method, target, body)
                self.assertEqual(reply.status, status, reply)
                self.assertIn("error", json.loads(reply.body))
        self.assertEqual(self.emulator.truth("accepted"), [])

    def test_a_caller_that_expects_100_continue_gets_it(self):
        self.serve("--latency", "fixed:100ms")
        self.serve_callers()
        done = subprocess.run(["curl", "-sS", "-H", "Expect: 100-continue", "--expect100-timeout", str(workbench.PATIENCE), "--data-binary", "@-",
                               f"http://127.0.0.1:{self.port}/ocr?doc_type=INVOICE"], input="%PDF-1.4 a document", capture_output=True,
                              text=True, timeout=workbench.PATIENCE)
        self.assertIn("request_id", json.loads(done.stdout), done.stderr)

    def test_a_wrong_key_is_not_the_callers_fault(self):
        self.serve("--latency", "fixed:100ms")
        self.serve_callers(OCRPIPE_API_KEY="wrong")
        reply = self.post(1)
        self.assertEqual(reply.status, 500)
        self.assertNotIn("wrong", reply.body)

    def test_without_a_key_it_does_not_start(self):
        done = self.example("server", "0", OCRPIPE_API_KEY=None)
        self.assert_exit(done, 2)
        self.assertIn("OCRPIPE_API_KEY is not set", done.stderr)
        self.assert_exit(self.example("server"), 2)


workbench.main()
