"""One connection of the client to the service of the chaos test: reads requests and answers them as the plan says."""

import asyncio
import hashlib
import json
import re
import time
from email.utils import formatdate

from chaos_plan import DESTINIES, RESULT_FAULTS, SUBMIT_FAULTS, choose

# What the answer to a submit proves, by the contract. OPEN: the client may take it either way.
ACCEPTED, REFUSED, UNCLEAR, OPEN, INCOMPLETE = "accepted", "refused", "unclear", "open", "incomplete"

PERMANENT = {"403": 403, "404": 404, "400": 400, "415": 415}
UNFRIENDLY_WAITS = ("", "-5", "soon", "1.5", "0x10", "Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 99 Foo 2026 99:00:00 GMT")


class Connection:
    def __init__(self, service, reader, writer, requests, announced):
        """The service ends the connection after so many requests, and says so in the last answer or not."""
        self.service = service
        self.left = requests
        self.announced = announced
        self.reader = reader
        self.writer = writer
        self.head = ""
        self.unconfirmed = None  # the attempt whose answer was written last on this connection

    async def exchange(self):
        """Reads one request and answers it. Returns whether the connection can be used again."""
        service = self.service
        try:
            self.head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return False
        if self.unconfirmed:
            self.unconfirmed["confirmed"] = True
            self.unconfirmed = None
        service.ordinal += 1
        self.left -= 1
        method, target = self.head.split(" ", 2)[:2]
        length = re.search(r"(?im)^content-length: *(\d+)", self.head)
        if method == "POST":
            return await self.submit(int(length[1]))
        words = target.split("/ocr/ingest/")[1].split("/") if "/ocr/ingest/" in target else []
        return await (self.part(words) if len(words) > 1 else self.result(words[0] if words else ""))

    # -- answers --

    async def answer(self, status, content=None, headers=(), kind="application/json", cut=None, slowly=False, close=False):
        body = content if isinstance(content, bytes) else b"" if content is None else json.dumps(content).encode()
        close = close or not self.left
        head = [f"HTTP/1.1 {status} Status", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
        if close and cut is None and self.announced:
            head.append("Connection: close")
        elif self.announced and self.left < 100:
            head.append(f"Keep-Alive: timeout=60, max={self.left}")
        data = "\r\n".join([*head, "", ""]).encode() + body
        if cut is not None:
            data = data[:int(len(data) * cut)]
        step = max(1, len(data) // 8) if slowly else len(data)
        for i in range(0, len(data), step):
            self.writer.write(data[i:i + step])
            await self.writer.drain()
            if slowly:
                await asyncio.sleep(0.15)
        if cut is not None or (close and not self.announced):
            self.service.closed[self.service.life] += 1
        return not close and cut is None

    async def hang(self):
        """Waits for the next mode, and then ends the connection without an answer."""
        await self.service.released.wait()
        self.service.reset(self.writer)
        return False

    def wait_headers(self, generator):
        """A Retry-After of any form. A long one is given only where the run is ended by a signal."""
        longest = self.service.plan.longest_wait(self.service.life)
        forms = [str(generator.randint(0, 3)), formatdate(time.time() + 2, usegmt=True), generator.choice(UNFRIENDLY_WAITS)]
        if longest > 3:
            forms += [str(longest), "9" * 20, formatdate(time.time() + longest, usegmt=True), "Fri, 31 Dec 9999 23:59:59 GMT"]
        return [f"Retry-After: {generator.choice(forms)}"]

    def echo(self):
        return {"message": "bad request: " + self.head, "headers": self.head.split("\r\n")}

    async def by_mode(self, generator):
        """The answer that all requests get in this mode; None if the mode decides nothing."""
        mode = self.service.mode
        if mode == "hang":
            return await self.hang()
        if mode == "reset":
            self.service.reset(self.writer)
            return False
        if mode == "forbid":
            return await self.answer(403, b"Forbidden", kind="text/plain")
        if mode == "misplace":
            return await self.answer(404, b"404 page not found", kind="text/plain")
        if mode == "portal":
            return await self.answer(200, b"<html>Please sign in</html>", kind="text/html")
        if mode == "throttle":
            return await self.answer(429, self.echo(), self.wait_headers(generator) if generator.random() < 0.7 else ())
        if mode == "unavailable":
            return await self.answer(503, b"busy", kind="text/plain")
        if mode == "unavailable with wait":
            return await self.answer(503, b"busy", self.wait_headers(generator), kind="text/plain")
        if mode == "broken":
            return await self.answer(generator.choice((500, 502, 504)), self.echo())
        return None

    # -- submits --

    async def submit(self, length):
        service = self.service
        generator = service.random("request", service.ordinal)
        attempt = service.record(event="submit", proof=INCOMPLETE, sha256=None, accepted=None, confirmed=False)
        early = service.mode not in ("calm", "hang") and generator.random()
        if early and early < 0.01:
            await self.reader.read(length // 2)
            attempt["how"] = "reset in the body"
            service.reset(self.writer)
            return False
        if early and early < 0.02:
            attempt["how"] = "throttled before the body"
            service.closed[service.life] += 1  # the client may see a reset before it has read the answer
            return await self.answer(429, None, close=True)
        body = b""
        while len(body) < length:
            piece = await self.reader.read(min(length - len(body), 2000 if early and early < 0.05 else 1 << 20))
            if not piece:
                return False
            body += piece
            if early and early < 0.05:
                await asyncio.sleep(0.02)
        boundary = body[:body.index(b"\r\n")]
        file = body[body.index(b'name="file"'):]
        file = file[file.index(b"\r\n\r\n") + 4:]
        sha256 = hashlib.sha256(file[:file.rindex(b"\r\n" + boundary)]).hexdigest()
        service.submits[sha256] += 1
        attempt.update(sha256=sha256, number=service.submits[sha256], proof=UNCLEAR)
        kept = await self.answer_submit(attempt, generator)
        service.record(event="answered", **{k: attempt[k] for k in ("sha256", "number", "how", "proof", "accepted")})
        self.unconfirmed = attempt
        return kept

    async def answer_submit(self, attempt, generator):
        service, sha256 = self.service, attempt["sha256"]
        attempt["how"] = f"all {service.mode}"
        if service.mode in ("throttle", "unavailable with wait"):
            attempt["proof"] = REFUSED
        elif service.mode in ("unavailable", "forbid", "misplace"):
            attempt["proof"] = OPEN
        if service.mode == "hang" and generator.random() < 0.5:
            service.accept(attempt)
        answered = await self.by_mode(generator)
        if answered is not None:
            return answered
        generator = service.random("submit", sha256, attempt["number"])
        destiny = service.destinies.setdefault(sha256, choose(service.random("document", sha256), DESTINIES))
        if destiny in PERMANENT:
            attempt.update(proof=REFUSED, how=f"destined {destiny}")
            text = {"403": "permission denied for this document", "404": "no such flow"}.get(destiny, "bad document")
            return await self.answer(PERMANENT[destiny], {"code": PERMANENT[destiny], "message": text})
        fault = choose(generator, SUBMIT_FAULTS) if service.mode != "calm" and generator.random() < service.plan.fault_rate else None
        attempt["how"] = fault or "accept"
        return await self.faulty_submit(fault, attempt, generator)

    async def faulty_submit(self, fault, attempt, generator):
        service = self.service
        if fault == "accept late":
            await asyncio.sleep(generator.choice((0.5, 0.5, 1, 1, 3, 3, 6, service.plan.slowest_answer)))
        if fault in (None, "accept late", "accept and close", "slow answer"):
            if self.reader.at_eof():
                service.accept(attempt)  # too late for the client
                return False
            accepted = {"data": {"request_id": service.accept(attempt), "file_ids": ["f-1"]}}
            attempt["proof"] = ACCEPTED
            return await self.answer(201, accepted, close=fault == "accept and close", slowly=fault == "slow answer")
        if fault.startswith("accept"):
            request_id = service.accept(attempt)
        if fault == "accept and lose":
            service.reset(self.writer)
            return False
        if fault == "accept and cut":
            return await self.answer(201, {"data": {"request_id": request_id}}, cut=generator.uniform(0.1, 0.6))
        if fault == "accept damaged":  # the id can be seen
            attempt["proof"] = OPEN
            return await self.answer(201, json.dumps({"data": {"request_id": request_id}, "more": 1}).encode()[:-5])
        if fault in ("accept and 500", "accept and 502", "500", "504"):
            return await self.answer(int(fault[-3:]), self.echo())
        if fault == "accept without id":
            return await self.answer(200, {"message": "thank you"})
        if fault == "accept and redirect":
            return await self.answer(generator.choice((301, 302, 303)), None, ["Location: /elsewhere"])
        if fault == "reset":
            service.reset(self.writer)
            return False
        attempt["proof"] = OPEN if fault in ("unavailable", "error in 200") else REFUSED
        if fault == "throttle":
            return await self.answer(429, None, self.wait_headers(generator) if generator.random() < 0.7 else ())
        if fault.startswith("unavailable"):
            return await self.answer(503, b"busy", self.wait_headers(generator) if fault.endswith("wait") else (), kind="text/plain")
        if fault == "error in 200":
            return await self.answer(200, {"code": 400, "message": "bad document"})
        return await self.answer(int(fault[-3:]), self.echo() if "echo" in fault else {"message": "bad document"})

    # -- results and parts --

    async def result(self, request_id):
        service = self.service
        job = service.jobs.get(request_id)
        service.record(event="read", request_id=request_id, known=job is not None)
        if job is None:
            return await self.answer(404, {"message": "no such request"})
        job.reads += 1
        generator = service.random("read", job.sha256, job.reads)
        answered = await self.by_mode(generator)
        if answered is not None:
            return answered
        calm = service.mode == "calm"
        if service.mode == "no results":
            return await self.answer(generator.choice((500, 503)), {"message": "storage is down"})
        # A refusal that is repeated would be a verdict, so every second read has no fault.
        faulty = not calm and job.reads % 2 == 1 and generator.random() < service.plan.fault_rate
        fault = choose(generator, RESULT_FAULTS) if faulty else None
        if fault:
            service.record(event="fault", request_id=request_id, fault=fault)
        if fault and fault not in ("slow", "close"):
            return await self.faulty_result(fault, generator)
        if job.kind == "lost":
            return await self.answer(404, {"message": "no such request"})
        if job.kind == "gone":
            return await self.answer(410, {"message": "expired"})
        if job.kind == "endless" and not calm:
            return await self.endless()
        now = time.monotonic() if not calm else float("inf")
        if now < job.ready_at:
            return await self.answer(200, {"data": {"progress": {"total_doc": job.documents, "ignored": 0, "finished": 0}, "documents": []}})
        if job.kind == "failed":
            return await self.answer(200, {"data": {"status": "FAILED", "message": "cannot read this"}})
        content = self.content(job, filled=now >= job.filled_at)
        kept = await self.answer(200, content, slowly=fault == "slow", close=fault == "close")
        service.record(event="delivered", request_id=request_id, filled=now >= job.filled_at)
        return kept

    def content(self, job, filled):
        documents = job.documents if filled or job.kind != "late documents" else max(1, job.documents - 1)
        with_content = job.kind != "empty" and (filled or job.kind == "late documents")

        def one(number):
            value = [f"{job.sha256}#{number}", *(["x" * job.padding] if job.padding and number == 0 else [])]
            return {"document_id": f"d-{number}", "document_type": "invoice", "status": "SUCCESS",
                    "ocr_data": [{"name": "identity", "value": value}] if with_content else None}

        return {"data": {"status": "SUCCESS", "progress": {"total_doc": job.documents, "ignored": 0, "finished": job.documents},
                         "documents": [one(i) for i in range(documents)]}}

    async def faulty_result(self, fault, generator):
        if fault == "reset":
            self.service.reset(self.writer)
            return False
        if fault in ("500", "502"):
            return await self.answer(int(fault), self.echo())
        if fault == "throttle":
            return await self.answer(429, None, self.wait_headers(generator))
        if fault.startswith("unavailable"):
            return await self.answer(503, None, self.wait_headers(generator) if fault.endswith("wait") else ())
        if fault == "cut":
            return await self.answer(200, {"data": {"status": "SUCCESS", "documents": [{"ocr_data": [{"name": "cut", "value": ["x" * 500]}]}]}},
                                     cut=generator.uniform(0.2, 0.9))
        if fault == "page":
            return await self.answer(200, b"<html>an error page</html>", kind="text/html")
        if fault == "echo 400":
            return await self.answer(400, self.echo())
        if fault == "not found":
            return await self.answer(404, {"message": "no such request"})
        if fault == "pending with wait":
            return await self.answer(200, {"data": {"status": "RUNNING"}}, self.wait_headers(generator))
        return await self.answer(204 if fault == "no content" else 200, {"null": b"null"}.get(fault))

    async def endless(self):
        """An answer without end, until the client has had enough."""
        self.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(2 * self.service.plan.largest_answer // 0x10000):
            self.writer.write(chunk)
            await self.writer.drain()
        self.service.reset(self.writer)
        return False

    async def part(self, words):
        service = self.service
        kind, request_id, name = words
        job = service.jobs.get(request_id)
        service.record(event="part", request_id=request_id, kind=kind, known=job is not None)
        number = service.submits[f"part/{kind}/{request_id}/{name}"] = service.submits[f"part/{kind}/{request_id}/{name}"] + 1
        generator = service.random("part", job.sha256 if job else "", kind, name, number)
        answered = await self.by_mode(generator)
        if answered is not None:
            return answered
        if service.mode == "no results":
            return await self.answer(500, {"message": "storage is down"})
        if service.mode != "calm" and number == 1 and generator.random() < service.plan.fault_rate:
            fault = generator.choice(("500", "throttle", "reset", "cut", "unavailable", "not found"))
            return await self.faulty_result(fault, generator)
        return await self.answer(200, {"table": [[f"{job.sha256}#{name}"]]} if job else {"table": []})
