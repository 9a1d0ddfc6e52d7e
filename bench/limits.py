"""Measures what does not show in a table of clients: memory, linearity, pace, threads, and the latency of polls beside uploads.

Installs what is missing and builds the programs (preset bench). Prints one line a figure, with its bound, and exits with 1 when one is
missed; all numbers go to a JSON file. Times need a quiet machine; memory and ratios of CPU do not.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from loopback_server import LoopbackServer
from preparation import build


class Limits:
    def __init__(self, args, folder):
        self.args = args
        self.programs = os.path.join(args.build_dir, "bench")
        self.folder = folder
        self.numbers = {}
        self.missed = False

    def say(self, what, value, unit, bound=None, at_least=False):
        """One figure; at most `bound` is right, or at least."""
        self.numbers[what] = value
        met = bound is None or (value >= bound if at_least else value <= bound)
        verdict = "" if bound is None else f"  (at {'least' if at_least else 'most'} {bound:g}: {'met' if met else 'MISSED'})"
        self.missed = self.missed or not met
        print(f"{what}: {value:.4g} {unit}{verdict}", flush=True)

    def program(self, name):
        return os.path.join(self.programs, "bench_" + name)

    def files(self, size, count):
        folder = os.path.join(self.folder, f"files-{size}")
        if not os.path.exists(folder):
            os.makedirs(folder)
            for i in range(count):
                with open(os.path.join(folder, f"document-{i:06d}.pdf"), "wb") as f:
                    f.write((b"%%PDF-1.4\n%%%d\n" % i).ljust(size, b"x"))
        return ["--files", folder, "--file-count", str(count), "--size", str(size)]

    def run(self, command, cores=None):
        """The first line that the command printed, as JSON, and what it used."""
        cores = cores or self.args.cores[1:]
        report = os.path.join(self.folder, "used.json")
        command = [self.program("measure"), report, "taskset", "-c", ",".join(map(str, cores))] + [str(word) for word in command]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=900)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}")
        with open(report) as f:
            used = json.load(f)
        return json.loads(done.stdout.splitlines()[0]), {**used, "cpu": used["user"] + used["system"]}

    def engine(self, documents, size, *options):
        """One run of the engine whose work is checked; what it used."""
        results = os.path.join(self.folder, "results.jsonl")
        with LoopbackServer(self.program("loopback_server"), self.args.cores[0]) as server:
            _, used = self.run([self.program("engine"), "--url", server.url, "--documents", documents, "--out", results, *options]
                               + self.files(size, 8))
        with open(results) as f:
            lines = sum(1 for _ in f)
        os.remove(results)
        if (server.seen["submits"], server.seen["results"], lines) != (documents, documents, documents):
            raise RuntimeError(f"the server saw {server.seen}, {lines} results were written for {documents} documents")
        return used

    def jobs(self):
        """Memory a waiting job, and whether a poll costs more when many wait."""
        cpu = {1_000: [], 1_000_000: []}
        for _ in range(self.args.rounds):
            for count, costs in cpu.items():
                out, _ = self.run([self.program("waiting_jobs"), count, 200_000])
                costs.append(out["cpu_us_a_poll"])
        # Its request_id has 26 characters: 32 bytes of the record and an allocation of 48.
        self.say("bytes a waiting job beside its request_id", out["bytes_a_job"] - 32 - 48, "bytes", 300)
        self.say("resident memory with 1,000,000 jobs waiting", out["resident_mb"], "MB", 500)
        self.say("CPU a poll, 1,000 waiting", min(cpu[1_000]), "us")
        self.say("CPU a poll, 1,000,000 waiting", min(cpu[1_000_000]), "us")

    def linearity(self):
        """CPU a document with a thousand and with a million documents pending at once."""
        many = 1_000_000
        size = 1024
        few = min(self.engine(many // 10, size, "--processing", 80)["cpu"] for _ in range(self.args.rounds)) / (many // 10)
        # Every document is submitted before the first is asked for.
        used = self.engine(many, size, "--processing", self.args.million_seconds * 1000)
        self.say("CPU a document, about 1,000 pending", 1e6 * few, "us")
        self.say("CPU a document, up to 1,000,000 pending", 1e6 * used["cpu"] / many, "us")
        self.say("ratio", used["cpu"] / many / few, "", 1.2)
        self.say("peak memory of that run", used["peak_rss_kib"] / 1024 * 1.048576, "MB", 500)

    def uploads(self):
        """Memory with 64 connections and 5 MB documents, and whether it grows with their number."""
        peaks = [self.engine(n, 5_000_000, "--connections", 128)["peak_rss_kib"] * 1.024e-3 for n in (200, 800)]
        self.say("peak memory, 64 uploads of 5 MB at once, 200 documents", peaks[0], "MB", 40)
        self.say("the same, 800 documents", peaks[1], "MB", 40)

    def pace(self):
        """Wall time of a run against documents / rate + processing."""
        for rate, seconds, processing in ((200, 6, 2000), (2000, 6, 2000)):
            documents = rate * seconds
            best = (documents - 1) / rate + processing / 1000
            used = self.engine(documents, 20 * 1024, "--rate", rate, "--processing", processing)
            self.say(f"{documents} documents at {rate} a second, {processing} ms processing: wall / optimum", used["wall"] / best, "", 1.02)

    def threads(self):
        """Documents a second of two threads, each beside its server on a core of its own, against one such pair alone.

        With fewer than four cores a client and its server share a core: what is measured is whether threads get into each other's way.
        """
        if self.args.cores[0] == self.args.cores[1]:
            print("two threads: not measured, there is one core")
            return
        documents = 40_000
        one, two = [], []
        for _ in range(self.args.rounds):
            one.append(documents / self.beside_servers(self.args.cores[:1], documents))
            two.append(2 * documents / self.beside_servers(self.args.cores, documents))
        self.say("documents a second, one thread", max(one), "")
        self.say("documents a second, two threads", max(two), "")
        self.say("two threads / one", max(two) / max(one), "", 1.8, at_least=True)

    def beside_servers(self, cores, documents):
        """How long as many threads as there are cores take, each with the server on its core."""
        results = os.path.join(self.folder, "results.jsonl")
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(LoopbackServer(self.program("loopback_server"), core)) for core in cores]
            urls = ",".join(s.url for s in servers)
            _, used = self.run([self.program("engine"), "--url", urls, "--documents", documents, "--out", results]
                               + self.files(20 * 1024, 8), cores)
        for server in servers:
            if server.seen["results"] != documents:
                raise RuntimeError(f"a server saw {server.seen} of {documents} documents")
        return used["wall"]

    def latency(self):
        """Result GETs one after another, alone and beside 5 MB uploads on all submit connections."""
        with LoopbackServer(self.program("loopback_server"), self.args.cores[0]) as server:
            out, _ = self.run([self.program("poll_latency"), "--url", server.url, "--documents", 5000, "--connections", 16,
                               "--out", os.devnull] + self.files(5_000_000, 8))
        if out["uploads"] == 0:
            raise RuntimeError("no upload was complete")
        for name in ("alone", "beside_uploads"):
            for quantile in ("p50", "p99"):
                self.say(f"{quantile} of result GETs, {name.replace('_', ' ')}", out[name][quantile + "_us"], "us")
        self.say("p99 beside uploads / p99 alone", out["beside_uploads"]["p99_us"] / out["alone"]["p99_us"], "", 2)


def main():
    names = ["jobs", "uploads", "pace", "latency", "threads", "linearity"]
    parser = argparse.ArgumentParser(prog="bench/limits", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", help=f"of {', '.join(names)}; default: all")
    parser.add_argument("--build-dir", help="a build of the preset bench that is used as it is; nothing is installed or built")
    parser.add_argument("--rounds", type=int, default=3, help="the cheapest counts (default %(default)s)")
    parser.add_argument("--million-seconds", type=int, default=90, help="processing time for a million documents (default %(default)s)")
    parser.add_argument("--json", help="default: limits.json in the build folder")
    args = parser.parse_args()
    unknown = [w for w in args.what if w not in names]
    if unknown:
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(names)}")
    args.build_dir = args.build_dir or build()
    usable = sorted(os.sched_getaffinity(0))
    args.cores = [usable[0], usable[-1]]
    with tempfile.TemporaryDirectory(prefix="ocrpipe-limits-") as folder:
        limits = Limits(args, folder)
        for name in args.what or names:
            getattr(limits, name)()
    with open(args.json or os.path.join(args.build_dir, "limits.json"), "w") as f:
        json.dump(limits.numbers, f, indent=1)
    return 1 if limits.missed else 0


if __name__ == "__main__":
    sys.exit(main())
