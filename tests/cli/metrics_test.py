"""What a run shows at --metrics while it goes on: metrics for Prometheus, its report, and nothing to strangers."""

import http.client
import json
import re
import socket
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Case


class Metrics(Case):
    def start_run(self, *arguments):
        """A run that takes names from its standard input, and so goes on until that is closed."""
        run = self.start("run", "-", "--out", self.out, "--doc-type", "invoice", "--metrics", "127.0.0.1:0", *arguments)
        self.url = urllib.parse.urlsplit(self.wait_for_event(run, "metrics")["url"])
        return run

    def get(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=workbench.PATIENCE)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer, body

    def samples(self):
        _, text = self.get("/metrics")
        return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.MULTILINE)}

    def wait_until_done(self, count):
        self.wait_until(lambda: self.samples()['ocrpipe_documents{state="done"}'] >= count)

    def send(self, run, count):
        folder = self.write_documents(count)
        run.stdin.write("".join(f"{path}\n" for path in sorted(folder.iterdir())))
        run.stdin.flush()

    def end(self, run, code=0):
        run.communicate("", timeout=workbench.PATIENCE)
        self.assertEqual(run.returncode, code)

    def test_the_counters_are_those_of_the_report(self):
        self.start_emulator("--latency", "fixed:50ms", "--fault", "throttle-429:count=2")
        run = self.start_run()
        self.send(run, 30)
        self.wait_until_done(30)
        samples = self.samples()
        _, text = self.get("/metrics")
        self.end(run)
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=workbench.PATIENCE)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))

        report = self.report
        self.assertEqual(report["done"], 30)
        for state in ("done", "failed", "unfinished", "not_sent", "repeated"):
            self.assertEqual(samples[f'ocrpipe_documents{{state="{state}"}}'], report[state], state)
        for name, value in (("documents_accepted", report["paid"]["accepted"]), ("documents_done", report["done_now"]), ("submits", report["submits"]),
                            ("polls", report["polls"]), ("throttled", report["throttled"]), ("submitted_bytes", report["bytes"])):
            self.assertEqual(samples[f"ocrpipe_{name}_total"], value, name)
        requests = {(operation, status): count for operation, statuses in report["http_statuses"].items() for status, count in statuses.items()}
        self.assertEqual({(o, s): samples[f'ocrpipe_requests_total{{operation="{o}",status="{s}"}}'] for o, s in requests}, requests)
        self.assertEqual(samples["ocrpipe_document_duration_seconds_count"], report["latency"]["end_to_end"]["count"])
        self.assertEqual(samples['ocrpipe_request_duration_seconds_count{operation="poll"}'], report["latency"]["poll"]["count"])
        self.assertEqual(samples['ocrpipe_request_duration_seconds_bucket{operation="poll",le="+Inf"}'], report["latency"]["poll"]["count"])

    def test_the_report_is_there_while_the_run_goes_on(self):
        self.start_emulator()
        run = self.start_run()
        self.send(run, 3)
        self.wait_until_done(3)
        answer, health = self.get("/healthz")
        self.assertEqual((answer.status, health), (200, "ok\n"))
        answer, text = self.get("/report.json")
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "application/json"))
        report = json.loads(text)
        self.assertEqual((report["state"], report["done"], report["source_exhausted"]), ("running", 3, False))
        answer, page = self.get("/")
        self.assertEqual((answer.status, answer.headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertTrue(page.startswith("<!DOCTYPE html>"))
        for text in (page, text, self.get("/metrics")[1]):
            self.assertNotIn(workbench.KEY, text)
        self.end(run)

    def test_other_requests_are_refused(self):
        self.start_emulator()
        run = self.start_run()
        self.assertEqual(self.get("/nothing")[0].status, 404)
        self.assertEqual(self.get("/", method="POST")[0].status, 405)
        for size in (10, 300_000, 3_000_000):
            peer = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=workbench.PATIENCE)
            try:
                peer.request("POST", "/", body=b"x" * size)
            except ConnectionError:
                pass  # it was answered before everything was sent
            self.assertEqual(peer.getresponse().status, 405, size)
            peer.close()
        head, body = self.get("/", method="HEAD")
        self.assertEqual((head.status, body), (200, ""))
        # A page of another site that has a name for this address.
        for host, status in (("attacker.example:9464", 421), ("localhost:9464", 200), ("LocalHost", 200), ("[::1]:9464", 200), ("", 421)):
            self.assertEqual(self.get("/report.json", Host=host)[0].status, status, host)
        with socket.create_connection((self.url.hostname, self.url.port), timeout=workbench.PATIENCE) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n")
            try:
                self.assertEqual(peer.recv(100), b"")
            except ConnectionResetError:
                pass
        self.assertEqual(self.get("/healthz")[0].status, 200)
        self.end(run, 3)  # no input was named

    def test_idle_connections_give_way(self):
        self.start_emulator()
        run = self.start_run()
        idle = [socket.create_connection((self.url.hostname, self.url.port), timeout=workbench.PATIENCE) for _ in range(40)]
        self.assertEqual(self.get("/healthz")[0].status, 200)
        idle[0].settimeout(workbench.PATIENCE)
        self.assertEqual(idle[0].recv(1), b"", "the oldest was closed")
        for peer in idle:
            peer.close()
        self.end(run, 3)

    def test_a_port_in_use_is_an_error_before_anything_is_sent(self):
        emulator = self.start_emulator()
        self.write_documents(2)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = self.run_bulk(self.folder / "in", "--metrics", f"127.0.0.1:{port}")
        self.assert_exit(done, 2)
        self.assertIn(f"--metrics: cannot listen on 127.0.0.1 port {port}: Address already in use", done.stderr)
        self.assertEqual(emulator.truth("accepted"), [])


if __name__ == "__main__":
    workbench.main()
