"""One document's trouble, or a short trouble of the service, costs no other document anything."""

import collections
import json
import signal
import socket
import threading
import time

import workbench
from scripted_service import Outputs, finished

DONE = finished(("total", "12"))
FORBIDDEN = (403, b"Forbidden")


class OneBadDocument(Outputs):
    def run_with_one_bad(self, refusal):
        service = self.script(DONE, refuse=lambda body: refusal if b"bad.pdf" in body else None)
        self.write("in/bad.pdf", "%PDF-1.4 the bad one")
        done = self.run_bulk(self.write_documents(11), "--connections", "3")
        self.assert_exit(done, 1)
        self.assertEqual(len(self.results), 11)
        failed, = self.failures
        self.assertTrue(failed["path"].endswith("bad.pdf"))
        self.assertEqual(failed["class"], "rejected")
        return service

    def test_forbidden(self):
        service = self.run_with_one_bad(FORBIDDEN)
        self.assertLessEqual(service.requests.count("refused"), 3)

    def test_payment_required(self):
        self.run_with_one_bad((402, b"quota"))

    def test_unknown_flow(self):
        service = self.run_with_one_bad((404, {"message": "flow not found"}))
        self.assertEqual(service.requests.count("refused"), 1)

    def test_a_gateways_404(self):
        self.run_with_one_bad((404, b"404 page not found"))

    def test_a_result_that_may_not_be_read(self):
        self.script(lambda request_id: FORBIDDEN if request_id == "r-1" else DONE)
        done = self.run_bulk(self.write_documents(12))
        self.assert_exit(done, 1)
        self.assertEqual(len(self.results), 11)
        self.assertEqual([f["request_id"] for f in self.failures], ["r-1"])


class SeveralBadDocuments(Outputs):
    """An earlier run has read a result, so that the key can be checked without a document."""

    def setUp(self):
        super().setUp()
        self.refusal = None
        self.service = self.script(DONE, refuse=lambda body: self.refusal if b"bad" in body else None)
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        self.refusal = FORBIDDEN

    def add(self, count, kind, prefix):
        for i in range(count):
            self.write(f"in/{prefix}{i:02}.pdf", f"%PDF-1.4 {kind} {i}")

    def assert_rejected(self, count):
        self.assertEqual([f["class"] for f in self.failures], ["rejected"] * count)
        self.assertLessEqual(self.service.requests.count("refused"), 2 * count)

    def test_however_many_in_a_row_before_and_between_good_ones(self):
        self.add(5, "bad first", "!")
        self.add(25, "good", "1-")
        self.add(40, "bad later", "2-")
        self.assert_exit(self.run_bulk(self.folder / "in"), 1)
        self.assertEqual(len(self.results), 26)
        self.assert_rejected(45)

    def test_a_retry_of_nothing_else(self):
        self.add(4, "bad", "!")
        self.assert_exit(self.run_bulk(self.folder / "in"), 1)
        self.service.requests.clear()
        self.assert_exit(self.ocrpipe("retry", self.out), 1)
        self.assert_rejected(4)
        self.refusal = None
        self.assert_exit(self.ocrpipe("retry", self.out), 0)
        self.assertEqual(len(self.results), 5)

    def test_a_gateways_404_for_all_is_an_outage(self):
        # It does not judge documents, so none of them fails.
        self.refusal = (404, b"404 page not found")
        self.add(12, "bad", "!")
        done = self.run_bulk(self.folder / "in", "--max-outage", "3s")
        self.assert_exit(done, 6)
        self.assertIn("submits are answered with HTTP 404", done.stderr)
        self.assertEqual(self.failures, [])
        self.refusal = None
        self.assert_exit(self.run_bulk(self.folder / "in"), 0)
        self.assertEqual(len(self.results), 13)

    def test_an_unknown_flow(self):
        self.refusal = (404, {"message": "flow not found"})
        self.add(4, "bad", "!")
        self.assert_exit(self.run_bulk(self.folder / "in"), 1)
        self.assertEqual(self.service.requests.count("refused"), 4)

    def test_a_key_that_may_read_but_not_submit(self):
        self.add(60, "bad", "!")
        done = self.run_bulk(self.folder / "in")
        self.assert_exit(done, 4)
        self.assertIn("may read results, but not submit", done.stderr)
        self.assertLessEqual(self.service.requests.count("refused"), 2 * 60)
        self.assertEqual(self.failures, [])
        self.assertEqual(self.report["failed"], 0)
        self.refusal = None
        self.assert_exit(self.run_bulk(self.folder / "in"), 0)
        self.assertEqual(len(self.results), 61)

    def test_the_key_is_bad_now(self):
        self.service.result = lambda request_id: FORBIDDEN
        self.add(10, "bad", "!")
        self.assert_exit(self.run_bulk(self.folder / "in"), 4)
        self.assertEqual(self.failures, [])
        self.assertEqual(self.service.requests.count("refused"), 1)  # the others are reads


