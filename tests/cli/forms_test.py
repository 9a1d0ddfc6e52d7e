"""Results in forms that no profile describes, and answers that are hardly JSON, on the real binary against a scripted service."""

import json
import sys
import unittest

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from scripted_service import Outputs, finished

QUICK = '{"settle_seconds": 0.3}'
UNFAMILIAR = {"data": {"documents": [{"document_id": "d-1", "text": "Hóa đơn 458", "fields": [{"name": "total", "value": "12.500"}]}]}}


class Forms(Outputs):
    def quick(self):
        return ("--profile", self.write("quick.json", QUICK))

    def test_text_under_another_key_is_the_result_and_said_once(self):
        service = self.script(UNFAMILIAR)
        done = self.run_bulk(self.write_documents(3), "--text", *self.quick())
        self.assert_exit(done, 0)
        self.assertEqual([r["status"] for r in self.results], ["done"] * 3)
        self.assertEqual([r["recognized"] for r in self.results], [False] * 3)
        self.assertEqual(self.results[0]["result"], UNFAMILIAR)
        for line in self.results:
            self.assertEqual((self.out / line["text"]).read_text(encoding="utf-8").strip(), "Hóa đơn 458\ntotal: 12.500")
        said = self.events(done, "unrecognized_result")
        self.assertEqual(len(said), 1)
        self.assertIn("ocrpipe result r-", said[0]["text"])
        self.assertIn("--explain", said[0]["text"])
        self.assertEqual(self.report["unrecognized"], 3)
        self.assertEqual(service.requests.count("POST"), 3)

    def test_a_list_as_data_is_done_when_it_stays_the_same(self):
        service = self.script({"message": "success", "data": [{"text": "Hello"}], "time": 7})
        done = self.ocrpipe("recognize", self.write("a.pdf"), "--doc-type", "x")
        self.assert_exit(done, 0)
        self.assertEqual(done.stdout, "Hello\n")
        self.assertEqual(len([r for r in service.requests if r != "POST"]), 2)

    def test_a_status_beside_data_is_done_at_once(self):
        service = self.script({"status": "DONE", "data": {"documents": [{"text": "Hello"}]}})
        self.assertEqual(self.ocrpipe("recognize", self.write("a.pdf"), "--doc-type", "x").stdout, "Hello\n")
        self.assertEqual(len([r for r in service.requests if r != "POST"]), 1)

    def test_bookkeeping_that_changes_at_each_read_is_no_reason_to_ask_for_ever(self):
        count = iter(range(1000))
        self.script(lambda request_id: {"data": {"text": "Hello"}, "timestamp": next(count), "trace_id": f"t-{next(count)}"})
        done = self.ocrpipe("recognize", self.write("a.pdf"), "--doc-type", "x", "--deadline", "20s")
        self.assert_exit(done, 0)
        self.assertEqual(done.stdout, "Hello\n")

    def test_known_content_that_is_still_to_come_is_waited_for(self):
        reads = []

        def answer(request_id):
            reads.append(request_id)
            return finished(("total",) if len(reads) < 3 else ("total", "12"))

        self.script(answer)
        done = self.ocrpipe("recognize", self.write("a.pdf"), "--doc-type", "x")
        self.assertEqual(done.stdout, "12\n")
        self.assertEqual(len(reads), 3)

    def test_a_finished_answer_without_anything_is_empty(self):
        self.script({"status": "DONE", "data": {"documents": []}})
        done = self.run_bulk(self.write_documents(1), *self.quick())
        self.assert_exit(done, 1)  # the next run asks again
        self.assertEqual([r["status"] for r in self.results], ["done_empty"])
        self.assertNotIn("recognized", self.results[0])

    def test_json_that_python_reads_is_a_result_and_its_line_is_strict_json(self):
        body = b'\xef\xbb\xbf{"data":{"status":"DONE","documents":[{"ocr_data":[{"name":"a","value":["x\\ud800"]}],"score":NaN}]}}'
        self.script(body)
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        line = self.results[0]
        document = line["result"]["data"]["documents"][0]
        self.assertIsNone(document["score"])
        self.assertEqual(document["ocr_data"][0]["value"], ["x\ufffd"])
        self.assertEqual((self.out / line["answer"]).read_bytes(), body)

    def test_utf_16_is_read(self):
        self.script(json.dumps(UNFAMILIAR, ensure_ascii=False).encode("utf-16"))
        done = self.ocrpipe("recognize", self.write("a.pdf"), "--doc-type", "x")
        self.assertEqual(done.stdout, "Hóa đơn 458\ntotal: 12.500\n")

    def test_an_answer_that_no_parser_takes_is_kept_and_the_document_fails_with_the_position(self):
        body = b'{"data":{"documents":[{"text":"Hello" "oops"}]}}'
        service = self.script(body)
        done = self.run_bulk(self.write_documents(1), *self.quick())
        self.assert_exit(done, 1)
        self.assertEqual([f["class"] for f in self.failures], ["unreadable_answer"])
        message = self.failures[0]["message"]
        self.assertIn("line 1, column 39 (byte 38)", message)
        kept = message.split("the whole answer is in ")[1]
        self.assertEqual((self.out / kept).read_bytes(), body)
        self.assertEqual(self.failures[0]["request_id"], "r-1")
        # It is paid for: the next run asks again, and sends nothing.
        service.result = lambda request_id: UNFAMILIAR
        self.assert_exit(self.run_bulk(self.folder / "in", *self.quick()), 0)
        self.assertEqual(service.requests.count("POST"), 1)

    def test_an_error_in_a_good_answer_is_no_result(self):
        self.script({"error": "internal error", "path": "/ingest/r-1", "trace": "abc"})
        done = self.ocrpipe("recognize", self.write("a.pdf"), "--doc-type", "x", "--deadline", "1s")
        self.assert_exit(done, 1)
        self.assertEqual(done.stdout, "")

    def test_parts_of_an_unfamiliar_result_are_fetched_and_a_pending_part_is_waited_for(self):
        reads = []

        def part(words):
            reads.append(words)
            return 200, {"data": {"status": "PROCESSING"}} if len(reads) < 3 else {"tables": [{"cells": ["a"]}]}

        self.script(UNFAMILIAR, part=part)
        self.assert_exit(self.run_bulk(self.write_documents(1), "--parts", "tables", *self.quick()), 0)
        entry = self.results[0]["parts"][0]
        self.assertEqual(entry["document_id"], "d-1")
        self.assertEqual(json.loads((self.out / entry["file"]).read_text()), {"tables": [{"cells": ["a"]}]})
        self.assertEqual(len(reads), 3)


