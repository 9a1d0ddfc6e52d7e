"""Runs a million tiny documents of one folder through `ocrpipe run`, and the finished run once more.

With --pending, the service accepts every document and finishes none: prints the memory of a run in which all of them wait.

Prints how its memory grows, which must not depend on how many are still to come, how long the second run takes to find that there is
nothing left to do, and the disk that it took. The work is checked: one result for each document, each of another request. Then the ledger
alone: documents a second, durable.

The documents are hard links to few contents, so that a million of them cost names only; the emulator's own memory is not counted.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from preparation import BUILD_DIR, build, output_of

LINKS = 10_000  # to one file; ext4 allows 65,000
LIMIT_MB = 300
SCAN_LIMIT = 10.0
PENDING_LIMIT_MB = 600


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/million", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--dir", default=None, help="where to work, on a disk with room for 3 GB (default: the folder for temporary files)")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--pending", action="store_true", help="let all documents wait for the service at once")
    parser.add_argument("--ledger-documents", type=int, default=200_000)
    return parser.parse_args()


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    commit = output_of("git", "describe", "--always", "--dirty") or "unknown"
    compiler = output_of("g++", "--version").split("\n")[0]
    return f"{cpu}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; {compiler}; commit {commit}"


def write_documents(folder, count):
    folder.mkdir()
    for i in range(count):
        if i % LINKS == 0:
            content = folder.parent / f"content-{i}"
            content.write_bytes(b"%PDF-1.4 tiny document " + str(i).encode())
        os.link(content, folder / f"{i:07}.pdf")


def memory_kb(pid, key):
    with open(f"/proc/{pid}/status") as status:
        return int(next(line for line in status if line.startswith(key)).split()[1])


def start_emulator(ocrpipe, latency):
    emulator = subprocess.Popen([ocrpipe, "emulator", "--port", "0", "--engine", "synthetic", "--latency", latency, "--api-key", "bench-key",
                                 "--portal-user-id", "1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return emulator, emulator.stdout.readline().split()[-1]


def measure_pending(command, environment, log, documents):
    """Runs a command until all documents wait for the service. Returns its peak memory, and kills it."""
    started = time.monotonic()
    with open(log, "w", encoding="utf-8") as said:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
    try:
        waiting = 0
        while waiting < documents and time.monotonic() - started < documents / 200 + 60:
            time.sleep(1)
            if process.poll() is not None:
                sys.exit(f"the run ended with {process.returncode}: {log.read_text()[-2000:]}")
            lines = log.read_text(encoding="utf-8").splitlines()[-2:]
            waiting = max([waiting, *(json.loads(line).get("waiting", 0) for line in lines if line.endswith("}"))])
        peak = memory_kb(process.pid, "VmHWM:") / 1024
    finally:
        process.kill()
        process.wait()
    print(f"{waiting} documents wait for the service after {time.monotonic() - started:.0f} s: peak {peak:.0f} MB")
    return waiting == documents and peak < PENDING_LIMIT_MB


def measure(command, environment, log, samples_wanted):
    """Runs a command, with its messages going to `log`, and samples its memory over time."""
    started = time.monotonic()
    samples, done, peak = [], 0, 0
    with open(log, "w+", encoding="utf-8") as said:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                lines = log.read_text(encoding="utf-8").splitlines()[-2:]
                done = max([done, *(json.loads(line).get("done", 0) for line in lines if line.endswith("}"))])
                try:
                    samples.append((time.monotonic() - started, done, memory_kb(process.pid, "VmRSS:") / 1024))
                    # Not the kernel's own maximum, which counts this program's memory before the command took its place.
                    peak = max(peak, memory_kb(process.pid, "VmHWM:") / 1024)
                except (OSError, StopIteration):
                    pass  # it has just ended
                time.sleep(0.05)
        except BaseException:
            process.kill()
            raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return {"seconds": time.monotonic() - started, "cpu": usage.ru_utime + usage.ru_stime, "peak_mb": peak,
            "samples": samples[::max(1, len(samples) // samples_wanted)], "code": process.returncode}


def check_results(out, documents):
    seen_ids, seen_requests, lines = set(), set(), 0
    for path in sorted(out.glob("results-*.jsonl")):
        with open(path, encoding="utf-8") as file:
            for line in file:
                head = json.loads(line[:line.index(',"result":')] + "}")
                seen_ids.add(head["id"])
                seen_requests.add(head["request_id"])
                lines += 1
    if not lines == len(seen_ids) == len(seen_requests) == documents:
        sys.exit(f"the work was not done: {lines} results of {len(seen_ids)} documents and {len(seen_requests)} requests")


def main():
    arguments = parse_arguments()
    if not arguments.no_build:
        build()
    ocrpipe = pathlib.Path(BUILD_DIR, "tools/ocrpipe")
    ledger_bench = pathlib.Path(BUILD_DIR, "bench/bench_ledger")
    print(machine(), flush=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="ocrpipe-million-", dir=arguments.dir))
    emulator = None
    try:
        started = time.monotonic()
        write_documents(work / "in", arguments.documents)
        print(f"{arguments.documents} documents written in {time.monotonic() - started:.0f} s", flush=True)
        environment = dict(os.environ, OCRPIPE_API_KEY="bench-key", OCRPIPE_PORTAL_USER_ID="1")
        emulator, environment["OCRPIPE_BASE_URL"] = start_emulator(ocrpipe, "fixed:36000s" if arguments.pending else "fixed:1ms")
        command = [ocrpipe, "run", work / "in", "--out", work / "out", "--doc-type", "INVOICE", "--poll-interval", "100ms-200ms",
                   "--log-format", "json"]
        if arguments.pending:
            command += ["--max-inflight", str(arguments.documents), "--poll-interval", "1h-2h", "--deadline", "24h"]
            return 0 if measure_pending(command, environment, work / "log", arguments.documents) else 1
        first = measure(command, environment, work / "log", 12)
        if first["code"] != 0:
            sys.exit(f"the run ended with {first['code']}: {(work / 'log').read_text()[-2000:]}")
        check_results(work / "out", arguments.documents)
        print(f"run: {first['seconds']:.0f} s, {arguments.documents / first['seconds']:.0f} documents/s, CPU {first['cpu']:.0f} s, "
              f"peak {first['peak_mb']:.0f} MB")
        for seconds, done, megabytes in first["samples"]:
            print(f"  after {seconds:6.0f} s: {done:8} done, {megabytes:5.0f} MB")
        disk = {name: sum(p.stat().st_size for p in (work / "out").glob(name)) / 1e6 for name in ("ledger.db*", "results-*")}
        print("disk: " + ", ".join(f"{name} {size:.0f} MB" for name, size in disk.items()), flush=True)
        again = measure(command, environment, work / "log", 1)
        report = json.loads((work / "out/report.json").read_text())
        if again["code"] != 0 or report["done"] != arguments.documents or report["submits"] != 0:
            sys.exit(f"the second run ended with {again['code']} and {report['submits']} submits")
        print(f"the same command again: {again['seconds']:.1f} s (its own account {report['seconds']} s), CPU {again['cpu']:.1f} s, "
              f"peak {again['peak_mb']:.0f} MB", flush=True)
        ledger = subprocess.run([ledger_bench, "--documents", str(arguments.ledger_documents), "--dir", work], text=True)
        fine = ledger.returncode == 0 and max(first["peak_mb"], again["peak_mb"]) < LIMIT_MB and again["seconds"] < SCAN_LIMIT
        return 0 if fine else 1
    finally:
        if emulator:
            emulator.terminate()
            emulator.wait()
        shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
