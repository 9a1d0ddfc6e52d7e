"""The failures of a run as the manifest of the next one, and the support's bundle: what they say of a job is true of its document."""

import json
import sys

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from scripted_service import Outputs, finished

PENDING = {"data": {"progress": {"total_doc": 1, "ignored": 0, "finished": 0}, "documents": []}}


class Failures(Outputs):
    def leave_two_jobs_behind(self):
        """Two documents that were accepted and have no result when the deadline passes."""
        service = self.script(PENDING)
        folder = self.write_documents(2)
        self.assert_exit(self.run_bulk(folder, "--deadline", "300ms"), 1)
        self.assertEqual({f["class"] for f in self.failures}, {"still_processing"})
        service.result = lambda request_id: finished(["total", "12"])
        return service, {f["path"].rsplit("/", 1)[1]: f["request_id"] for f in self.failures}

    def test_an_edited_file_does_not_get_the_result_of_its_earlier_content(self):
        service, ids = self.leave_two_jobs_behind()
        self.write("in/001.pdf", "%PDF-1.4 edited since")
        del service.requests[:]
        given, self.out = self.out / "failures.jsonl", self.folder / "again"
        done = self.run_bulk(given)
        self.assert_exit(done, 3)
        self.assertIn(f"was changed since it was sent as request {ids['001.pdf']}", done.stderr)
        self.assertEqual([f["class"] for f in self.failures], ["invalid_argument"])
        self.assertNotIn("POST", service.requests)
        self.assertEqual({path.rsplit("/", 1)[1] for path in service.requests}, {ids["000.pdf"]})
        self.assertEqual([r["request_id"] for r in self.results], [ids["000.pdf"]])

    def test_a_bundle_counts_the_polls_of_a_job_without_a_result(self):
        service, ids = self.leave_two_jobs_behind()
        for request_id in ids.values():
            self.assert_exit(self.ocrpipe("support", self.out, request_id), 0)
            bundle = json.loads((self.out / "support" / request_id / "request.json").read_text())
            polls = sum(path.endswith("/" + request_id) for path in service.requests)
            self.assertGreaterEqual(polls, 2)
            self.assertEqual(bundle["polls"], polls)


if __name__ == "__main__":
    workbench.main()
