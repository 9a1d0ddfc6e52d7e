"""What the end-to-end tests share: the real binary, an emulator of the service, and a folder that goes away."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

KEY = "sk-end-to-end-0123456789"
USER = "4711"
PATIENCE = 120  # seconds until a hanging program fails its test

binary = None

# A program ignores the signals that its parent ignored, such as a shell in the background, or nohup.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def main():
    """Takes the binary's path off the command line and runs the tests of the calling file."""
    global binary
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} PATH-OF-OCRPIPE [unittest arguments]")
    binary = os.path.abspath(sys.argv.pop(1))
    unittest.main(module="__main__")


class Emulator:
    def __init__(self, folder, *arguments, engine="synthetic", key=KEY, user=USER):
        self.truth_path = folder / "truth.jsonl"
        self.log_path = folder / "emulator.log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "emulator", "--port", "0", "--engine", engine, "--api-key", key, "--portal-user-id", user,
                 "--truth", str(self.truth_path), *arguments],
                stdout=subprocess.PIPE, stderr=log, text=True, env=clean_environment())
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.close()
            raise AssertionError(f"the emulator said {line!r}")
        self.url = line.removeprefix("listening on ").strip()

    def truth(self, event):
        with open(self.truth_path, encoding="utf-8") as lines:
            return [o for o in map(json.loads, lines) if o.get("event") == event]

    def close(self):
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)

    def faults(self):
        """How often each planned fault happened; known once it is closed."""
        accounts = re.findall(r"^fault (.*): planned (\d+), happened (\d+)$", self.log_path.read_text(), re.MULTILINE)
        return {name: int(happened) for name, _, happened in accounts}


def clean_environment(**extra):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")
            if name in os.environ}
    kept.update(extra)
    return kept


class Case(unittest.TestCase):
    """One folder and, when asked for, one emulator a test."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ocrpipe-cli-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = self.folder / "out"
        self.url = "http://127.0.0.1:9"  # discard: nobody listens

    def start_emulator(self, *arguments, **more):
        emulator = Emulator(self.folder, *(arguments or (() if more else ("--latency", "fixed:50ms"))), **more)
        self.addCleanup(emulator.close)
        self.url = emulator.url
        return emulator

    def environment(self, **changes):
        values = {
            "OCRPIPE_API_KEY": KEY, "OCRPIPE_PORTAL_USER_ID": USER, "OCRPIPE_BASE_URL": self.url,
            "OCRPIPE_POLL_INTERVAL": "40ms-80ms",
        }
        values.update(changes)
        return clean_environment(**{name: value for name, value in values.items() if value is not None})

    def ocrpipe(self, *arguments, stdin="", env=None, **more):
        """Runs the binary to its end."""
        return subprocess.run([binary, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=PATIENCE,
                              env=self.environment(**(env or {})), **{"cwd": self.folder, **more})

    def skip_if_sanitized(self):
        """For tests of memory: a sanitizer takes several times what the program does."""
        # Not read here: the most that this process ever took would count for the programs that it starts.
        if subprocess.run(["grep", "-q", "__asan_init", binary]).returncode == 0:
            self.skipTest("the binary has a sanitizer, which takes memory of its own")

    def start(self, *arguments, env=None, **more):
        """Starts the binary; its standard error is read line by line."""
        process = subprocess.Popen([binary, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment(**(env or {})), cwd=self.folder, **more)

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def wait_for_event(self, process, event, condition=lambda o: True):
        for line in process.stderr:
            o = json.loads(line)
            if o["event"] == event and condition(o):
                return o
        self.fail(f"the program ended without saying {event}")

    def wait_until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it did not come in time")
            time.sleep(0.05)

    def write(self, name, content="%PDF-1.4 a document"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def write_documents(self, count, folder="in"):
        for i in range(count):
            self.write(f"{folder}/{i:03}.pdf", f"%PDF-1.4 document number {i}")
        return self.folder / folder

    def run_bulk(self, *arguments, **more):
        return self.ocrpipe("run", *arguments, "--out", self.out, "--doc-type", "invoice", **more)

    def lines_of(self, name):
        path = self.out / name
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]

    @property
    def results(self):
        return self.lines_of("results-00001.jsonl")

    @property
    def failures(self):
        return self.lines_of("failures.jsonl")

    @property
    def report(self):
        return json.loads((self.out / "report.json").read_text(encoding="utf-8"))

    def assert_exit(self, done, code):
        self.assertEqual(done.returncode, code, f"\nstdout: {done.stdout}\nstderr: {done.stderr}")


class Runs(Case):
    """Runs against one emulator, whose truth is at hand."""

    def setUp(self):
        super().setUp()
        self.emulator = None

    def serve(self, *arguments):
        self.emulator = self.start_emulator(*arguments)
        return self.emulator

    @property
    def accepted(self):
        return [a["sha256"] for a in self.emulator.truth("accepted")]

    def assert_one_result_each(self, count):
        self.assertEqual(len(self.results), count)
        self.assertEqual(len({r["path"] for r in self.results}), count)
