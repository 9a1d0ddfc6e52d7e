"""Large and incomplete results: nothing is cut silently, and a limit that is reached says so."""

import os
import subprocess
import sys

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from scripted_service import Outputs, finished

MIB = 1024 * 1024


def document(number, words):
    values = [{"extracted_value": f"w{number}-{i}", "extracted_prob": 0.9, "coordinates": [1, 2, 3, 4]} for i in range(words)]
    return {"document_id": f"d-{number}", "status": "SUCCESS", "ocr_data": [{"name": "text", "value": values}]}


def counted(documents, count):
    return {"data": {"progress": {"total_doc": count, "ignored": 0, "finished": count}, "documents": documents}}


class Words(Outputs):
    def test_the_documents_after_one_of_210_000_words_keep_their_text_and_their_parts(self):
        service = self.script(counted([document(1, 210_000), document(2, 2), document(3, 2)], 3), part=lambda words: (200, {"table": [words[-1]]}))
        self.write("in/a.pdf")
        self.assert_exit(self.run_bulk("in", "--text", "--parts", "tables"), 0)
        [text] = self.out.glob("text/**/*.txt")
        words = text.read_text().split()
        self.assertEqual((len(words), words[209_999:]), (210_004, ["w1-209999", "w2-0", "w2-1", "w3-0", "w3-1"]))
        self.assertEqual(len([r for r in service.requests if "/table/" in r]), 3)
        self.assertEqual(len(self.ocrpipe("recognize", "in/a.pdf", "--doc-type", "invoice").stdout.split()), 210_004)

    def test_300_000_documents_need_a_small_multiple_of_their_answer(self):
        self.skip_if_sanitized()
        answer = b'{"data":{"progress":{"total_doc":300000,"finished":300000},"documents":[' + b",".join([b'{"ocr_data":[{"value":["x"]}]}'] * 300_000) + b"]}}"
        self.script(answer)
        self.write("a.pdf")
        with open(self.folder / "log", "wb") as log:
            run = subprocess.Popen([workbench.binary, "run", "a.pdf", "--out", self.out, "--doc-type", "invoice", "--text", "--parts", "tables"],
                                   stdout=log, stderr=log, env=self.environment(), cwd=self.folder)
            _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(run.returncode, 0)
        [text] = self.out.glob("text/**/*.txt")
        self.assertEqual(text.stat().st_size, 599_999)  # each letter on its line
        self.assertLess(usage.ru_maxrss * 1024, 30 * MIB + 5 * len(answer))


