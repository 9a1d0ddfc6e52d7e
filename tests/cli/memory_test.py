"""What large answers cost in memory: the real binary's peak, read from the kernel while it still runs."""

import re
import subprocess
import sys
import threading

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from scripted_service import Outputs, finished

MIB = 1024 * 1024
BASE = 30 * MIB  # the program, its libraries and its buffers


def small_documents(count, of=b'{"ocr_data":[{"value":["x"]}]}'):
    return b'{"data":{"progress":{"total_doc":%d,"finished":%d},"documents":[' % (count, count) + b",".join([of] * count) + b"]}}"


def peak(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024


class Memory(Outputs):
    def setUp(self):
        super().setUp()
        self.skip_if_sanitized()

    def run_until_the_last_document(self, results, *arguments):
        """Reads results[i] for document i + 1. Returns the peak after they are written; one more document is still pending then."""
        ready = threading.Event()
        self.addCleanup(ready.set)
        pending = {"data": {"progress": {"total_doc": 1, "finished": 0}, "documents": []}}

        def answer(request_id):
            number = int(request_id.split("-")[1])
            if number <= len(results):
                return results[number - 1]
            return finished(("a", "b")) if ready.is_set() else pending

        service = self.script(answer, part=lambda words: (200, {"table": ["x"]}))
        for i in range(len(results) + 1):
            self.write(f"in/{i:02}.pdf", f"%PDF-1.4 {i}")
        run = self.start("run", "in", "--out", self.out, "--doc-type", "invoice", "--log-format", "json", *arguments)
        self.wait_for_event(run, "progress", lambda o: o["done"] == len(results))
        most = peak(run)
        ready.set()
        run.communicate(timeout=workbench.PATIENCE)
        self.assertEqual(run.returncode, 0)
        self.assertEqual(service.requests.count("POST"), len(results) + 1)
        return most

    def test_an_answer_of_a_million_documents_needs_three_times_its_size(self):
        answer = small_documents(1_000_000)
        for arguments in ((), ("--text", "--parts", "tables")):
            with self.subTest(arguments):
                self.out = self.folder / f"out{len(arguments)}"
                self.assertLess(self.run_until_the_last_document([answer], *arguments), BASE + 3 * len(answer))

    def test_two_such_answers_need_no_more(self):
        answer = small_documents(500_000)
        self.assertLess(self.run_until_the_last_document([answer, answer], "--text", "--connections", "4"), BASE + 4 * len(answer))

    def test_recognize_needs_three_times_the_answer(self):
        for name, answer in (("small documents", small_documents(1_000_000)),
                             ("long texts", small_documents(250_000, b'{"ocr_data":[{"value":["' + b"x" * 90 + b'"]}]}'))):
            with self.subTest(name):
                self.script(answer)
                self.write("a.pdf")
                process = self.start("recognize", "a.pdf", "--doc-type", "invoice")
                first = process.stdout.read(1)  # the rest does not fit the pipe
                self.assertEqual(first, "x")
                self.assertLess(peak(process), BASE + 3 * len(answer))
                process.communicate(timeout=workbench.PATIENCE)
                self.assertEqual(process.returncode, 0)

    def test_large_answers_on_all_connections_are_received_one_at_a_time(self):
        answer = finished(("text", "x" * 16 * MIB))
        most = self.run_until_the_last_document([answer] * 12, "--connections", "40", "--max-answer", "17M")
        self.assertLess(most, BASE + 5 * 17 * MIB)


if __name__ == "__main__":
    workbench.main()