class RefusedCredentials(Outputs):
    def test_reads_that_are_refused_from_the_start_are_no_matter_of_their_documents(self):
        service = self.script(FORBIDDEN)
        folder = self.write_documents(3)
        for _ in range(2):
            self.assert_exit(self.run_bulk(folder), 4)
            self.assertEqual(self.failures, [])
        self.assertEqual(service.requests.count("POST"), 3)

    def test_one_request_goes_out_at_a_time(self):
        service = self.script(DONE, refuse=lambda body: FORBIDDEN)
        done = self.run_bulk(self.write_documents(60))
        self.assert_exit(done, 4)
        self.assertEqual(service.requests.count("refused"), 3)
        self.assertEqual(self.failures, [])
        self.assertEqual(self.report["not_sent"], self.report["found"])

    def test_a_kill_while_refused_documents_wait_leaves_only_the_probe_in_doubt(self):
        submits, third, release = [], threading.Event(), threading.Event()
        self.addCleanup(release.set)

        def refuse(body):
            submits.append(body)
            if len(submits) == 3:
                third.set()
                release.wait(workbench.PATIENCE)
            return FORBIDDEN if len(submits) <= 3 else None

        self.script(DONE, refuse=refuse)
        process = self.start("run", self.write_documents(20), "--out", self.out, "--doc-type", "invoice", "--connections", "3")
        self.assertTrue(third.wait(workbench.PATIENCE))
        process.kill()
        process.wait()
        self.assertEqual(self.state_of(".pdf").count("intent"), 1)
        self.assert_exit(self.run_bulk(self.folder / "in"), 1)
        self.assertEqual(len(self.results), 19)
        self.assertEqual([f["class"] for f in self.failures], ["ambiguous_submit"])

    def test_a_wrong_password_of_the_proxy_is_sent_once(self):
        seen = []
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    seen.append(connection.recv(65536))
                    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        self.url = "https://ocr.example"
        done = self.run_bulk(self.write_documents(40), "--proxy", f"http://me:wrong@127.0.0.1:{listener.getsockname()[1]}")
        self.assert_exit(done, 4)
        self.assertEqual(len(seen), 1)
        self.assertIn("proxy", done.stderr)
        self.assertNotIn("wrong", done.stderr)
        self.assertEqual(self.failures, [])

    def through_a_proxy_that_refuses_in_the_middle(self, until):
        refused = []

        def refusal():
            if service.requests.count("POST") < 10 or len(refused) >= until:
                return None
            refused.append(1)
            return 407, b"", [("Proxy-Authenticate", "Basic")]

        service = self.script(lambda request_id: refusal() or DONE, refuse=lambda body: refusal())
        proxy = service.url.replace("//", "//me:right@")
        self.url = "http://ocr.example"
        done = self.run_bulk(self.write_documents(30), "--proxy", proxy, "--allow-plain-http", "--connections", "3")
        self.assertEqual(self.failures, [])
        self.assertNotIn("right", done.stderr)
        return done, len(refused)

    def test_a_proxy_that_refuses_its_password_for_a_moment_costs_no_document_anything(self):
        done, _ = self.through_a_proxy_that_refuses_in_the_middle(until=2)
        self.assert_exit(done, 0)
        self.assertEqual(len(self.results), 30)

    def test_a_proxy_that_refuses_its_password_from_now_on_is_asked_a_few_times(self):
        done, refused = self.through_a_proxy_that_refuses_in_the_middle(until=1000)
        self.assert_exit(done, 4)
        self.assertIn("proxy", done.stderr)
        self.assertLessEqual(refused, 8)


