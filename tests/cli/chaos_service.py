"""The service of the chaos test: follows a seeded plan of misbehaviour and keeps the truth about every request.

What happens to a document, a submit or a read is a function of the seed, the document's hash and the number of the attempt. What happens to
all requests for a while is the mode, which the driver sets. In the mode `calm`, nothing is wrong except what is permanent.
"""

import asyncio
import collections
import json
import random
import socket
import ssl
import struct
import time

from chaos_connection import Connection
from chaos_plan import JOBS, choose


class Job:
    def __init__(self, request_id, sha256, generator, now, kind, huge):
        self.request_id = request_id
        self.sha256 = sha256
        self.kind = kind
        self.documents = generator.choice((1, 1, 1, 2, 3))
        wait = {"slow": (2, 8)}.get(kind, (0, 1.5))
        self.ready_at = now + generator.uniform(*wait)
        self.filled_at = self.ready_at + (generator.choice((0.3, 1, 4, 10)) if kind in ("late content", "late documents") else 0)
        self.padding = huge if kind == "huge" else 0
        self.reads = 0


class Service:
    def __init__(self, plan, truth_path, certificate=None):
        """`certificate`: the files of a certificate and its key, to serve over TLS."""
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)
        self.plan = plan
        self.truth_file = open(truth_path, "w", encoding="utf-8")
        self.truth = []
        self.mode = "good"
        self.life = 0
        self.jobs = {}
        self.destinies = {}
        self.submits = collections.Counter()  # by hash: complete ones
        self.ordinal = 0
        self.closed = collections.Counter()  # connections that the service ended at an unexpected moment, by the client's life
        self.peers = set()
        self.tasks = set()
        self.server = None
        self.port = 0
        self.released = asyncio.Event()  # ends what hangs

    # -- the listener --

    async def open(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, limit=1 << 20, backlog=200, ssl=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]

    async def set_mode(self, mode):
        """Switches from one mode to the next."""
        self.record(event="mode", mode=mode)
        previous, self.mode = self.mode, mode
        if previous == "refuse" and mode != "refuse":
            await self.open()
        if mode == "refuse" and previous != "refuse":
            self.server.close()
            self.server = None
        if mode in ("refuse", "reset"):
            for writer in list(self.peers):
                self.reset(writer)
        self.released.set()
        self.released = asyncio.Event()

    async def close(self):
        if self.server:
            self.server.close()
        for writer in list(self.peers):
            writer.transport.abort()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.truth_file.close()

    def record(self, **what):
        what = {"t": round(time.monotonic(), 3), "life": self.life, **what}
        self.truth.append(what)
        json.dump(what, self.truth_file)
        self.truth_file.write("\n")
        self.truth_file.flush()
        return what

    def random(self, *key):
        return random.Random(f"{self.plan.seed}/" + "/".join(map(str, key)))

    def reset(self, writer):
        """Ends a connection so that the client sees a reset."""
        self.closed[self.life] += 1
        peer = writer.get_extra_info("socket")
        if peer is not None:
            try:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
        writer.transport.abort()

    async def serve(self, reader, writer):
        task = asyncio.current_task()
        self.tasks.add(task)
        self.peers.add(writer)
        generator = self.random("connection", self.ordinal)
        requests = 1 << 30 if self.mode == "calm" else generator.choice((5, 20, 1000, 1000, 1000))
        connection = Connection(self, reader, writer, requests, announced=generator.random() < 0.7)
        try:
            if self.mode == "reset":
                return self.reset(writer)
            while await connection.exchange():
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.peers.discard(writer)
            self.tasks.discard(task)
            writer.close()

    def accept(self, attempt):
        sha256 = attempt["sha256"]
        number = sum(job.sha256 == sha256 for job in self.jobs.values()) + 1
        generator = self.random("job", sha256, number)
        kind = "failed" if self.destinies.get(sha256) == "failed" else choose(generator, JOBS)
        if self.mode == "calm":
            kind = "failed" if kind == "failed" and self.destinies.get(sha256) == "failed" else "normal"
        request_id = f"r-{len(self.jobs) + 1}-{generator.getrandbits(32):08x}"
        self.jobs[request_id] = Job(request_id, sha256, generator, time.monotonic(), kind, self.plan.huge)
        attempt["accepted"] = request_id
        self.record(event="accepted", sha256=sha256, request_id=request_id, kind=kind)
        return request_id
