"""Measures the engine beside what people would use instead, and beside the practical limit, in one interleaved run.

Installs what is missing, builds the programs (preset bench), starts an nginx that answers by itself on one core, and lets the clients take turns on another: A B C,
A B C and so on. Every run is checked: each byte arrived, each result is right. A table goes to standard output, all numbers to a JSON file.

CPU is user and system time of the client alone. Where other programs use the machine, trust the ratios, the system calls and the
instructions. Loopback only, bounded in documents and time; the server ends with this program.
"""

import argparse
import dataclasses
import datetime
import json
import os
import platform
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import counting
import work_check
from bench_server import BenchServer, missing_parts
from clients import Job, all_clients
from preparation import build, output_of


@dataclasses.dataclass
class Mode:
    title: str
    documents: int
    size: int = 20 * 1024
    processing: int = 0
    tls: bool = False
    counted: bool = False  # system calls and instructions are counted, too


MODES = {
    "small": Mode("small documents", 20_000, counted=True),
    "tls": Mode("small documents, TLS 1.3", 20_000, tls=True, counted=True),
    "pending": Mode("2 s processing, all documents pending", 20_000, processing=2000),
    "large": Mode("large documents", 200, size=5_000_000),
}
SHARED_FILES = 64


def parse_arguments():
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modes", default=",".join(MODES), help="of %(default)s")
    parser.add_argument("--tls", action="store_true", help="every mode over TLS 1.3")
    parser.add_argument("--documents", type=int, help="instead of 20000; large documents are a hundredth of it")
    parser.add_argument("--size", type=int, help="bytes a document, in every mode")
    parser.add_argument("--processing", type=int, metavar="MS", help="processing time, in every mode")
    parser.add_argument("--connections", type=int, default=64, help="of each client (default %(default)s)")
    parser.add_argument("--rounds", type=int, help="default 5")
    parser.add_argument("--quick", action="store_true", help="2 rounds of a tenth of the documents")
    parser.add_argument("--only", default="", help="clients by the beginnings of their names, such as raw,engine,curl")
    parser.add_argument("--ocrpipe", action="append", default=[], metavar="OPTIONS",
                        help="one more `ocrpipe run` with these options; may be given again")
    parser.add_argument("--no-counts", action="store_true", help="no system calls and instructions")
    parser.add_argument("--cores", metavar="SERVER,CLIENT", help="default: the first and the last that may be used")
    parser.add_argument("--timeout", type=int, default=300, metavar="S", help="of one client's run (default %(default)s)")
    parser.add_argument("--build-dir", help="a build of the preset bench that is used as it is; nothing is installed or built")
    parser.add_argument("--json", help="default: bench.json in the build folder")
    parser.add_argument("--list", action="store_true", help="names the clients and what each lacks")
    args = parser.parse_args()
    unknown = [m for m in args.modes.split(",") if m not in MODES]
    if unknown:
        parser.error(f"--modes: {', '.join(unknown)}: choose from {', '.join(MODES)}")
    return args


