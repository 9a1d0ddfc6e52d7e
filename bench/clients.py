"""The clients that bench/run compares: how each is started, and where its results are."""

import dataclasses
import glob
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclasses.dataclass
class Job:
    """What a client is to do."""
    url: str
    ca: str          # empty for http
    files: str       # folder of document-000000.pdf and so on
    file_count: int
    documents: int
    size: int
    connections: int
    processing: int  # ms
    out: str         # a folder of its own


class Client:
    def __init__(self, name, share=1.0, own_files=False, countable=True, holds_thread=False):
        self.name = name
        self.share = share                # of the documents: a client that is slow by nature gets fewer
        self.own_files = own_files        # needs as many distinct documents as it sends
        self.countable = countable        # valgrind can run it in reasonable time
        self.holds_thread = holds_thread  # sleeps in a thread, and on its connection, while a document is processed

    def missing(self):
        """Why this client cannot run here; empty when it can."""
        return ""

    def command(self, job):
        raise NotImplementedError

    def environment(self):
        return {}

    def result_files(self, job):
        return [os.path.join(job.out, "results.jsonl")]


class Program(Client):
    """A program with the command line of client_arguments.hpp."""

    def __init__(self, name, argv, variant="", **more):
        super().__init__(name, **more)
        self.argv = argv
        self.variant = variant

    def missing(self):
        if all(os.path.exists(a) or shutil.which(a) for a in self.argv):
            return ""
        return " ".join(self.argv) + " does not exist"

    def command(self, job):
        command = self.argv + ["--url", job.url, "--files", job.files, "--file-count", job.file_count, "--documents", job.documents,
                               "--size", job.size, "--connections", job.connections, "--processing", job.processing,
                               "--out", self.result_files(job)[0]]
        if job.ca:
            command += ["--ca", job.ca]
        if self.variant:
            command += ["--variant", self.variant]
        return [str(word) for word in command]


class PythonPeer(Program):
    def __init__(self, name, variant, share):
        script = os.path.join(HERE, "python_peer.py")
        self.interpreter = next((p for p in ("/usr/bin/python3", sys.executable)
                                 if os.path.exists(p) and subprocess.run([p, script, "--has", variant]).returncode == 0), None)
        super().__init__(name, [self.interpreter, script], variant, share=share, countable=False,
                         holds_thread=variant != "aiohttp")

    def missing(self):
        return "" if self.interpreter else f"no python3 here has what {self.variant} needs"


class CommandLine(Client):
    """`ocrpipe run` with all it does: reading the inputs ahead, hashing them, a ledger, results, the report."""

    def __init__(self, name, program, options=()):
        super().__init__(name, own_files=True)
        self.program = program
        self.options = list(options)

    def missing(self):
        return "" if os.path.exists(self.program) else f"{self.program} does not exist"

    def command(self, job):
        manifest = os.path.join(job.out, "manifest.jsonl")
        with open(manifest, "w") as f:
            for i in range(job.documents):
                f.write(json.dumps({"id": str(i), "path": os.path.join(job.files, f"document-{i % job.file_count:06d}.pdf")}) + "\n")
        command = [self.program, "run", manifest, "--out", os.path.join(job.out, "run"), "--base-url", job.url,
                   "--portal-user-id", "bench", "--doc-type", "INVOICE", "--connections", job.connections,
                   "--poll-interval", f"{job.processing}ms-{job.processing}ms",
                   "--max-inflight", max(1000, job.documents if job.processing else 0)]
        if job.ca:
            command += ["--ca-file", job.ca]
        return [str(word) for word in command + self.options]

    def environment(self):
        return {"OCRPIPE_API_KEY": "bench-key"}

    def result_files(self, job):
        return sorted(glob.glob(os.path.join(job.out, "run", "results-*.jsonl")))


def all_clients(build, ocrpipe_variants=()):
    """In the order in which they take turns. `ocrpipe_variants`: further options of `ocrpipe run`, a client each."""
    program = {name: os.path.join(build, "bench", "bench_" + name) for name in ("raw_epoll", "curl_multi", "engine")}
    command_line = os.path.join(build, "tools", "ocrpipe")
    clients = [Program("raw_epoll", [program["raw_epoll"]]), Program("engine", [program["engine"]])]
    clients += [Program("curl_" + v.replace("-", "_"), [program["curl_multi"]], v)
                for v in ("poll-buffer", "poll-stream", "poll-mime", "epoll-buffer", "epoll-stream", "epoll-mime")]
    clients.append(CommandLine("ocrpipe_run", command_line))
    clients += [CommandLine("ocrpipe_run " + options, command_line, options.split()) for options in ocrpipe_variants]
    clients += [PythonPeer("python_aiohttp", "aiohttp", 0.25), PythonPeer("python_requests", "requests", 0.05),
                PythonPeer("python_stdlib", "stdlib", 0.1)]
    return clients