class Outage(Outputs):
    def test_refused_connections_cost_no_document_anything(self):
        def on_submit(number):
            if number == 10:  # the only submit under way
                service.go_down()
                threading.Timer(4, service.come_back).start()

        service = self.script(DONE, on_submit)
        process = self.start("run", self.write_documents(60), "--out", self.out, "--doc-type", "invoice", "--submit-rate", "20",
                             "--poll-interval", "100ms-200ms", "--deadline", "2s", "--connections", "3")
        self.assertIn("refused", self.wait_for_event(process, "outage")["reason"])
        self.wait_for_event(process, "outage_over")
        _, errors = process.communicate(timeout=workbench.PATIENCE)
        self.assertEqual(process.returncode, 0, errors)
        self.assertEqual(len(self.results), 60)
        self.assertEqual(service.requests.count("POST"), 60)
        self.assertEqual(self.failures, [])

    def test_reset_connections_cost_no_document_anything(self):
        def on_submit(number):
            if number == 10:
                service.is_resetting = True
                threading.Timer(8, setattr, (service, "is_resetting", False)).start()

        service = self.script(DONE, on_submit)
        for i in range(20):  # too large for the buffers of a connection, so that no body was sent whole
            self.write(f"in/{i:02}.pdf", f"%PDF-1.4 {i} " + "x" * 8_000_000)
        done = self.run_bulk(self.folder / "in", "--poll-interval", "100ms-200ms", "--deadline", "2s", "--log-format", "json")
        self.assert_exit(done, 0)
        self.assertEqual(len(self.results), 20)
        self.assertEqual(service.requests.count("POST"), 20)
        self.assertTrue(self.events(done, "outage_over"))

    def test_parts_wait_until_the_service_can_be_reached_again(self):
        def part(words):
            if service.requests.count("/part") == 0:
                service.requests.append("/part")
                service.go_down()
                threading.Timer(8, service.come_back).start()
            return 200, {"table": [["1"]]}

        service = self.script(finished(("total", "12"), documents=[
            {"document_id": f"d-{i}", "document_type": "invoice", "status": "SUCCESS", "ocr_data": [{"name": "total", "value": ["12"]}]}
            for i in range(10)]), part=part)
        done = self.run_bulk(self.write_documents(5), "--parts", "tables")
        self.assert_exit(done, 0)
        self.assertEqual(len(list(self.out.glob("parts/**/*.json"))), 50)

    def test_a_service_that_reads_few_parts_at_a_time(self):
        at_once = threading.Semaphore(3)

        def part(words):
            if not at_once.acquire(blocking=False):
                return 503, b"busy"
            time.sleep(0.02)
            at_once.release()
            return 200, {"table": [["1"]]}

        documents = [{"document_id": f"d-{i}", "document_type": "invoice", "status": "SUCCESS", "ocr_data": [{"name": "total", "value": ["12"]}]}
                     for i in range(100)]
        self.script(finished(("total", "12"), documents=documents), part=part)
        self.assert_exit(self.run_bulk(self.write_documents(3), "--parts", "tables"), 0)

    def test_an_outage_that_is_too_long_ends_the_run_and_fails_no_document(self):
        done = self.run_bulk(self.write_documents(40), "--max-outage", "1s")
        self.assert_exit(done, 6)
        self.assertIn("refused", done.stderr)
        self.assertEqual(self.failures, [])
        self.assertEqual(self.report["not_sent"], self.report["found"])
        self.assertIn("continue with", done.stderr)
        self.script(DONE)
        self.assert_exit(self.run_bulk(self.folder / "in", "--accept-changes"), 0)
        self.assertEqual(len(self.results), 40)

    def test_no_result_can_be_read(self):
        for answer in ((500, b"oops"), (200, b"<html>sign in</html>"), FORBIDDEN):
            with self.subTest(answer=answer):
                self.setUp()
                service = self.script(lambda request_id: answer)
                done = self.run_bulk(self.write_documents(300), "--max-outage", "2s", "--deadline", "5s", "--drain-timeout", "1s")
                self.assertIn(done.returncode, (4, 6), done.stderr)
                self.assertLessEqual(service.requests.count("POST"), 132)
                sent = service.requests.count("POST")
                done = self.run_bulk(self.folder / "in", "--max-outage", "2s", "--deadline", "5s", "--drain-timeout", "1s")
                self.assertNotEqual(done.returncode, 0)
                self.assertLessEqual(service.requests.count("POST"), sent + 8)
                service.result = lambda request_id: DONE
                self.assert_exit(self.run_bulk(self.folder / "in"), 0)
                self.assertEqual(len(self.results), 300)
                self.assertEqual(service.requests.count("POST"), 300)


