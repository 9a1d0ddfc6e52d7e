"""Runs `ocrpipe run` and `retry` against a service that misbehaves by a seeded plan, with signals and restarts, and judges what is left.

The service's own record and the README's guarantees decide; see chaos_plan.py, chaos_service.py and chaos_judge.py. tools/chaos calls this at
length, chaos_test.py in short. A seed decides the plan and each fault; the machine decides the moments, so a failure may need several tries.
"""

import argparse
import asyncio
import collections
import concurrent.futures
import itertools
import json
import mmap
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source folder stays as it is
import chaos_judge
import workbench
from chaos_plan import Plan
from chaos_service import Service

KEY = "sk-chaos-0123456789abcdef"
PASSWORD = "proxy-password-0123456789"
PATIENCE = 240  # seconds beyond what the service needs until a process that does not end is a failure


class Process:
    """A process of ocrpipe, watched until its end."""

    def __init__(self, arguments, environment, folder, said):
        with open(said, "wb") as out:
            self.popen = subprocess.Popen([workbench.binary, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                          env=workbench.clean_environment(**environment), cwd=folder)
        self.started = time.monotonic()
        self.peak = 0  # the most memory in bytes that it was seen to take

    @property
    def ended(self):
        return self.popen.poll() is not None

    async def wait(self, seconds):
        """Waits for the end of the process or of the time. Returns whether the process has ended."""
        end = time.monotonic() + seconds
        while not self.ended and time.monotonic() < end:
            try:
                status = pathlib.Path(f"/proc/{self.popen.pid}/status").read_text()
                self.peak = max([self.peak, *(int(kib) << 10 for kib in re.findall(r"VmHWM:\s*(\d+)", status))])
            except OSError:
                pass
            await asyncio.sleep(min(0.05, max(0.001, end - time.monotonic())))
        return self.ended

    def kill(self):
        """Kills the process if it has not ended. Returns its exit code and how long it lived in seconds."""
        if not self.ended:
            self.popen.kill()
        return self.popen.wait(), time.monotonic() - self.started


class Chaos:
    """One seed."""

    def __init__(self, plan, folder, until):
        self.plan = plan
        self.folder = folder
        self.until = until  # then the processes that are left are skipped
        self.inputs = folder / "in"
        self.left = folder / "left"  # all that processes leave behind
        self.out = self.left / "out"
        self.service = None
        self.killed = set()
        self.said = []  # what happened
        self.problems = []
        self.rows = {}

    async def run(self):
        self.left.mkdir()
        self.write_documents()
        certificate = self.certificate() if self.plan.tls else None
        self.service = Service(self.plan, self.folder / "truth.jsonl", certificate)
        await self.service.open()
        try:
            for number, life in enumerate(self.plan.lives):
                if time.monotonic() > self.until:
                    break
                await self.live(number, life)
            await self.finish(len(self.plan.lives))
        finally:
            await self.service.close()
        return self.problems

    def write_documents(self):
        generator = random.Random(f"documents/{self.plan.seed}")
        for i in range(self.plan.documents):
            if i % self.plan.copies == 0:
                content = b"%PDF-1.4 " + f"{self.plan.seed}/{i} ".encode() + generator.randbytes(generator.randint(10, self.plan.largest_document))
            path = self.inputs / str(i % 3) / f"{i:04}.pdf"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (self.folder / "profile.json").write_text(json.dumps({"settle_seconds": self.plan.settle_seconds, "lost_seconds": 1}))

    def certificate(self):
        """Makes a certificate that signs itself. Returns its file and that of its key."""
        pem, key = self.folder / "ca.pem", self.folder / "ca.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", pem], check=True, capture_output=True)
        return pem, key

    async def start(self, number, command, options, mode):
        self.service.life = number
        await self.service.set_mode(mode)
        url = f"127.0.0.1:{self.service.port}"
        environment = {"OCRPIPE_API_KEY": KEY, "OCRPIPE_PORTAL_USER_ID": workbench.USER, "OCRPIPE_BASE_URL": f"http://{url}"}
        options = [*options, *self.plan.options, "--profile", self.folder / "profile.json", "--log-level", "debug"]
        if self.plan.proxied:
            environment |= {"OCRPIPE_BASE_URL": "http://ocr.example", "OCRPIPE_PROXY": f"http://me:{PASSWORD}@{url}"}
            options.append("--allow-plain-http")
        if self.plan.tls:
            environment["OCRPIPE_BASE_URL"] = f"https://{url}"
            options += ["--ca-file", self.folder / "ca.pem"]
        where = [self.inputs, "--out", self.out, *self.plan.run_options] if command == "run" else [self.out]
        return Process([command, *where, *options], environment, self.left, self.left / f"said-{number}")

    async def live(self, number, life):
        """One process, and what the service does meanwhile."""
        command = life.command if self.rows else "run"
        process = await self.start(number, command, life.options, "good")
        modes = asyncio.create_task(self.pass_modes(life.modes))
        try:
            signalled = await self.end(process, number, life)
        finally:
            cut = not process.ended
            code, seconds = process.kill()
            modes.cancel()
            await asyncio.gather(modes, return_exceptions=True)
        # A signal that comes before the program is ready for it, or when it has ended, ends it.
        killed = cut or (signalled is not None and code == -signalled)
        if killed:
            self.killed.add(number)
        before, self.rows = self.rows, chaos_judge.rows_of(self.out)
        self.note(number, f"{command}: " + ("killed" if killed else f"exit code {code}"), seconds, process.peak)
        found = chaos_judge.lived(life, code, killed, signalled, self.rows, before, 0 if sanitized() else process.peak,
                                  chaos_judge.Truth(self.service), number)
        self.problems += [f"process {number} ({command}): {what}" for what in found]

    async def end(self, process, number, life):
        """Waits until the process ends, or its end has come. Returns the signal that asked it to end, if any. What then lives is to be killed."""
        left = max(0, self.until - time.monotonic())
        if await process.wait(min(life.seconds if life.end else life.nominal_seconds + PATIENCE, left)):
            return None
        if time.monotonic() >= self.until or life.end in (None, signal.SIGKILL):
            if time.monotonic() < self.until and life.end is None:
                self.problems.append(f"process {number} did not end by itself within {PATIENCE} s")
            return None
        if life.suspended:
            process.popen.send_signal(signal.SIGSTOP)
            await asyncio.sleep(life.suspended)
            process.popen.send_signal(signal.SIGCONT)
        twice = life.end == "SIGINT twice"
        signalled = signal.SIGINT if twice else life.end
        self.service.record(event="signal")
        process.popen.send_signal(signalled)
        if twice:
            await asyncio.sleep(0.1)
            process.popen.send_signal(signalled)
        if not await process.wait(life.nominal_seconds + PATIENCE):
            self.problems.append(f"process {number} did not end within {PATIENCE} s of {signalled.name}")
        return signalled

    async def pass_modes(self, modes):
        for seconds, mode in modes:
            await self.service.set_mode(mode)
            await asyncio.sleep(seconds)
        await self.service.set_mode("good")

    def note(self, number, what, seconds, peak):
        states = collections.Counter(row["failure_class"] or row["state"] for row in self.rows.values())
        self.said.append(f"{number}: {what} after {seconds:.1f} s, {peak >> 20} MiB; {dict(states)}; {len(self.service.jobs)} accepted so far")

    async def finish(self, number):
        """Lets processes come to their end that meet no fault, and judges what is left."""
        for number, command in enumerate(("run", "retry", "run"), number):
            process = await self.start(number, command, ["--on-ambiguous", self.plan.on_ambiguous, "--max-answer", "256MiB"], "calm")
            try:
                if not await process.wait(PATIENCE):
                    self.problems.append(f"process {number}, which met no fault, did not end within {PATIENCE} s")
            finally:
                code, seconds = process.kill()
            self.rows = chaos_judge.rows_of(self.out)
            self.note(number, f"{command} without faults: exit code {code}", seconds, process.peak)
            if code not in (0, 1) and not (code == 4 and chaos_judge.blames_the_key(self.service, number)):
                self.problems.append(f"process {number}, which met no fault, ended with {code}")
                return
        status = subprocess.run([workbench.binary, "status", self.out, "--json"], capture_output=True, text=True, timeout=PATIENCE,
                                env=workbench.clean_environment())
        self.problems += chaos_judge.counted(json.loads(status.stdout))
        self.problems += chaos_judge.ended(self.plan, self.service, self.inputs, self.out, code, self.killed, number)
        self.problems += chaos_judge.leaked(self.left, {"the key": KEY, "the proxy password": PASSWORD})