class Explain(Outputs):
    def test_explain_says_what_was_found_and_its_profile_lines_make_the_form_known(self):
        answer = self.write("answer.json", json.dumps(UNFAMILIAR))
        done = self.ocrpipe("explain", answer)
        self.assert_exit(done, 0)
        for words in ('content without status, twice the same', "not recognized", "data.documents[].text = Hóa đơn 458",
                      "1: id d-1", "  total: 12.500", '"content_keys": ["ocr_data","text"]'):
            self.assertIn(words, done.stdout)
        lines = done.stdout.split("describe this form:\n")[1]
        profile = self.write("mine.json", "{" + lines + "}")
        said = self.ocrpipe("explain", answer, "--profile", profile).stdout
        self.assertIn("form: recognized", said)
        self.assertNotIn("profile lines", said)

    def test_explain_reads_standard_input_and_a_line_of_a_results_file(self):
        self.script(UNFAMILIAR)
        self.assert_exit(self.run_bulk(self.write_documents(1)), 0)
        line = (self.out / "results-00001.jsonl").read_text(encoding="utf-8")
        expected = self.ocrpipe("explain", self.write("answer.json", json.dumps(UNFAMILIAR)))
        self.assertEqual(self.ocrpipe("explain", "-", stdin=line).stdout, expected.stdout)
        self.assertEqual(self.ocrpipe("explain", stdin=line).stdout, expected.stdout)

    def test_result_explain_asks_the_service_once(self):
        service = self.script(UNFAMILIAR)
        done = self.ocrpipe("result", "r-7", "--explain")
        self.assert_exit(done, 0)
        self.assertIn("data.documents[].text", done.stdout)
        self.assertEqual(service.requests, [r for r in service.requests if r.endswith("/ingest/r-7")])
        self.assertEqual(len(service.requests), 1)
        self.assert_exit(self.ocrpipe("result", "r-7", "--explain", "--wait"), 2)

    def test_explain_says_where_an_answer_stops_being_json(self):
        done = self.ocrpipe("explain", self.write("answer.json", '{"data": [1 2]}'))
        self.assertIn("not JSON: line 1, column 13 (byte 12)", done.stdout)
        for missing in (self.folder / "missing.json", self.write("empty.json", ""), self.folder):
            self.assert_exit(self.ocrpipe("explain", missing), 3)

    def test_profile_prints_what_profile_reads(self):
        printed = self.ocrpipe("profile")
        self.assert_exit(printed, 0)
        self.assertIn("ocr_data", json.loads(printed.stdout)["content_keys"])
        again = self.ocrpipe("profile", "--profile", self.write("default.json", printed.stdout))
        self.assertEqual(again.stdout, printed.stdout)


if __name__ == "__main__":
    workbench.main()