class Waiting(Outputs):
    def test_a_wait_that_is_longer_than_an_outage_may_last_ends_the_run(self):
        for where in ("submits", "reads", "parts"):
            with self.subTest(where=where):
                self.setUp()
                busy = lambda: (503, b"", [("Retry-After", "86400")])
                self.script(lambda request_id: busy() if where == "reads" else DONE,
                            refuse=lambda body: busy() if where == "submits" else None, part=lambda words: busy())
                done = self.run_bulk(self.write_documents(20), "--parts", "tables", "--max-outage", "4s")
                self.assert_exit(done, 6)
                self.assertIn("86400 s", done.stderr)
                self.assertEqual(self.failures, [])

    def test_the_progress_says_how_long_the_service_asks_to_wait(self):
        reads = []

        def result(request_id):
            reads.append(request_id)
            return (503, b"", [("Retry-After", "9")]) if len(reads) == 1 else DONE

        self.script(result)
        done = self.run_bulk(self.write_documents(20), "--log-format", "json")
        self.assert_exit(done, 0)
        self.assertTrue(any("asks to wait" in e["text"] for e in self.events(done, "progress")))

    def test_a_job_that_is_not_known_at_first_is_read_again(self):
        reads = collections.Counter()

        def result(request_id):
            reads[request_id] += 1
            return DONE if reads[request_id] > 3 else (404, {"message": "no such request"})

        self.script(result)
        self.assert_exit(self.run_bulk(self.write_documents(12)), 0)
        self.assertEqual(len(self.results), 12)

    def test_a_pause_beyond_the_deadline_costs_no_document_its_result(self):
        reads = []

        def result(request_id):
            reads.append(request_id)
            return (429, b"", [("Retry-After", "3")]) if len(reads) == 1 else DONE

        self.script(result)
        done = self.run_bulk(self.write_documents(20), "--deadline", "1s", "--poll-interval", "100ms-200ms")
        self.assert_exit(done, 0)
        self.assertEqual(len(self.results), 20)

    def test_one_document_that_is_throttled_every_time_does_not_hold_the_results_of_the_others(self):
        service = self.script(DONE, refuse=lambda body: (429, b"") if b"number 5" in body else None)
        self.write_documents(12)
        process = self.start("run", self.folder / "in", "--out", self.out, "--doc-type", "invoice", "--poll-interval", "100ms-200ms")
        self.wait_until(lambda: len(self.results) == 11)
        self.assertLess(service.requests.count("refused"), 12)
        process.send_signal(signal.SIGINT)
        process.wait(workbench.PATIENCE)
        self.assertEqual(len(self.results), 11)

    def test_a_pending_answer_that_asks_to_wait_holds_only_its_own_document(self):
        reads = []

        def result(request_id):
            reads.append(request_id)
            pending = {"data": {"progress": {"total_doc": 1, "ignored": 0, "finished": 0}, "documents": []}}
            return (200, pending, [("Retry-After", "4")]) if request_id == "r-1" and reads.count("r-1") == 1 else DONE

        self.script(result)
        done = self.run_bulk(self.write_documents(20), "--poll-interval", "100ms-200ms", "--connections", "3")
        self.assert_exit(done, 0)
        self.assertEqual(reads[-1], "r-1")


workbench.main()
