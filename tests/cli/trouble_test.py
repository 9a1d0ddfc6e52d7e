"""A service that answers, but with errors or pages of a gateway, costs no document its result and no part its attempts."""

import threading
import time

import scripted_service
import workbench
from scripted_service import Outputs, finished

DONE = finished(("total", "12"))


class Trouble(Outputs):
    """An outage that shows as answers: they are errors, or pages of a gateway."""

    PAGE = b"<html>maintenance</html>"
    BOTH = (500, b"oops"), (502, PAGE), (503, b"busy"), (200, PAGE)
    LOGIN = (307, b"", [("Location", "http://127.0.0.2:9/login")])
    READS = *BOTH, (404, PAGE), (400, PAGE), (410, PAGE), (451, PAGE), LOGIN
    # These prove that the document was not accepted, and do not judge it, so it is sent again.
    REFUSED = (404, PAGE), (405, PAGE), (431, b""), (425, b"early"), (511, PAGE)
    SUBMITS = *BOTH, *REFUSED, (400, PAGE), (501, b"no"), LOGIN
    SECONDS = 2.5

    def outage(self, answer, after):
        """Gives `answer` for some seconds, instead of what a good service would, once `after` good ones were given."""
        good, began = [], []

        def trouble():
            if len(good) < after:
                good.append(1)
                return None
            if not began:
                began.append(time.monotonic())
            return answer if time.monotonic() < began[0] + self.SECONDS else None

        return trouble

    def run_through(self, *arguments):
        return self.run_bulk(self.folder / "in", "--poll-interval", "100ms-200ms", "--deadline", "1500ms", "--connections", "3",
                             "--submit-rate", "30", "--log-format", "json", *arguments)

    def assert_told(self, done, answer):
        outage, *_ = self.events(done, "outage")
        status = answer[0]
        self.assertIn({200: "not the service's", 307: "a redirect was not followed"}.get(status, f"HTTP {status}"), outage["reason"])

    def test_reads(self):
        for answer in self.READS:
            with self.subTest(answer=answer):
                self.setUp()
                trouble = self.outage(answer, after=20)
                self.script(lambda request_id: trouble() or DONE)
                self.write_documents(60)
                done = self.run_through()
                self.assert_exit(done, 0)
                self.assertEqual(len(self.results), 60)
                self.assertEqual(self.failures, [])
                self.assert_told(done, answer)

    def test_submits(self):
        for answer in self.SUBMITS:
            with self.subTest(answer=answer):
                self.setUp()
                trouble = self.outage(answer, after=20)
                self.script(DONE, refuse=lambda body: trouble())
                self.write_documents(60)
                done = self.run_through()
                self.assertIn(done.returncode, (0, 1), done.stderr)
                ended_as = {400: "rejected", 404: "rejected", 405: "rejected", 431: "rejected", 501: "rejected", 307: "redirect_refused",
                            425: "service_error", 511: "service_error"}.get(answer[0], "ambiguous_submit")
                failed = [f["class"] for f in self.failures]
                self.assertEqual(failed, [ended_as] * len(failed))
                # Until the pause begins, a document may use up its attempts.
                self.assertLessEqual(len(failed), 0 if answer[0] == 503 else 3 if answer in self.REFUSED else 8)
                self.assertEqual(len(self.results), 60 - len(failed))

    def test_submits_whose_answers_are_lost_or_no_http(self):
        for trouble_with in (lambda handler: scripted_service.reset(handler.connection), lambda handler: handler.wfile.write(b"no HTTP at all\r\n\r\n")):
            self.setUp()
            service = self.script(DONE)
            lose, trouble = trouble_with, self.outage(True, after=20)
            answer = service.handler.answer

            def broken(handler, *arguments, **more):
                if handler.command == "POST" and trouble():
                    lose(handler)
                    handler.close_connection = True
                else:
                    answer(handler, *arguments, **more)

            service.handler.answer = broken
            self.write_documents(60)
            self.assert_exit(self.run_through(), 1)
            self.assertEqual({f["class"] for f in self.failures}, {"ambiguous_submit"})
            self.assertLessEqual(len(self.failures), 8)
            self.assertEqual(len(self.results), 60 - len(self.failures))

    def test_all_requests(self):
        for answer in self.BOTH:
            with self.subTest(answer=answer):
                self.setUp()
                trouble = self.outage(answer, after=20)
                self.script(lambda request_id: trouble() or DONE, refuse=lambda body: trouble())
                self.write_documents(60)
                done = self.run_through()
                self.assertLessEqual(len(self.failures), 0 if answer[0] == 503 else 8)
                self.assertEqual(len(self.results), 60 - len(self.failures))
                self.assert_told(done, answer)

    def test_parts(self):
        for answer in self.READS:
            with self.subTest(answer=answer):
                self.setUp()
                trouble = self.outage(answer, after=20)
                self.script(DONE, part=lambda words: trouble() or (200, {"table": [["1"]]}))
                self.write_documents(60)
                done = self.run_through("--parts", "tables")
                self.assert_exit(done, 0)
                self.assertEqual(len(list(self.out.glob("parts/**/*.json"))), 60)
                self.assert_told(done, answer)

    def test_reads_that_get_no_answer_while_submits_do(self):
        trouble, release = self.outage("hangs", after=20), threading.Event()
        self.addCleanup(release.set)

        def result(request_id):
            if trouble():
                release.wait(workbench.PATIENCE)
                raise ConnectionAbortedError
            return DONE

        self.script(result)
        self.write_documents(60)
        done = self.run_through("--connections", "16")
        self.assert_exit(done, 0)
        self.assertEqual(len(self.results), 60)

    def test_trouble_that_is_too_long_ends_the_run_and_fails_no_document(self):
        reads = []

        def result(request_id):
            reads.append(request_id)
            return DONE if len(reads) <= 20 else (502, self.PAGE)

        service = self.script(result)
        self.write_documents(60)
        done = self.run_through("--max-outage", "2s")
        self.assert_exit(done, 6)
        self.assertIn("HTTP 502", done.stderr)
        self.assertEqual(self.failures, [])
        self.assertEqual(len(self.results), 20)
        service.result = lambda request_id: DONE
        self.assert_exit(self.run_through(), 0)
        self.assertEqual(len(self.results), 60)
        self.assertEqual(service.requests.count("POST"), 60)

    def test_one_bad_part_and_one_bad_job_end_alone(self):
        self.script(lambda request_id: (500, b"oops") if request_id == "r-7" else DONE,
                    part=lambda words: (500, b"oops") if words[1] == "r-5" else (200, {"table": [["1"]]}))
        self.write_documents(20)
        done = self.run_through("--parts", "tables")
        self.assert_exit(done, 1)
        self.assertEqual(sorted(f["request_id"] for f in self.failures), ["r-5", "r-7"])
        self.assertEqual(len(self.results), 19)


workbench.main()
