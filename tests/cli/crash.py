"""Kills `ocrpipe run` again and again at random moments, and checks that nothing is lost and nothing is paid for twice.

The emulator of the service is never killed and writes down what it truly accepted. tools/crash calls this at length, crash_test.py in short.
"""

import argparse
import collections
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from outcome import Outcome, documents_in, most_in_doubt

# Whatever the service does here, a document ends with its result or in doubt.
faults = ("reset-before-answer:p=0.01", "reset-after-acceptance:p=0.01", "throttle-429:p=0.005", "truncated-body:p=0.01",
          "error-500-after-acceptance:p=0.005", "close-keep-alive:p=0.02", "reset-mid-body:p=0.01:route=result",
          "terminal-before-filled:p=0.02", "not-found-young:p=0.02")


CONNECTIONS = 28  # the default
AT_30_A_SECOND = 2  # documents in doubt after a kill, on average


class Killer:
    """One run, which takes many processes to come to its end."""

    def __init__(self, folder, emulator, seed, resubmit=False, options=(), retries=False, submit_rate=None):
        """`submit_rate`: submits a second of each process; else most are paced so that the documents last, and some have no limit."""
        self.folder = folder
        self.emulator = emulator
        self.random = random.Random(seed)
        self.inputs = folder / "in"
        self.out = folder / "out"
        self.resubmit = resubmit
        policy = "resubmit" if resubmit else "hold"
        common = ["--on-ambiguous", policy, "--poll-interval", "50ms-150ms", "--connections", str(CONNECTIONS), *options]
        self.run = ["run", str(self.inputs), "--out", str(self.out), "--doc-type", "INVOICE", *common]
        self.retry = ["retry", str(self.out), *common] if retries else None
        self.environment = workbench.clean_environment(
            OCRPIPE_API_KEY=workbench.KEY, OCRPIPE_PORTAL_USER_ID=workbench.USER, OCRPIPE_BASE_URL=emulator.url)
        self.kills = 0
        self.kills_at_work = 0  # after the process had begun to talk to the service
        self.submit_rate = submit_rate
        self.in_doubt = []  # documents whose submit each kill interrupted
        self.interrupted = set()
        self.worst_start = 0.0  # seconds from a process's start to its first request
        self.last_run = 0.0

    def write_documents(self, count, copies=1):
        """Adds documents, some of them deeper than others; each content `copies` times."""
        first = sum(1 for _ in self.inputs.rglob("*.pdf"))
        for i in range(first, first + count):
            if i % copies == 0:
                content = b"%PDF-1.4 " + str(i).encode() + self.random.randbytes(self.random.randint(50, 3000))
            path = self.inputs / str(i % 7) / f"{i:06}.pdf"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def kill(self, kills, seconds, copies=1):
        """Kills so many processes, of which the average works so long. Documents are added when there are none left before."""
        documents = len(documents_in(self.inputs))
        steady = ["--submit-rate", str(self.submit_rate or max(1, round(documents / (kills * seconds))))]
        while self.kills < kills:
            # The start, with its recovery, is where most can go wrong; without a limit, most are on their way at once.
            at_start = self.random.random() < 0.3
            life = self.random.uniform(0, 0.2 if at_start else 2 * seconds)
            command = self.run + (steady if self.submit_rate or self.random.random() < 0.75 else [])
            if self.retry and self.kills > 1 and self.random.random() < 0.4:
                command = self.retry
            code = self._live(command, life, at_start)
            if code is None:
                self.kills += 1
                self._count_in_doubt()
            elif code not in (0, 1):
                raise AssertionError(f"a run ended with {code} by itself:\n{self._said()}")
            elif command is not self.retry:
                self.write_documents(max(10, documents // 10), copies)

    def finish(self):
        """Lets a process come to its end, and another where resubmitting is allowed and something is in doubt."""
        for _ in range(5 if self.resubmit else 1):
            started = time.monotonic()
            code = self._live(self.run)
            self.last_run = time.monotonic() - started
            if code not in (0, 1):
                raise AssertionError(f"the last run ended with {code}:\n{self._said()}")
            if code == 0:
                break
        return Outcome(self.out, documents_in(self.inputs), self.emulator.truth("accepted"))

    def _live(self, command, life=None, at_start=False):
        """Kills a process `life` seconds after its first request, or after its start."""
        truth = self.emulator.truth_path
        with open(self.folder / "said", "wb") as said:
            before = truth.stat().st_size if truth.exists() else 0
            started = time.monotonic()
            process = subprocess.Popen([workbench.binary, *command], env=self.environment, stdout=subprocess.DEVNULL, stderr=said)
            first_request = None
            end = started + life if at_start else None
            try:
                while end is None or time.monotonic() < end:
                    try:
                        process.wait(timeout=0.005 if first_request is None else end and max(0, end - time.monotonic()))
                        break
                    except subprocess.TimeoutExpired:
                        pass
                    if first_request is None and truth.exists() and truth.stat().st_size > before:
                        first_request = time.monotonic() - started
                        if life is not None and not at_start:
                            end = time.monotonic() + life
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        self.worst_start = max(self.worst_start, first_request or 0.0)
        self.kills_at_work += process.returncode < 0 and first_request is not None
        return None if process.returncode < 0 else process.returncode

    def _count_in_doubt(self):
        """Counts the submits that the last kill has interrupted. Those of an earlier kill that nobody has looked at since do not count again."""
        interrupted = set()
        if (self.out / "ledger.db").exists():
            database = sqlite3.connect(f"file:{self.out}/ledger.db?mode=ro", uri=True)
            try:
                interrupted = set(database.execute("SELECT number, intent_at FROM document WHERE state = 'intent'"))
            except sqlite3.OperationalError:  # killed before there was a table
                pass
            database.close()
        self.in_doubt.append(len(interrupted - self.interrupted))
        self.interrupted = interrupted

    def problems(self):
        """Kills that have left more documents in doubt than can have been on the wire."""
        found = [f"{count} documents are in doubt after one kill, and at most {most_in_doubt(CONNECTIONS)} can have been on the wire"
                 for count in self.in_doubt if count > most_in_doubt(CONNECTIONS)]
        if self.submit_rate and sum(self.in_doubt) > AT_30_A_SECOND * self.submit_rate / 30 * self.kills:
            found.append(f"{sum(self.in_doubt)} documents are in doubt after {self.kills} kills at {self.submit_rate} submits a second")
        return found

    def _said(self):
        return (self.folder / "said").read_text(errors="replace")[-3000:]

    def figures(self, outcome):
        return (f"{self.kills} kills, {self.kills_at_work} of them at work; {len(outcome.documents)} documents: {outcome.results} results, "
                f"{outcome.ambiguous} in doubt, {len(outcome.failures) - outcome.ambiguous} failed, {outcome.accepted_twice} accepted "
                f"twice; in doubt after a kill: {self._distribution()}; the worst start took {self.worst_start:.2f} s to its first request; "
                f"the last run took {self.last_run:.1f} s")

    def _distribution(self):
        kills = collections.Counter(self.in_doubt)
        return (", ".join(f"{count} ({kills[count]} times)" for count in sorted(kills))
                + f", on average {sum(self.in_doubt) / max(1, len(self.in_doubt)):.2f}, of at most {most_in_doubt(CONNECTIONS)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--documents", type=int, default=10000)
    parser.add_argument("--seconds", type=float, default=0.4, help="that the average process works")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--submit-rate", type=int, help="submits a second of each process")
    parser.add_argument("--on-ambiguous", choices=("hold", "resubmit"), default="hold")
    parser.add_argument("--keep", action="store_true", help="the folder, when something is wrong")
    arguments = parser.parse_args()
    workbench.binary = os.path.abspath(arguments.binary)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ocrpipe-crash-"))
    emulator = workbench.Emulator(folder, "--latency", "lognormal:150ms,0.5", *(a for f in faults for a in ("--fault", f)))
    try:
        killer = Killer(folder, emulator, arguments.seed, arguments.on_ambiguous == "resubmit", submit_rate=arguments.submit_rate)
        killer.write_documents(arguments.documents)
        killer.kill(arguments.kills, arguments.seconds)
        outcome = killer.finish()
        problems = killer.problems() + outcome.problems(killer.resubmit)
    finally:
        emulator.close()
    pace = f", {arguments.submit_rate} submits a second" if arguments.submit_rate else ""
    print(f"{arguments.on_ambiguous}{pace}: {killer.figures(outcome)}")
    if problems:
        print("\n".join([*problems[:20], f"{len(problems)} problems"]))
    if problems and arguments.keep:
        print(f"kept: {folder}")
    else:
        shutil.rmtree(folder)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