class Size(Outputs):
    def test_an_answer_over_the_limit_is_read_once_and_a_run_with_a_higher_limit_gets_it(self):
        service = self.script(finished(("text", "x" * 2 * MIB)))
        self.write("in/a.pdf")
        done = self.run_bulk("in", "--max-answer", "1MiB")
        self.assert_exit(done, 1)
        self.assertEqual(len(service.requests), 2)  # the POST and one GET
        [failure] = self.failures
        self.assertEqual((failure["class"], failure["request_id"]), ("body_too_large", "r-1"))
        self.assertIn("max_answer_bytes is 1048576", failure["message"])
        self.assertIn("raise --max-answer", done.stderr)
        self.assertEqual(self.state_of("a.pdf"), ["stuck"])
        self.assert_exit(self.run_bulk("in", "--max-answer", "1MiB"), 1)
        self.assertEqual(len(service.requests), 3)
        self.assert_exit(self.run_bulk("in", "--max-answer", "4MiB"), 0)
        self.assertEqual(service.requests.count("POST"), 1)
        self.assertEqual(len(service.requests), 4)
        self.assertEqual(self.state_of("a.pdf"), ["done"])
        self.assertEqual(self.failures, [])

    def test_an_answer_without_end_is_cut_off_once(self):
        service = self.script(b"{" + b" " * 3 * MIB, length=False)
        self.write("in/a.pdf")
        self.assert_exit(self.run_bulk("in", "--max-answer", "1MiB"), 1)
        self.assertEqual(len(service.requests), 2)
        self.assertEqual([f["class"] for f in self.failures], ["body_too_large"])

    def test_a_part_over_the_limit_is_read_once(self):
        service = self.script(finished(("text", "x")), part=lambda words: (200, {"table": "x" * 2 * MIB}))
        self.write("in/a.pdf")
        self.run_bulk("in", "--parts", "tables", "--max-answer", "1MiB")
        self.assertEqual(len(service.requests), 3)
        self.assertEqual([p["error"] for p in self.results[0]["parts"]], ["body_too_large"])

    def test_the_commands_for_one_result_say_which_option_raises_the_limit(self):
        service = self.script(finished(("text", "x" * 2 * MIB)))
        self.write("a.pdf")
        for arguments in (("result", "r-1"), ("result", "r-1", "--wait"), ("recognize", "a.pdf", "--doc-type", "invoice")):
            service.requests.clear()
            done = self.ocrpipe(*arguments, "--max-answer", "1MiB")
            self.assert_exit(done, 1)
            self.assertIn("raise --max-answer", done.stderr)
            self.assertEqual(len([r for r in service.requests if r != "POST"]), 1)

    def test_a_header_over_the_limit_is_read_once_and_a_run_with_a_higher_limit_gets_it(self):
        service = self.script(finished(("text", "x")))
        service.fields = {"X-Trace": "y" * 60_000, "X-More": "y" * 60_000}
        self.write("in/a.pdf")
        done = self.run_bulk("in")
        self.assert_exit(done, 1)
        self.assertEqual(len(service.requests), 2)  # the POST and one GET
        [failure] = self.failures
        self.assertEqual((failure["class"], failure["request_id"]), ("header_too_large", "r-1"))
        self.assertIn("max_header_bytes is 65536", failure["message"])
        self.assertIn("raise --max-header", done.stderr)
        self.assertEqual(self.state_of("a.pdf"), ["stuck"])
        self.assert_exit(self.run_bulk("in", "--max-header", "1MiB"), 0)
        self.assertEqual(service.requests.count("POST"), 1)
        self.assertEqual(len(service.requests), 3)
        self.assertEqual(self.failures, [])

    def test_a_limit_out_of_range_is_refused_under_the_name_of_the_option(self):
        for wrong in ("10", "3GiB", "1.5", "x"):
            for option in ("--max-answer", "--max-header"):
                done = self.ocrpipe("result", "r-1", option, wrong)
                self.assert_exit(done, 2)
                self.assertIn(option + ": ", done.stderr)


class Partial(Outputs):
    def test_fewer_documents_than_progress_counts_are_done_in_part_after_the_settle_window(self):
        self.write("profile.json", '{"settle_seconds": 0.3}')
        one = document(1, 1)
        for name, answer in (("list", counted([one], 3)), ("object", counted(one, 3)), ("other", {"data": {
                "progress": {"total_doc": 3, "ignored": 0, "finished": 3}, "files": [one]}})):
            with self.subTest(name):
                self.script(answer)
                self.out = self.folder / name
                self.write("in/a.pdf")
                self.assert_exit(self.run_bulk("in", "--profile", "profile.json"), 1)  # the next run asks again
                self.assertEqual([r["status"] for r in self.results], ["done_in_part"])
                self.assertEqual(self.report["done_in_part"], 1)
                self.assertGreaterEqual(self.results[0]["polls"], 3)

    def test_documents_that_come_late_within_the_window_are_all_there(self):
        self.write("profile.json", '{"settle_seconds": 5}')
        answers = [counted([document(1, 1)], 3), counted([document(i, 1) for i in (1, 2, 3)], 3)]
        self.script(lambda request_id: answers.pop(0) if len(answers) > 1 else answers[0])
        self.write("in/a.pdf")
        self.assert_exit(self.run_bulk("in", "--profile", "profile.json"), 0)
        self.assertEqual([(r["status"], len(r["result"]["data"]["documents"])) for r in self.results], [("done", 3)])


if __name__ == "__main__":
    workbench.main()
