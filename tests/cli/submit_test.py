"""What an answer to a submit proves, and what follows from it: a document that may have been accepted is sent again only when that was
allowed, and then once; one that was refused, or not sent whole, is sent again."""

import collections
import http.server
import json
import random
import re
import sqlite3
import ssl
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from scripted_service import finished
from workbench import Runs


class Submits:
    """A service whose answer to each POST is the test's: `on_post(handler, content)` returns a status, a body and header fields, or None if
    it has answered itself. Every job is finished at once, unless `on_get` has answered."""

    def __init__(self, on_post, on_get=lambda handler: True, on_connect=lambda handler: None, on_close=lambda handler: None,
                 tls=None):
        self.lock = threading.Lock()
        self.arrived = collections.Counter()  # whole POSTs by the document's number
        self.accepted = collections.Counter()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self):
                on_connect(self)
                try:
                    super().handle()
                except (ConnectionError, ssl.SSLError):  # the client has left
                    pass
                finally:
                    on_close(self)

            def document(self):
                """The number of the document in a request's body, which is read whole."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                number = int(re.search(rb"document number (\d+)", body)[1])
                with service.lock:
                    service.arrived[number] += 1
                return number

            def accept(self, number):
                with service.lock:
                    service.accepted[number] += 1
                return 201, {"data": {"request_id": f"r-{number}-{service.accepted[number]}"}}

            def do_POST(self):
                reply = on_post(self)
                if reply is not None:
                    self.reply(*reply)

            def do_GET(self):
                if on_get(self):
                    self.reply(200, finished(("total", "1")))

            def reply(self, status, content, **fields):
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                for name, value in fields.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128

            def finish_request(self, request, address):
                if tls is not None:
                    try:
                        request = tls.wrap_socket(request, server_side=True)
                    except (OSError, ssl.SSLError):
                        return
                super().finish_request(request, address)
                if tls is not None:
                    request.close()

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Submitting(Runs):
    def serve(self, on_post, **more):
        self.service = Submits(on_post, **more)
        self.addCleanup(self.service.close)
        self.url = self.service.url
        return self.service

    def rows(self):
        database = sqlite3.connect(f"file:{self.out}/ledger.db?mode=ro", uri=True)
        try:
            return database.execute("SELECT state, possible_duplicate FROM document ORDER BY id").fetchall()
        finally:
            database.close()


class Refusals(Submitting):
    def five_connections(self, **fields):
        lock = threading.Lock()
        open_now = set()
        refusals = []

        def connect(handler):
            with lock:
                handler.welcome = len(open_now) < 5
                if handler.welcome:
                    open_now.add(handler)

        def close(handler):
            with lock:
                open_now.discard(handler)

        def post(handler):
            number = handler.document()
            if handler.welcome:
                return handler.accept(number)
            refusals.append(number)
            refuse(handler)
            return None

        def refuse(handler):
            handler.reply(503, {"message": "too many connections"}, **fields)
            handler.close_connection = "Connection" in fields

        service = self.serve(post, on_get=lambda handler: handler.welcome or refuse(handler), on_connect=connect, on_close=close)
        folder = self.write_documents(120)
        self.assert_exit(self.run_bulk(folder), 0)
        self.assert_one_result_each(120)
        self.assertEqual(sorted(service.accepted.elements()), list(range(120)))
        self.assertTrue(refusals)
        return len(refusals)

    def test_a_service_that_allows_five_connections_reads_every_document_once(self):
        self.five_connections()

    def test_so_does_one_that_closes_the_others(self):
        self.five_connections(Connection="close")

    def test_a_service_that_takes_three_at_a_time_is_sent_few_in_vain(self):
        busy = threading.Semaphore(3)

        def post(handler):
            number = handler.document()
            if not busy.acquire(blocking=False):
                return 503, {"message": "busy"}
            time.sleep(0.02)
            busy.release()
            return handler.accept(number)

        service = self.serve(post)
        folder = self.write_documents(150)
        self.assert_exit(self.run_bulk(folder), 0)
        self.assertEqual(sorted(service.accepted.elements()), list(range(150)))
        self.assertLess(service.arrived.total() if hasattr(service.arrived, "total") else sum(service.arrived.values()), 300)

    def test_what_each_refusal_makes_of_a_document(self):
        answers = {0: (501, {}), 1: (200, {"code": 400, "message": "no"}), 2: (200, {"code": 503, "message": "busy"}), 3: (503, {}),
                   4: (302, {}), 5: (404, {"message": "flow not found"}), 6: (507, {}), 7: (200, {"code": 504, "message": "late"})}

        def post(handler):
            number = handler.document()
            if self.service.arrived[number] > 1:
                return handler.accept(number)
            return answers[number]

        service = self.serve(post)
        folder = self.write_documents(8)
        self.assert_exit(self.run_bulk(folder), 1)
        states = [state for state, _ in self.rows()]
        self.assertEqual(states, ["failed", "failed", "done", "done", "ambiguous", "failed", "failed", "ambiguous"])
        self.assertEqual([service.arrived[n] for n in range(8)], [1, 1, 2, 2, 1, 1, 1, 1])
        # What may have been accepted is not sent by retry.
        self.assert_exit(self.ocrpipe("retry", self.out), 1)
        self.assertEqual([service.arrived[n] for n in range(8)], [2, 2, 2, 2, 1, 2, 2, 1])


class Resubmits(Submitting):
    def test_an_ambiguous_submit_is_repeated_once_a_run_and_recorded_so(self):
        seen = []

        def post(handler):
            number = handler.document()
            seen.append(self.rows()[0] if self.service.arrived[number] > 1 else None)
            handler.accept(number)
            time.sleep(2)  # longer than the client waits
            handler.close_connection = True

        service = self.serve(post)
        folder = self.write_documents(1)
        resubmit = ("--on-ambiguous", "resubmit", "--submit-timeout", "500ms")
        self.assert_exit(self.run_bulk(folder, *resubmit), 1)
        self.assertEqual(service.accepted[0], 2)
        # Durable before the document went out again.
        self.assertEqual(seen, [None, ("intent", 1)])
        self.assertEqual(self.rows(), [("ambiguous", 1)])
        self.assertIn("it was sent twice", self.failures[0]["message"])
        self.assertEqual(self.report["possible_duplicates"], 1)
        # In the next run, sending it is already a repeat.
        self.assert_exit(self.run_bulk(folder, *resubmit), 1)
        self.assertEqual(service.accepted[0], 3)
        self.assertEqual(self.rows(), [("ambiguous", 1)])
        self.assertEqual(self.report["possible_duplicates"], 1)
        # Without permission it stays as it is.
        self.assert_exit(self.run_bulk(folder), 1)
        self.assertEqual(service.accepted[0], 3)

    def test_a_repeat_that_is_accepted_is_a_possible_duplicate(self):
        def post(handler):
            number = handler.document()
            reply = handler.accept(number)
            return reply if self.service.arrived[number] > 1 else (502, {})

        self.serve(post)
        folder = self.write_documents(3)
        self.assert_exit(self.run_bulk(folder, "--on-ambiguous", "resubmit"), 0)
        self.assertEqual(self.rows(), [("done", 1)] * 3)
        self.assertEqual([line["possible_duplicate"] for line in self.results], [True] * 3)
        self.assertEqual(self.report["possible_duplicates"], 3)

    def test_a_kill_during_the_repeat_leaves_it_recorded(self):
        held = threading.Event()

        def post(handler):
            number = handler.document()
            if self.service.arrived[number] > 1:
                held.set()
                time.sleep(5)
            handler.close_connection = True

        self.serve(post)
        folder = self.write_documents(1)
        run = self.start("run", folder, "--out", self.out, "--doc-type", "invoice", "--on-ambiguous", "resubmit")
        self.assertTrue(held.wait(workbench.PATIENCE))
        run.kill()
        run.wait()
        self.assert_exit(self.run_bulk(folder), 1)
        self.assertEqual(self.rows(), [("ambiguous", 1)])
        self.assertEqual(self.report["possible_duplicates"], 1)

    def test_the_wait_for_an_answer_comes_from_an_option_or_the_environment(self):
        def post(handler):
            number = handler.document()
            time.sleep(1.5)
            return handler.accept(number)

        service = self.serve(post)
        folder = self.write_documents(1)
        self.assert_exit(self.run_bulk(folder, env={"OCRPIPE_SUBMIT_TIMEOUT": "300ms"}), 1)
        self.assertEqual(self.rows(), [("ambiguous", 0)])
        self.write("large/0.pdf", "%PDF-1.4 document number 7 " + "x" * 500_000)
        self.out = self.folder / "out2"
        self.assert_exit(self.run_bulk(self.folder / "large", "--submit-timeout", "300ms"), 0)
        self.assertEqual(dict(service.accepted), {0: 1, 7: 1})
        refused = self.run_bulk(self.folder / "large", "--submit-timeout", "0s")
        self.assert_exit(refused, 2)
        self.assertIn("--submit-timeout", refused.stderr)


class RepeatedIds(Submitting):
    """A service, or a proxy before it, answers several documents with the same request_id."""

    def same_for_all(self):
        def post(handler):
            handler.document()
            return 201, {"data": {"request_id": "r-same"}}

        return self.serve(post)

    def test_only_the_first_document_gets_its_result(self):
        service = self.same_for_all()
        done = self.run_bulk(self.write_documents(5))
        self.assert_exit(done, 1)
        self.assertEqual([line["request_id"] for line in self.results], ["r-same"])
        failures = self.failures
        self.assertEqual([f["class"] for f in failures], ["ambiguous_submit"] * 4)
        self.assertIn("it gave to another document", failures[0]["message"])
        self.assert_exit(self.run_bulk(self.folder / "in"), 1)
        self.assertEqual(sum(service.arrived.values()), 5)

    def test_equal_documents_may_have_the_same(self):
        self.same_for_all()
        for name in "abc":
            self.write(f"in/{name}.pdf", "%PDF-1.4 document number 1")
        self.assert_exit(self.run_bulk(self.folder / "in"), 0)
        self.assertEqual(len(self.results), 3)

    def test_a_service_that_gives_all_the_same_is_sent_no_more(self):
        service = self.same_for_all()
        done = self.run_bulk(self.write_documents(300))
        self.assert_exit(done, 6)
        self.assertLess(sum(service.arrived.values()), 200)


class Closes(Submitting):
    """Connections that the service closes without saying so."""

    def closing(self, most, pause=0.0):
        def post(handler):
            return handler.accept(handler.document())

        def connect(handler):
            handler.left = most()
            answer = handler.reply

            def reply(*arguments, **fields):
                answer(*arguments, **fields)
                handler.left -= 1
                if handler.left == 0:
                    time.sleep(pause)
                    handler.close_connection = True

            handler.reply = reply

        service = self.serve(post, on_connect=connect)
        folder = self.write_documents(60)
        done = self.run_bulk(folder)
        self.assertLessEqual(max(service.accepted.values()), 1)
        return done

    def test_after_five_requests_no_document_is_held(self):
        self.assert_exit(self.closing(lambda: 5), 0)
        self.assert_one_result_each(60)

    def test_after_one_request_neither(self):
        self.assert_exit(self.closing(lambda: 1), 0)
        self.assert_one_result_each(60)

    def test_at_a_moment_that_cannot_be_known_few_are_held(self):
        chance = random.Random(7)
        self.closing(lambda: chance.randint(1, 8))
        self.assertLessEqual(len(self.failures), 2)


class ClientCertificates(Submitting):
    def certificate(self, name):
        files = [str(self.folder / f"{name}.{kind}") for kind in ("pem", "key")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
                        f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout", files[1]],
                       check=True, capture_output=True)
        return files

    def test_a_server_that_demands_one_ends_the_run_and_no_document_is_in_doubt(self):
        server, server_key = self.certificate("server")
        known, known_key = self.certificate("known")
        strange, strange_key = self.certificate("strange")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version.name):
                self.out = self.folder / version.name
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.minimum_version = context.maximum_version = version
                context.load_cert_chain(server, server_key)
                context.load_verify_locations(known)
                context.verify_mode = ssl.CERT_REQUIRED
                service = self.serve(lambda handler: handler.accept(handler.document()), tls=context)
                folder = self.write_documents(40)
                trust = ("--ca-file", server)
                for given in ((), ("--client-cert", strange, "--client-key", strange_key)):
                    done = self.run_bulk(folder, *trust, *given)
                    self.assert_exit(done, 4)
                    self.assertIn("client certificate", done.stderr)
                    self.assertIn("--client-cert", done.stderr)
                    self.assertEqual({state for state, _ in self.rows()} - {"new"}, set())
                    self.assertEqual(self.failures, [])
                self.assertFalse(service.accepted)
                self.assert_exit(self.run_bulk(folder, *trust, "--client-cert", known, "--client-key", known_key), 0)
                self.assertEqual(sorted(service.accepted.elements()), list(range(40)))


class Deadlines(Submitting):
    def test_the_deadline_of_results_does_not_end_a_submit(self):
        def post(handler):
            number = handler.document()
            time.sleep(2)
            return handler.accept(number)

        service = self.serve(post)
        folder = self.write_documents(5)
        self.assert_exit(self.run_bulk(folder, "--deadline", "1s"), 0)
        self.assertEqual(sorted(service.accepted.elements()), list(range(5)))
        self.out = self.folder / "one"
        for command in ("submit", "recognize"):
            done = self.ocrpipe(command, folder / "000.pdf", "--doc-type", "invoice", "--deadline", "1s")
            self.assert_exit(done, 0)

    def test_nor_an_upload_that_takes_longer(self):
        def post(handler):
            left = int(handler.headers["Content-Length"])
            while left:
                left -= len(handler.rfile.read(min(left, 1_000_000)))
                time.sleep(0.1)
            return handler.accept(0)

        service = self.serve(post)
        self.write("in/0.pdf", b"%PDF-1.4 document number 0 " + b"x" * 20_000_000)
        self.assert_exit(self.run_bulk(self.folder / "in", "--deadline", "1s"), 0)
        self.assertEqual(service.accepted[0], 1)

    def test_a_document_of_which_the_service_read_a_part_is_sent_again(self):
        attempts = []

        def post(handler):
            attempts.append(1)
            if len(attempts) < 3:
                handler.rfile.read(1_000_000)
                if len(attempts) == 2:
                    return 500, {}, {"Connection": "close"}
                handler.close_connection = True
                return None
            return handler.accept(handler.document())

        def reply(handler):
            answer = post(handler)
            if answer is not None and len(answer) == 3:
                handler.reply(*answer[:2], **answer[2])
                handler.close_connection = True
                return None
            return answer

        service = self.serve(reply)
        self.write("in/0.pdf", b"%PDF-1.4 document number 0 " + b"x" * 20_000_000)
        self.assert_exit(self.run_bulk(self.folder / "in"), 0)
        self.assertEqual(len(attempts), 3)
        self.assertEqual(self.rows(), [("done", 0)])
        self.assertEqual(service.accepted[0], 1)


if __name__ == "__main__":
    workbench.main()
