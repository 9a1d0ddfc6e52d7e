"""Runs `ocrpipe run` and `retry` against a service that misbehaves by a seeded plan, with signals and restarts, and judges what is left.

The service's own record and the README's guarantees decide; see chaos_plan.py, chaos_service.py and chaos_judge.py. tools/chaos calls this at
length, chaos_test.py in short. A seed decides the plan and each fault; the machine decides the moments, so a failure may need several tries.
"""

import argparse
import asyncio
import concurrent.futures
import itertools
import json
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


class Chaos:
    """One seed."""

    def __init__(self, plan, folder, until):
        self.plan = plan
        self.folder = folder
        self.until = until  # then the processes that are left are skipped
        self.inputs = folder / "in"
        self.left = folder / "left"  # all that processes leave behind
        self.out = self.left / "out"
        self.killed = set()
        self.said = []  # what happened
        self.problems = []
        self.rows = {}
        self.has_allocator_of_its_own = any(name in pathlib.Path(workbench.binary).read_bytes() for name in (b"__asan_init", b"__tsan_init"))

    async def run(self):
        self.left.mkdir()
        self.write_documents()
        self.service = Service(self.plan, self.folder / "truth.jsonl")
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

    def start(self, number, command, options):
        port = self.service.port
        environment = {"OCRPIPE_API_KEY": KEY, "OCRPIPE_PORTAL_USER_ID": workbench.USER, "OCRPIPE_BASE_URL": f"http://127.0.0.1:{port}"}
        if self.plan.proxied:
            environment |= {"OCRPIPE_BASE_URL": "http://ocr.example", "OCRPIPE_PROXY": f"http://me:{PASSWORD}@127.0.0.1:{port}"}
            options = [*options, "--allow-plain-http"]
        options = [*options, "--profile", self.folder / "profile.json", "--log-level", "debug"]
        if command == "run":
            options += ["--doc-type", "INVOICE", *(["--text"] if self.plan.text else []), *(["--parts", "tables"] if self.plan.parts else [])]
            command = ["run", self.inputs, "--out", self.out]
        else:
            command = [command, self.out]
        options += ["--poll-interval", "50ms-200ms", *(["--dedupe", "content"] if self.plan.copies > 1 else [])]
        with open(self.left / f"said-{number}", "wb") as said:
            return subprocess.Popen([workbench.binary, *map(str, command), *map(str, options)], stdin=subprocess.DEVNULL, stdout=said,
                                    stderr=said, env=workbench.clean_environment(**environment), cwd=self.left)

    async def live(self, number, life):
        """One process, and what the service does meanwhile."""
        self.service.life = number
        await self.service.set_mode("good")
        command = life.command if self.rows else "run"
        process = self.start(number, command, life.options)
        modes = asyncio.create_task(self.pass_modes(life.modes))
        started = time.monotonic()
        signalled = None
        killed = False
        peak = 0
        try:
            if life.end:
                peak = await self.wait(process, min(life.seconds, max(0, self.until - started)))
                if process.poll() is None and life.suspended:
                    process.send_signal(signal.SIGSTOP)
                    await asyncio.sleep(life.suspended)
                    process.send_signal(signal.SIGCONT)
            else:
                peak = await self.wait(process, min(life.nominal_seconds + PATIENCE, max(0, self.until - started)))
                if process.poll() is None and time.monotonic() < self.until:
                    self.problems.append(f"process {number} did not end by itself within {PATIENCE} s")
            if process.poll() is None and (life.end in (None, signal.SIGKILL) or time.monotonic() >= self.until):
                killed = True
                process.kill()
            elif process.poll() is None:
                signalled = signal.SIGINT if isinstance(life.end, str) else life.end
                self.service.record(event="signal")
                process.send_signal(signalled)
                if isinstance(life.end, str):
                    await asyncio.sleep(0.1)
                    process.send_signal(signalled)
                peak = max(peak, await self.wait(process, life.nominal_seconds + PATIENCE))
                if process.poll() is None:
                    self.problems.append(f"process {number} did not end within {PATIENCE} s of {signalled.name}")
                    killed = True
                    process.kill()
        finally:
            if process.poll() is None:
                process.kill()
            code = process.wait()
            modes.cancel()
            await asyncio.gather(modes, return_exceptions=True)
        # A signal that comes before the program is ready for it, or when it has ended, ends it.
        killed = code < 0 and -code in (signalled, signal.SIGKILL if killed else None)
        if killed:
            self.killed.add(number)
        before, self.rows = self.rows, chaos_judge.rows_of(self.out)
        peak = 0 if self.has_allocator_of_its_own else peak
        self.note(number, f"{command}: " + (f"killed by {signal.Signals(-code).name}" if killed else f"exit code {code}"), process_peak=peak, seconds=time.monotonic() - started)
        found = chaos_judge.lived(life, code, killed, signalled, self.rows, before, peak, chaos_judge.Truth(self.service), number)
        self.problems += [f"process {number} ({command}): {what}" for what in found]

    async def pass_modes(self, modes):
        for seconds, mode in modes:
            await self.service.set_mode(mode)
            await asyncio.sleep(seconds)
        await self.service.set_mode("good")

    async def wait(self, process, seconds):
        """Waits for the end of the process or of the time. Returns the most memory in bytes that the process took."""
        end, peak = time.monotonic() + seconds, 0
        while process.poll() is None and time.monotonic() < end:
            try:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                peak = max([peak, *(int(kib) << 10 for kib in re.findall(r"VmHWM:\s*(\d+)", status))])
            except OSError:
                pass
            await asyncio.sleep(min(0.05, max(0.001, end - time.monotonic())))
        return peak

    def note(self, number, what, process_peak=0, seconds=0.0):
        states = {}
        for row in self.rows.values():
            name = row["failure_class"] or row["state"]
            states[name] = states.get(name, 0) + 1
        self.said.append(f"{number}: {what} after {seconds:.1f} s, {process_peak >> 20} MiB; {states}; {len(self.service.jobs)} accepted so far")

    async def finish(self, number):
        """Lets processes come to their end that meet no fault."""
        self.service.life = number
        await self.service.set_mode("calm")
        options = ["--on-ambiguous", self.plan.on_ambiguous, "--max-answer", "256MiB"]
        for command in ("run", "retry", "run"):
            self.service.life = number
            started = time.monotonic()
            process = self.start(number, command, options)
            try:
                await self.wait(process, PATIENCE)
            finally:
                ended = process.poll() is not None
                if not ended:
                    process.kill()
                code = process.wait()
            self.rows = chaos_judge.rows_of(self.out)
            self.note(number, f"{command} without faults: exit code {code}", seconds=time.monotonic() - started)
            if not ended:
                self.problems.append(f"process {number}, which met no fault, did not end within {PATIENCE} s")
            if code not in (0, 1):
                self.problems.append(f"process {number}, which met no fault, ended with {code}")
                return
            number += 1
        status = subprocess.run([workbench.binary, "status", self.out, "--json"], capture_output=True, text=True, timeout=PATIENCE,
                                env=workbench.clean_environment())
        self.problems += chaos_judge.counted(json.loads(status.stdout))
        self.problems += chaos_judge.ended(self.plan, self.service, self.inputs, self.out, code, self.killed)
        self.problems += chaos_judge.leaked(self.left, {"the key": KEY, "the proxy password": PASSWORD})


