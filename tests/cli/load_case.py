"""What the tests of `ocrpipe load` share."""

import json

from workbench import Case

WORKERS = 20


class LoadCase(Case):
    def serve(self, latency="fixed:100ms", *more, **others):
        return self.start_emulator("--workers", str(WORKERS), "--latency", latency, *more, **others)

    def load(self, out, *arguments, **more):
        # Tests share the machine: a late generator is not their subject.
        return self.ocrpipe("load", "--doc-type", "invoice", "--out", self.folder / out, "--poll-interval", "20ms-40ms", "--send-delay", "5s",
                            *arguments, **more)

    def report_of(self, out):
        return json.loads((self.folder / out / "report.json").read_text())

    def records(self, out, name="jobs.jsonl"):
        return [json.loads(line) for line in (self.folder / out / name).read_text().splitlines()]

    jobs = records
