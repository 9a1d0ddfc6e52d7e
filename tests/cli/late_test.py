"""Content that comes after the end of its job: empty and partial results are asked for again, and nothing is sent again."""

import sys

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from scripted_service import Outputs, finished

EMPTY = {"data": {"status": "SUCCESS", "progress": {"total_doc": 1, "ignored": 0, "finished": 1}, "documents": [{"document_id": "d-1", "ocr_data": None}]}}
FULL = finished(("total", "12"))


def part_of(count, of):
    one = FULL["data"]["documents"][0]
    return {"data": {"progress": {"total_doc": of, "ignored": 0, "finished": of}, "documents": [one] * count}}


class Late(Outputs):
    def setUp(self):
        super().setUp()
        self.write("profile.json", '{"settle_seconds": 0.2}')

    def run_late(self, *arguments):
        return self.run_bulk("in", "--profile", "profile.json", *arguments)

    def last_lines(self):
        return {r["id"]: r for r in self.results}

    def counts(self):
        return {key: self.report[key] for key in ("found", "done", "done_empty", "done_in_part", "to_ask_again", "failed")}

    def posts(self, service):
        return service.requests.count("POST")

    def test_content_after_the_run_is_fetched_by_the_next_one_and_nothing_is_sent_again(self):
        service = self.script(EMPTY)
        self.write_documents(20)
        done = self.run_late("--text")
        self.assert_exit(done, 1)
        [end] = self.events(done, "run_finished")
        self.assertIn("20 without content", end["text"])
        self.assertIn("20 results are empty or incomplete: the next run asks", end["text"])
        self.assertEqual(self.counts(), {"found": 20, "done": 20, "done_empty": 20, "done_in_part": 0, "to_ask_again": 20, "failed": 0})
        self.assertIn("20  of the results are empty", self.ocrpipe("status", self.out).stdout)

        service.result = lambda request_id: FULL
        done = self.run_late("--text")
        self.assert_exit(done, 0)
        self.assertEqual(self.posts(service), 20)
        self.assertEqual(self.counts(), {"found": 20, "done": 20, "done_empty": 0, "done_in_part": 0, "to_ask_again": 0, "failed": 0})
        self.assertEqual(self.report["renewed"], 20)
        self.assertEqual(len(self.results), 40)
        last = self.last_lines()
        self.assertEqual({r["status"] for r in last.values()}, {"done"})
        self.assertEqual({(self.out / r["text"]).read_text() for r in last.values()}, {"12"})
        self.assertEqual(self.export("--csv", "-o", self.folder / "t.csv").returncode, 0)
        self.assertEqual((self.folder / "t.csv").read_text(encoding="utf-8-sig").count(",12"), 20)

    def test_content_at_the_end_of_the_run_is_fetched_by_the_run_itself(self):
        reads = []

        def answer(request_id):
            reads.append(request_id)
            return EMPTY if len(reads) < 4 else FULL  # three reads settle it as empty

        self.write("profile.json", '{"settle_seconds": 0}')
        service = self.script(answer)
        self.write_documents(1)
        self.assert_exit(self.run_late(), 0)
        self.assertEqual(len(reads), 4)
        self.assertEqual([r["status"] for r in self.results], ["done_empty", "done"])
        self.assertEqual(self.counts()["done_empty"], 0)
        self.assertEqual((self.report["done_now"], self.report["renewed"]), (1, 1))
        self.assertEqual(self.posts(service), 1)
        self.assertEqual(self.results[-1]["result"], FULL)

    def test_during_a_run_one_empty_result_is_asked_for_again_to_learn_how_late_content_comes(self):
        reads = []

        def answer(request_id):
            reads.append(request_id)
            return FULL if request_id == "r-1" and reads.count("r-1") > 3 else EMPTY

        self.write("profile.json", '{"settle_seconds": 0}')
        service = self.script(answer)
        self.write_documents(4)
        self.run_late("--max-inflight", "1")
        self.assertEqual([r["status"] for r in self.results if r["request_id"] == "r-1"], ["done_empty", "done"])
        again = [i for i, r in enumerate(service.requests) if r.endswith("/r-1")][3]
        last_post = [i for i, r in enumerate(service.requests) if r == "POST"][3]
        self.assertLess(again, last_post)

    def test_a_result_that_is_empty_again_in_the_next_run_stays_empty_and_is_asked_for_no_more(self):
        service = self.script(EMPTY)
        self.write_documents(3)
        self.assert_exit(self.run_late(), 1)
        asked = len(service.requests)
        done = self.run_late()
        self.assert_exit(done, 0)
        self.assertEqual(len(service.requests) - asked, 3)
        self.assertEqual(self.counts()["done_empty"], 3)
        self.assertEqual(self.counts()["to_ask_again"], 0)
        self.assertEqual(len(self.results), 3)
        asked = len(service.requests)
        self.assert_exit(self.run_late(), 0)
        self.assertEqual(len(service.requests), asked)
        # retry asks for all of them.
        service.result = lambda request_id: FULL
        self.assert_exit(self.ocrpipe("retry", self.out, "--profile", "profile.json"), 0)
        self.assertEqual(self.counts()["done_empty"], 0)
        self.assertEqual({r["status"] for r in self.last_lines().values()}, {"done"})
        self.assertEqual(self.posts(service), 3)

    def test_a_partial_result_is_asked_for_like_an_empty_one(self):
        service = self.script(part_of(1, 3))
        self.write_documents(1)
        self.assert_exit(self.run_late(), 1)
        self.assertEqual(self.counts()["done_in_part"], 1)
        service.result = lambda request_id: part_of(2, 3)
        self.run_late()
        self.assertEqual([(r["status"], len(r["result"]["data"]["documents"])) for r in self.results], [("done_in_part", 1), ("done_in_part", 2)])
        service.result = lambda request_id: part_of(3, 3)
        self.assert_exit(self.ocrpipe("retry", self.out, "--profile", "profile.json"), 0)
        self.assertEqual([r["status"] for r in self.results], ["done_in_part", "done_in_part", "done"])
        self.assertEqual(self.counts()["done_in_part"], 0)
        self.assertEqual(self.posts(service), 1)

    def test_the_copies_of_an_empty_result_get_its_content_too(self):
        service = self.script(EMPTY)
        for i in range(4):
            self.write(f"in/{i}.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_late("--dedupe", "content"), 1)
        self.assertEqual(self.counts()["done_empty"], 4)
        service.result = lambda request_id: FULL
        self.assert_exit(self.run_late("--dedupe", "content"), 0)
        self.assertEqual(self.posts(service), 1)
        self.assertEqual((self.counts()["done"], self.counts()["done_empty"]), (4, 0))
        self.assertEqual([r["status"] for r in self.last_lines().values()], ["done"] * 4)
        self.assertEqual(self.report["copies"], 3)

    def test_copies_that_are_made_while_their_original_is_read_again_get_its_content(self):
        service = self.script(EMPTY)
        self.write("in/000.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_late("--dedupe", "content"), 1)
        for i in range(1, 200):
            self.write(f"in/{i:03}.pdf", "%PDF-1.4 the same")
        service.result = lambda request_id: FULL
        self.assert_exit(self.run_late("--dedupe", "content"), 0)
        self.assertEqual(self.posts(service), 1)
        self.assertEqual(self.counts()["done_empty"], 0)
        self.assertEqual([r["status"] for r in self.last_lines().values()], ["done"] * 200)

    def test_a_copy_does_not_get_the_result_of_other_content(self):
        service = self.script(lambda request_id: EMPTY if request_id == "r-1" else FULL)
        for name in ("a", "b"):
            self.write(f"in/{name}.pdf", "%PDF-1.4 the same")
        self.assert_exit(self.run_late("--dedupe", "content"), 1)
        [original] = {r["duplicate_of"] for r in self.results if r.get("duplicate_of")}
        self.write(original, "%PDF-1.4 another")
        self.run_late("--dedupe", "content")
        self.assertEqual(self.posts(service), 2)
        last = self.last_lines()
        self.assertEqual(last.pop(original)["request_id"], "r-2")
        [copy] = last.values()
        self.assertEqual((copy["request_id"], copy["status"]), ("r-1", "done_empty"))

    def test_a_document_whose_file_changed_is_sent_and_its_old_result_does_not_come_back(self):
        service = self.script(lambda request_id: EMPTY if request_id == "r-1" else FULL)
        self.write("in/a.pdf", "%PDF-1.4 one")
        self.assert_exit(self.run_late(), 1)
        self.write("in/a.pdf", "%PDF-1.4 another")
        self.assert_exit(self.run_late(), 0)
        self.assertEqual(self.posts(service), 2)
        self.assertEqual([(r["status"], r["request_id"]) for r in self.results][-1], ("done", "r-2"))
        self.assertEqual(self.counts()["to_ask_again"], 0)

    def test_a_service_that_does_not_answer_the_second_question_changes_nothing(self):
        service = self.script(EMPTY)
        self.write_documents(2)
        self.assert_exit(self.run_late(), 1)
        service.close()
        done = self.run_late()
        self.assert_exit(done, 1)
        self.assertEqual(self.counts()["to_ask_again"], 2)
        self.assertEqual(self.failures, [])

    def test_a_doc_type_that_worked_in_an_earlier_run_is_not_stopped_by_three_500s(self):
        service = self.script(FULL)
        self.write_documents(1)
        self.assert_exit(self.run_late(), 0)
        service.status = 500
        self.write_documents(12)
        self.assert_exit(self.run_late(), 1)
        self.assertEqual({f["class"] for f in self.failures}, {"ambiguous_submit"})
        self.assertEqual(len(self.failures), 11)


if __name__ == "__main__":
    workbench.main()