def one_seed(seed, until, longest_outage, keep=False):
    """Runs one seed. Returns whether all is well, and prints what happened if not."""
    plan = Plan(seed, longest_outage)
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"ocrpipe-chaos-{seed}-"))
    chaos = Chaos(plan, folder, until)
    problems = asyncio.run(chaos.run())
    if problems or keep:
        shown = [*problems[:20], *([f"... {len(problems)} problems"] if len(problems) > 20 else [])]
        print("\n".join([str(plan), *chaos.said, *(f"PROBLEM: {p}" for p in shown), f"kept: {folder}"]), flush=True)
    if not problems and not keep:
        shutil.rmtree(folder)
    return not problems


def many_seeds(seeds, seconds, jobs, longest_outage):
    """Runs seeds in processes of their own until the time is over. Returns the number of seeds and those that failed."""
    until = time.monotonic() + seconds
    count, failed = 0, []
    options = ["--longest-outage", f"{longest_outage:g}"]

    def run(seed):
        left = until - time.monotonic()
        done = subprocess.run([sys.executable, __file__, workbench.binary, *options, "--seed", str(seed), "--seconds", f"{left:.0f}"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            failed.append(seed)
            print(done.stdout + f"repeat it: tools/chaos --seed {seed} {' '.join(options)}\n", flush=True)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        under_way = set()
        for seed in seeds:
            if time.monotonic() > until:
                break
            under_way.add(pool.submit(run, seed))
            count += 1
            while len(under_way) >= jobs and time.monotonic() < until:
                ended, under_way = concurrent.futures.wait(under_way, timeout=1, return_when=concurrent.futures.FIRST_COMPLETED)
                for one in ended:
                    one.result()
        for one in under_way:
            one.result()
    return count, failed


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