def modes_of(args):
    chosen = {}
    for name in args.modes.split(","):
        m = dataclasses.replace(MODES[name])
        if args.documents:
            m.documents = args.documents if m.size < 1_000_000 else max(20, args.documents // 100)
        elif args.quick:
            m.documents = max(50, m.documents // 10)
        m.size = args.size or m.size
        m.processing = m.processing if args.processing is None else args.processing
        m.tls = m.tls or args.tls
        chosen[name] = m
    return chosen


def surroundings(build_dir):
    with open("/proc/cpuinfo") as f:
        models = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    cache = {}
    with open(os.path.join(build_dir, "CMakeCache.txt")) as f:
        for line in f:
            if "=" in line and not line.startswith(("//", "#")):
                key, value = line.rstrip("\n").split("=", 1)
                cache[key.split(":")[0]] = value
    kind = cache.get("CMAKE_BUILD_TYPE", "")
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "command": shlex.join(["bench/run", *sys.argv[1:]]),
        "commit": output_of("git", "rev-parse", "HEAD") or "unknown",
        "uncommitted_changes": bool(output_of("git", "status", "--porcelain", "--untracked-files=no")),
        "machine": {"processor": models[0] if models else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release(),
                    "load_at_start": os.getloadavg()[0]},
        "compiler": output_of(cache.get("CMAKE_CXX_COMPILER", "c++"), "--version").split("\n")[0],
        "flags": (cache.get("CMAKE_CXX_FLAGS", "") + " " + cache.get(f"CMAKE_CXX_FLAGS_{kind.upper()}", "")).strip(),
        "server": output_of("sh", "-c", "PATH=$PATH:/usr/sbin nginx -v 2>&1"),
        "libcurl": output_of("curl-config", "--version"),
    }


def make_files(folder, count, size):
    """Distinct documents that say they are PDF."""
    os.makedirs(folder)
    filling = os.urandom(size)
    for i in range(count):
        head = b"%%PDF-1.4\n%%%d\n" % i
        with open(os.path.join(folder, f"document-{i:06d}.pdf"), "wb") as f:
            f.write(head + filling[len(head):])


class Bench:
    def __init__(self, args, build_dir, folder, server, cores):
        self.args = args
        self.measure = os.path.join(build_dir, "bench", "bench_measure")
        self.folder = folder
        self.server = server
        self.client_core = cores[1]
        self.runs = 0

    def files_for(self, client, mode):
        """A few files used again and again; a client that never sends the same content twice gets one for each document."""
        count = mode.documents if client.own_files else min(SHARED_FILES, mode.documents)
        folder = os.path.join(self.folder, f"files-{count}-{mode.size}")
        if not os.path.exists(folder):
            make_files(folder, count, mode.size)
        return folder, count

    def job(self, client, mode, documents):
        files, count = self.files_for(client, mode)
        self.runs += 1
        out = os.path.join(self.folder, f"run-{self.runs}")
        os.makedirs(out)
        return Job(url=self.server.urls["https" if mode.tls else "http"], ca=self.server.ca_file if mode.tls else "", files=files,
                   file_count=count, documents=documents, size=mode.size, connections=self.args.connections,
                   processing=mode.processing, out=out)

    def share(self, client, mode):
        return max(min(mode.documents, 400), round(mode.documents * client.share))

    def run(self, client, mode, documents, verify=False):
        """One run, checked. What it used, or raises RuntimeError."""
        job = self.job(client, mode, documents)
        self.server.reset(mode.processing, verify)
        server_cpu = self.server.cpu_seconds()
        report = os.path.join(job.out, "used.json")
        command = [self.measure, report, "taskset", "-c", str(self.client_core)] + client.command(job)
        process = subprocess.Popen(command, env={**os.environ, **client.environment()}, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            out, err = process.communicate(timeout=self.args.timeout)
        except BaseException as e:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            if isinstance(e, subprocess.TimeoutExpired):
                raise RuntimeError(f"not done after {self.args.timeout} s") from e
            raise
        if process.returncode != 0:
            raise RuntimeError(f"exit code {process.returncode}: {err[-600:]}")
        try:
            reported = json.loads(out)
        except ValueError:
            reported = {}
        stats = self.server.stats()
        problems = work_check.problems_of_server(stats, job, reported)
        problems += work_check.problems_of_results(client.result_files(job), job, self.server.sample)
        if verify:
            problems += work_check.problems_of_checksums(stats, job)
        if problems:
            raise RuntimeError("; ".join(problems))
        with open(report) as f:
            used = json.load(f)
        shutil.rmtree(job.out)
        return {"documents": documents, **used, "cpu": used["user"] + used["system"], "pending_answers": stats["pending"],
                "server_cpu": self.server.cpu_seconds() - server_cpu}

    def counts(self, client, mode):
        """System calls and user instructions that one more document costs."""
        documents = min(500, mode.documents // 2)
        environment = {**os.environ, **client.environment()}
        self.server.reset(mode.processing)

        def calls(n):
            job = self.job(client, mode, n)
            return counting.system_calls(client.command(job), environment, job.out, self.args.timeout)

        def instructions(n):
            return counting.instructions(client.command(self.job(client, mode, n)), environment, self.args.timeout)

        out = {}
        if shutil.which("strace"):
            kinds = counting.marginal(calls, documents)
            out["system_calls"] = sum(kinds.values())
            out["system_calls_by_kind"] = {k: round(n, 2) for k, n in sorted(kinds.items(), key=lambda e: -e[1]) if n >= 0.05}
        if client.countable and shutil.which("valgrind"):
            out.update(counting.marginal(instructions, documents))
        return out


def measure_mode(bench, clients, mode, rounds, log):
    """Every client's rounds in this mode, and what could not be measured, by name."""
    runs = {}
    notes = {}
    able = []
    for client in clients:
        why = client.missing()
        waiting = mode.processing / 1000 * bench.share(client, mode) / bench.args.connections
        if not why and client.holds_thread and waiting > 10:
            why = f"left out: holds a thread while a document is processed, so that {waiting:.0f} s of a run would be waiting"
        if not why:
            try:
                bench.run(client, mode, min(2 * SHARED_FILES, mode.documents), verify=True)
                able.append(client)
                runs[client.name] = {"rounds": []}
                continue
            except RuntimeError as e:
                why = f"FAILED: {e}"
        notes[client.name] = why
        log(f"  {client.name}: {why}")
    for number in range(rounds):
        for client in able:
            if client.name in notes:
                continue
            try:
                used = bench.run(client, mode, bench.share(client, mode))
            except RuntimeError as e:
                notes[client.name] = f"FAILED: {e}"
                log(f"  {client.name}: {notes[client.name]}")
                continue
            runs[client.name]["rounds"].append(used)
            log(f"  round {number + 1} {client.name}: {1000 * used['cpu'] / used['documents']:.4f} CPU s, "
                f"{1000 * used['wall'] / used['documents']:.4f} s a 1000 documents")
    if mode.counted and not bench.args.no_counts:
        for client in able:
            if client.name in notes:
                continue
            try:
                runs[client.name].update(bench.counts(client, mode))
            except (RuntimeError, subprocess.SubprocessError) as e:
                notes[client.name] = f"not counted: {e}"
                log(f"  {client.name}: {notes[client.name]}")
    return {name: r for name, r in runs.items() if r["rounds"]}, notes


def summarise(runs):
    """Medians, and ratios taken within each round, so that what slows a whole round cancels."""
    cpu = {name: [1000 * r["cpu"] / r["documents"] for r in run["rounds"]] for name, run in runs.items()}
    curls = [name for name in runs if name.startswith("curl_")]
    references = {"to_raw": "raw_epoll" if "raw_epoll" in runs else None,
                  "to_curl": min(curls, key=lambda name: statistics.median(cpu[name])) if curls else None}
    for name, run in runs.items():
        rounds = run["rounds"]
        run["cpu_per_1000"] = statistics.median(cpu[name])
        run["wall"] = statistics.median(r["wall"] for r in rounds)
        run["documents_per_second"] = statistics.median(r["documents"] / r["wall"] for r in rounds)
        run["peak_rss_mib"] = max(r["peak_rss_kib"] for r in rounds) / 1024
        run["server_cpu_per_1000"] = statistics.median(1000 * r["server_cpu"] / r["documents"] for r in rounds)
        for ratio, reference in references.items():
            if reference:
                run[ratio] = statistics.median(a / b for a, b in zip(cpu[name], cpu[reference]))
    return references["to_curl"]


def table_of(runs):
    columns = [("client", lambda n, r: n), ("CPU s / 1000", lambda n, r: f"{r['cpu_per_1000']:.4f}"),
               ("x raw", lambda n, r: f"{r['to_raw']:.2f}" if "to_raw" in r else ""),
               ("x best curl", lambda n, r: f"{r['to_curl']:.2f}" if "to_curl" in r else ""),
               ("wall s", lambda n, r: f"{r['wall']:.2f}"), ("documents/s", lambda n, r: f"{r['documents_per_second']:.0f}"),
               ("peak RSS MiB", lambda n, r: f"{r['peak_rss_mib']:.1f}"),
               ("system calls", lambda n, r: f"{r['system_calls']:.1f}" if "system_calls" in r else ""),
               ("k instructions", lambda n, r: f"{r['instructions'] / 1000:.1f}" if "instructions" in r else ""),
               ("server CPU", lambda n, r: f"{r['server_cpu_per_1000']:.4f}")]
    rows = [[title for title, _ in columns]] + [[text(name, run) for _, text in columns] for name, run in runs.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    lines = ["| " + " | ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))) + " |"
             for row in rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|")
    return "\n".join(lines)


def main():
    args = parse_arguments()
    # So that the server ends and the folder goes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    build_dir = os.path.abspath(args.build_dir) if args.build_dir else build()
    if missing_parts():
        sys.exit("bench/run needs " + ", ".join(missing_parts()))
    clients = all_clients(build_dir, args.ocrpipe)
    if args.only:
        clients = [c for c in clients if c.name.startswith(tuple(args.only.split(",")))]
    if args.list:
        for c in clients:
            print(c.name, c.missing())
        return 0
    usable = sorted(os.sched_getaffinity(0))
    cores = [int(c) for c in args.cores.split(",")] if args.cores else [usable[0], usable[-1]]
    rounds = args.rounds or (2 if args.quick else 5)

    def log(text):
        print(text, file=sys.stderr, flush=True)

    report = {**surroundings(build_dir), "connections": args.connections, "rounds": rounds, "cores": cores, "modes": {}}
    machine = report["machine"]
    print(f"{machine['processor']}, {machine['cores']} cores, kernel {machine['kernel']}, load {machine['load_at_start']:.1f}\n"
          f"{report['compiler']}, {report['flags']}\n"
          f"commit {report['commit'][:12]}{' with changes' if report['uncommitted_changes'] else ''}, "
          f"{report['server']}, {report['libcurl']}\n{report['command']}")
    if len(set(cores)) == 1:
        print("client and server share one core: times tell little")
    failed = False
    with tempfile.TemporaryDirectory(prefix="ocrpipe-bench-") as folder, BenchServer(folder, cores[0]) as server:
        bench = Bench(args, build_dir, folder, server, cores)
        for name, mode in modes_of(args).items():
            log(f"{name}: {mode.documents} documents of {mode.size} bytes")
            runs, notes = measure_mode(bench, clients, mode, rounds, log)
            best = summarise(runs)
            report["modes"][name] = {**dataclasses.asdict(mode), "best_curl": best, "clients": runs, "notes": notes}
            scheme = "TLS 1.3" if mode.tls else "HTTP"
            print(f"\n{mode.title}: {mode.documents} of {mode.size} bytes, {scheme}, {args.connections} connections, "
                  f"{mode.processing} ms processing, {rounds} rounds, load {os.getloadavg()[0]:.1f}\n\n{table_of(runs)}")
            for client, why in notes.items():
                print(f"- {client}: {why}")
                failed = failed or why.startswith("FAILED")
            sys.stdout.flush()
    path = args.json or os.path.join(build_dir, "bench.json")
    with open(path, "w") as f:
        json.dump(report, f, indent=1)
    log(f"all numbers: {path}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
