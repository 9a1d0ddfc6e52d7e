#!/usr/bin/env python3
"""Shows how far `ocrpipe load` can be trusted, against an emulator whose capacity and latencies are known.

Usage: bench/load capacity|overload|rate [--seeds N] [--ocrpipe PROGRAM]

capacity: --find-capacity for three latency models and N seeds each; wants 9 of 10 within 5 % of workers / mean service time.
overload: 0.95, 1.10 and 1.30 of the capacity; wants the end to end p95 within 5 % of the truth log's, and the right sign of the slope, and shows
          the percentile of the documents alone that were done when the arrivals ended.
rate:     2,000 documents a second with 2 s of processing for a minute; prints the send delay and the processor time of both sides.
Builds the program unless you name one, which must be optimized. Everything runs on this machine; every seed is printed.
"""
import argparse
import json
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from preparation import build

WORKERS = 30
SIGMA = 0.35
MODELS = {
    "fixed": ("fixed:100ms", 0.1),
    "lognormal": (f"lognormal:100ms,{SIGMA}", 0.1 * math.exp(SIGMA * SIGMA / 2)),
    "bimodal": ("bimodal:0.1,50ms,300ms", 0.075),
}


class Service:
    def __init__(self, binary, folder, *arguments):
        self.truth_path = folder / "truth.jsonl"
        self.process = subprocess.Popen([binary, "emulator", "--port", "0", "--engine", "synthetic", *arguments], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().removeprefix("listening on ").strip()

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def load(binary, service, out, *arguments):
    environment = {**os.environ, "OCRPIPE_BASE_URL": service.url, "OCRPIPE_API_KEY": "test-key", "OCRPIPE_PORTAL_USER_ID": "1"}
    done = subprocess.run([binary, "load", "--doc-type", "invoice", "--out", str(out), "--log-format", "human", *arguments], env=environment,
                          capture_output=True, text=True)
    if not (out / "report.json").exists():
        sys.exit(f"no report: {done.stderr}")
    return done.returncode, json.loads((out / "report.json").read_text())


def percentile(values, p):
    values = sorted(values)
    return values[max(0, math.ceil(p / 100 * len(values)) - 1)]


def prove_capacity(binary, folder, seeds):
    good = True
    for name, (latency, mean) in MODELS.items():
        truth = WORKERS / mean
        right = 0
        for seed in range(1, seeds + 1):
            with Service(binary, folder, "--workers", str(WORKERS), "--latency", latency, "--seed", str(seed)) as service:
                code, report = load(binary, service, folder / f"{name}-{seed}", "--find-capacity", "--rate", "100/s", "--step", "15s", "--poll-interval",
                                    "50ms-100ms", "--generate", "2k", "--seed", str(seed), "--max-documents", "1M", "--send-delay", "100ms")
            found = report["load"]["capacity"]
            error = found["estimate"] / truth - 1
            right += abs(error) <= 0.05
            print(f"{name} seed {seed}: {found['estimate']:.1f}/s ({found['low']:.1f} to {found['high'] or math.inf:.1f}), truth {truth:.1f}/s, "
                  f"{error:+.1%}, {len(found['steps'])} steps, exit code {code}", flush=True)
        print(f"{name}: {right} of {seeds} within 5 %", flush=True)
        good = good and right >= 0.9 * seeds
    return good


def prove_overload(binary, folder, seeds):
    good = True
    latency, mean = MODELS["lognormal"]
    # As fine as 5 % of the p95 allows, and as coarse as the number of waiting documents needs: finer polls would wait for each other.
    for share, interval in ((0.95, "4ms-8ms"), (1.10, "80ms-120ms"), (1.30, "200ms-400ms")):
        for seed in range(1, seeds + 1):
            out = folder / f"{share}-{seed}"
            out.mkdir()
            with Service(binary, folder, "--workers", str(WORKERS), "--latency", latency, "--seed", str(seed), "--truth", str(out / "truth.jsonl")) as service:
                load(binary, service, out, "--rate", f"{share * WORKERS / mean:.3f}/s", "--duration", "30s", "--poll-interval", interval, "--connections", "70",
                     "--generate", "2k", "--seed", str(seed), "--send-delay", "100ms")
            report = json.loads((out / "report.json").read_text())["load"]
            ready_in = {}
            for line in (out / "truth.jsonl").read_text().splitlines():
                event = json.loads(line)
                if event["event"] == "accepted":
                    ready_in[event["request_id"]] = float(event["ready_in_ms"]) / 1000
            jobs = [json.loads(line) for line in (out / "jobs.jsonl").read_text().splitlines()]
            truth = percentile([j["accepted"] - j["due"] + ready_in[j["request_id"]] for j in jobs], 95)
            measured = report["end_to_end"]["p95"]["estimate"]
            naive = report["completed_only"]["p95"]["estimate"]
            sign = report["backlog"]["grows"] == (share > 1)
            right = abs(measured / truth - 1) <= 0.05 and sign
            good = good and right
            print(f"{share:.2f} of capacity, seed {seed}: p95 {measured:.3f} s, truth {truth:.3f} s ({measured / truth - 1:+.1%}); completed only "
                  f"{naive:.3f} s ({naive / truth - 1:+.1%}); slope {report['backlog']['slope']:+.1f}/s ({report['backlog']['low']:+.1f} to "
                  f"{report['backlog']['high']:+.1f}): {'right' if right else 'WRONG'}", flush=True)
    return good


def prove_rate(binary, folder, _):
    with Service(binary, folder, "--latency", "fixed:2s") as service:
        began = time.monotonic()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code, report = load(binary, service, folder / "rate", "--rate", "2000/s", "--duration", "60s", "--generate", "2k", "--poll-interval", "2s-5s",
                            "--connections", "112", "--send-delay", "2ms")
        wall = time.monotonic() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        emulator = service.processor_seconds()
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    g = report["load"]["generator"]
    print(f"exit code {code}: {report['verdict']}\n{report['load']['outcomes']}\nstart delay p99 {1000 * g['start_delay']['p99']:.2f} ms, send delay p99 "
          f"{1000 * g['send_delay']['p99']:.2f} ms; generator {own / wall:.0%} of a core, emulator {emulator / wall:.0%}")
    return g["send_delay"]["p99"] < 0.002


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof", choices=["capacity", "overload", "rate"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--ocrpipe", default=None, help="the program (default: build it)")
    arguments = parser.parse_args()
    ocrpipe = arguments.ocrpipe or os.path.join(build(), "tools", "ocrpipe")
    prove = {"capacity": prove_capacity, "overload": prove_overload, "rate": prove_rate}[arguments.proof]
    with tempfile.TemporaryDirectory(prefix="ocrpipe-load-") as folder:
        return 0 if prove(os.path.abspath(ocrpipe), pathlib.Path(folder), arguments.seeds) else 1


if __name__ == "__main__":
    sys.exit(main())