def sanitized():
    """Whether the binary was built with a sanitizer, which takes memory of its own."""
    with open(workbench.binary, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as binary:
        return binary.find(b"__asan_init") >= 0 or binary.find(b"__tsan_init") >= 0


def by_kind(problems):
    """The problems, one of each kind: those that differ only in names and numbers are counted."""
    kinds = collections.defaultdict(list)
    for problem in problems:
        kinds[re.sub(r"/\S+|\br-\S+|\d+|\(.*", "", problem)].append(problem)
    return [alike[0] + (f" [and {len(alike) - 1} more like this]" if alike[1:] else "") for alike in kinds.values()]


def one_seed(seed, until, longest_outage, keep=False):
    """Runs one seed. Returns whether all is well, and prints what happened if not."""
    plan = Plan(seed, longest_outage)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"ocrpipe-chaos-{seed}-"))
    chaos = Chaos(plan, folder, until)
    problems = asyncio.run(chaos.run())
    if problems or keep:
        print("\n".join([str(plan), *chaos.said, *(f"PROBLEM: {p}" for p in by_kind(problems)), f"kept: {folder}"]), flush=True)
    if not problems and not keep:
        shutil.rmtree(folder)
    return not problems


def many_seeds(seeds, seconds, jobs, longest_outage):
    """Runs seeds in processes of their own until the time is over. Returns the number of seeds and those that failed."""
    until = time.monotonic() + seconds
    options = ["--longest-outage", f"{longest_outage:g}"]
    left, begun, failed = iter(seeds), [], []

    def work():
        while (seconds := until - time.monotonic()) > 0 and (seed := next(left, None)) is not None:
            begun.append(seed)
            done = subprocess.run([sys.executable, __file__, workbench.binary, *options, "--seed", str(seed), "--seconds", f"{seconds:.0f}"],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode:
                failed.append(seed)
                print(done.stdout + f"repeat it: tools/chaos --seed {seed} {' '.join(options)}\n", flush=True)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for worker in [pool.submit(work) for _ in range(jobs)]:
            worker.result()
    return len(begun), failed


def main():
    parser = argparse.ArgumentParser(prog="tools/chaos", description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=float, default=600, help="that seeds are begun in [600]")
    parser.add_argument("--seed", type=int, action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--first", type=int, default=1, help="the first seed, if none is named [1]")
    parser.add_argument("--jobs", type=int, default=6, help="seeds at once [6]")
    parser.add_argument("--longest-outage", type=float, default=60, help="seconds [60]")
    parser.add_argument("--keep", action="store_true", help="the folder, also if all is well")
    arguments = parser.parse_args()
    workbench.binary = os.path.abspath(arguments.binary)
    if len(arguments.seed) == 1:
        return 0 if one_seed(arguments.seed[0], time.monotonic() + arguments.seconds, arguments.longest_outage, arguments.keep) else 1
    seeds = arguments.seed or itertools.count(arguments.first)
    count, failed = many_seeds(seeds, arguments.seconds, arguments.jobs, arguments.longest_outage)
    print(f"{count} seeds, {len(failed)} failed{': ' + ', '.join(map(str, sorted(failed))) if failed else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
