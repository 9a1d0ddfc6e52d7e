"""Every fault of the emulator, each alone and all together: every document ends with its result or for a stated reason, and the service's
own record says the same.

OCRPIPE_DOCUMENTS: how many documents meet all faults together.
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from outcome import Outcome, documents_in
from workbench import Case

documents = int(os.environ.get("OCRPIPE_DOCUMENTS", "600"))

# What a fault may make of a document; of those that are not named here, nothing: it gets its result.
LOST_ANSWER = {"ambiguous_submit"}
may_end_as = {
    # The request may be on its way before the reset or the close is seen.
    "reset-on-accept": LOST_ANSWER, "close-keep-alive": LOST_ANSWER,
    "reset-during-upload": LOST_ANSWER, "reset-before-answer": LOST_ANSWER, "reset-after-acceptance": LOST_ANSWER,
    "error-500-before-acceptance": LOST_ANSWER, "error-500-after-acceptance": LOST_ANSWER, "no-request-id": LOST_ANSWER,
    "truncated-body": LOST_ANSWER, "reset-mid-body": LOST_ANSWER, "bad-json": LOST_ANSWER, "bad-http": LOST_ANSWER,
    "empty-200": LOST_ANSWER, "null-200": LOST_ANSWER, "empty-object-200": LOST_ANSWER, "huge-header": LOST_ANSWER | {"header_too_large"},
    "huge-body": LOST_ANSWER | {"body_too_large"}, "html-200": LOST_ANSWER, "status": LOST_ANSWER, "envelope-error": LOST_ANSWER | {"rejected"},
    "redirect-other-origin": {"redirect_refused"}, "early-413": {"rejected"},
    "endless-pending": {"still_processing"}, "unknown-status": set(), "job-failed": {"job_failed"}, "lost-404": {"job_lost"},
    "gone-410": {"job_expired"},
}
# Kept short: a test has no time for their defaults.
shortened = {"refuse-connection": "ms=300", "stall": "ms=500", "slow-body": "ms=300", "huge-body": "bytes=80000000",
             "throttle-429-retry-after": "after=1", "error-503-retry-after": "after=1"}
# The key is refused, or there is no such address: the run stops, and the same command goes on.
stops_the_run = {"forbidden-403", "gateway-404"}
# Of the connection, before a request: not of a document.
without_probability = {"refuse-connection"}


def names():
    listed = subprocess.run([workbench.binary, "emulator", "--list-faults"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listed.splitlines()[3:] if line.strip()]


class Faulty(Case):
    def setUp(self):
        super().setUp()
        self.environments = {}

    def meet(self, folder, faults, count, allowed, runs):
        """Lets so many documents meet the faults; returns the outcome, what is wrong, and how often each fault happened."""
        (folder / "profile.json").write_text('{"settle_seconds": 0.2, "lost_seconds": 0.3}')
        for i in range(count):
            path = folder / "in" / f"{i:05}.pdf"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"%PDF-1.4 document " + str(i).encode() * 40)
        emulator = workbench.Emulator(folder, "--latency", "lognormal:60ms,0.5", *(a for f in faults for a in ("--fault", f)))
        command = [workbench.binary, "run", folder / "in", "--out", folder / "out", "--doc-type", "invoice", "--deadline", "8s",
                   "--profile", folder / "profile.json", "--parts", "tables,images"]
        environment = self.environment(OCRPIPE_BASE_URL=emulator.url)
        codes = []
        try:
            while not codes or (codes[-1] == 4 and len(codes) < runs):
                done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=workbench.PATIENCE * 3)
                codes.append(done.returncode)
        finally:
            emulator.close()
        if codes[-1] not in (0, 1):
            return None, [f"ended with {codes}: {done.stderr[-2000:]}"], emulator.faults()
        outcome = Outcome(folder / "out", documents_in(folder / "in"), emulator.truth("accepted"))
        delivered = {row["request_id"] for row in emulator.truth("result_delivered")}
        problems = outcome.problems(failures=allowed)
        for path, lines in outcome.lines.items():
            problems += [f"{path}: a result that was not delivered" for line in lines if line["request_id"] not in delivered]
        accepted = sum(len(ids) for ids in outcome.accepted.values())
        told = sum(row["request_id"] is not None for row in outcome.rows.values()) + sum(map(len, outcome.earlier.values()))
        in_doubt = sum(row["state"] == "ambiguous" for row in outcome.rows.values())
        if not told <= accepted <= told + in_doubt:
            problems.append(f"{accepted} were accepted, {told} request ids are known and {in_doubt} documents are in doubt")
        return outcome, problems, emulator.faults()


class Alone(Faulty):
    def check(self, name, parent):
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
        # Three 500s in a row would stop the doc_type.
        fault = ":".join([name, *([shortened[name]] if name in shortened else []), *([] if name in without_probability else ["count=2"])])
        outcome, problems, happened = self.meet(folder, [fault], 12, may_end_as.get(name, set()), runs=5)
        if not happened.get(fault):
            problems.append(f"{fault} did not happen: {happened}")
        elif outcome and sum(outcome.report["failed_by_class"].values()) > happened[fault]:
            problems.append(f"{happened[fault]} times {fault}, and {outcome.report['failed_by_class']}")
        return problems

    def test_each_fault_leaves_every_document_with_a_result_or_a_reason(self):
        all_names = names()
        self.assertGreater(len(all_names), 40)
        # Most of the time is spent waiting.
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            found = dict(zip(all_names, pool.map(lambda name: self.check(name, self.folder), all_names)))
        for name, problems in found.items():
            with self.subTest(fault=name):
                self.assertEqual(problems, [])


class Together(Faulty):
    def test_all_faults_at_once(self):
        faults = []
        for name in names():
            pauses = name.startswith("throttle") or name in ("error-503-retry-after", "envelope-error")
            p = 0.0005 if pauses or name in stops_the_run or name == "huge-body" else 0.004
            share = "" if name in without_probability else f":p={max(p, 6 / documents / 3) if pauses else max(p, 6 / documents)}"
            faults.append(name + (":" + shortened[name] if name in shortened else "") + share)
        allowed = set().union(*may_end_as.values())
        outcome, problems, happened = self.meet(self.folder, faults, documents, allowed, runs=40)
        self.assertEqual(problems, [], f"{len(problems)} problems")
        self.assertEqual([fault for fault in faults if not happened[fault]], [])
        print(f"{documents} documents: {outcome.results} results, {outcome.report['failed_by_class']}, "
              f"{sum(happened.values())} faults", file=sys.stderr)


if __name__ == "__main__":
    workbench.main()
