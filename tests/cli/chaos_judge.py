"""What a chaos test may end with: the guarantees of the README, checked against the truth of the service.

Each function yields a line for each thing that is wrong.
"""

import collections
import itertools
import json
import pathlib
import sqlite3

import chaos_plan
from chaos_connection import ACCEPTED, REFUSED, UNCLEAR
from outcome import Outcome, documents_in, most_in_doubt

MIB = 1 << 20
UNFINISHED = {"new", "intent", "submitted"}
ON_THE_WAY = 3  # seconds after a signal in which a submit may still arrive that had been sent before


def rows_of(out):
    """The documents in the ledger; none if there is no ledger yet."""
    try:
        database = sqlite3.connect(f"file:{out}/ledger.db?mode=ro", uri=True)
        database.row_factory = sqlite3.Row
        rows = {row["id"]: dict(row, sha256=row["sha256"].hex()) for row in database.execute("SELECT * FROM document")}
        database.close()
        return rows
    except sqlite3.OperationalError:
        return {}


class Truth:
    """What the service knows, by document and by life."""

    def __init__(self, service):
        self.service = service
        self.attempts = collections.defaultdict(list)
        self.modes = collections.defaultdict(set)
        self.faults = collections.defaultdict(set)
        self.late_submits = collections.Counter()  # after a signal that ends the sending
        signals = {what["life"]: what["t"] for what in service.truth if what["event"] == "signal"}
        for what in service.truth:
            if what["event"] == "submit" and what["t"] > signals.get(what["life"], float("inf")) + ON_THE_WAY:
                self.late_submits[what["life"]] += 1
        for what in service.truth:
            if what["event"] == "submit" and what["sha256"]:
                self.attempts[what["sha256"]].append(what)
            elif what["event"] == "mode":
                self.modes[what["life"]].add(what["mode"])
            elif what["event"] == "fault":
                self.faults[service.jobs[what["request_id"]].sha256].add(what["fault"])
        self.jobs = collections.defaultdict(list)
        for job in service.jobs.values():
            self.jobs[job.sha256].append(job)

    def kinds(self, sha256):
        return {job.kind for job in self.jobs[sha256]}

    def how(self, sha256):
        return {attempt["how"] for attempt in self.attempts[sha256]}

    def stopped_type(self):
        """Whether three submits were answered with 500 before one was accepted: their doc_type is stopped then."""
        answers = [what for what in self.service.truth if what["event"] == "answered"]
        before = list(itertools.takewhile(lambda a: a["proof"] != ACCEPTED, answers))
        return sum(a["how"] in ("500", "accept and 500", "all broken") for a in before) >= 3


def lived(life, code, killed, signalled, rows, before, peak, truth, number):
    """Of one process that has ended: its exit code, its memory, and what it left in the ledger.

    `killed`: by SIGKILL. `signalled`: the signal that asked it to end, if any. `rows`, `before`: the ledger after and before it.
    """
    modes = truth.modes[number]
    most = most_in_doubt(life.connections)
    in_doubt = [row for row in rows.values() if row["state"] == "intent"]
    newly_held = [row for id, row in rows.items() if row["state"] in ("ambiguous", "intent")
                  and before.get(id, {}).get("state") not in ("ambiguous", "intent")]
    unexplained = [row["id"] for row in newly_held if not any(
        a["life"] == number and a["proof"] != REFUSED and not (a["proof"] == ACCEPTED and a["confirmed"] and not killed)
        for a in truth.attempts[row["sha256"]])]
    # Bytes that the service had not read when the client or the service left.
    on_the_wire = truth.service.closed[number] + (most if killed or signalled or code not in (0, 1) else 0)
    if len(unexplained) > on_the_wire:
        yield (f"{len(unexplained)} documents are in doubt that the service never took, and at most {on_the_wire} can have been on the wire: "
               f"{unexplained[:5]}")
    if killed:
        # A process that is killed before it has read the ledger leaves what the one before it left.
        own = [row for row in in_doubt if row != before.get(row["id"])]
        if len(own) > most:
            yield f"{len(own)} documents are in doubt after a kill with {most} connections for submits"
    else:
        if in_doubt:
            yield f"{len(in_doubt)} documents are still marked as being sent after an orderly end: {in_doubt[0]['id']}"
        allowed = {0, 1}
        if signalled:
            allowed.add(128 + signalled)
        if life.limited:
            allowed.add(5)
        if life.budget or modes & chaos_plan.FAILING:
            allowed.add(6)
        if modes & chaos_plan.REFUSING:
            allowed |= {4, 6}
        if blames_the_key(truth.service, number):
            allowed.add(4)
        if code not in allowed:
            yield f"the exit code is {code}, of {sorted(allowed)}"
        if code == 0 and any(row["state"] not in ("done", "skipped") for row in rows.values()):
            yield f"the exit code is 0, and documents are {collections.Counter(row['state'] for row in rows.values())}"
        for row in rows.values():
            if row["failure_class"] and row["failure_class"] != before.get(row["id"], {}).get("failure_class"):
                yield from failed(row, truth, life)
    if truth.late_submits[number]:
        yield f"{truth.late_submits[number]} documents were sent after the signal"
    if peak > 128 * MIB + 3 * life.max_answer:
        yield f"it took {peak // MIB} MiB with --max-answer {life.max_answer // MIB} MiB"


def failed(row, truth, life):
    """Whether the service gave a document reason to fail so."""
    sha256, why = row["sha256"], row["failure_class"]
    how, kinds, faults = truth.how(sha256), truth.kinds(sha256), truth.faults[sha256]
    legitimate = {
        "ambiguous_submit": True,  # counted elsewhere
        "rejected": any(h.startswith(("destined 4", "refuse", "echo", "error in 200")) for h in how) or truth.stopped_type(),
        "unauthorized": "destined 403" in how,
        "service_error": bool("unavailable" in how or faults & {"500", "502", "unavailable"}),
        "job_failed": "failed" in kinds,
        "job_lost": "lost" in kinds,
        "job_expired": "gone" in kinds,
        "still_processing": life.deadline <= 60,
        "body_too_large": bool(kinds & {"huge", "endless"}),
    }.get(why, False)
    if not legitimate:
        yield (f"{row['id']} failed as {why} ({row['message']}); its submits: {sorted(how)}, its jobs: {sorted(kinds)}, "
               f"faults of its reads: {sorted(faults)}")


def repeated(plan, truth):
    """Submits that were repeated although that was not allowed."""
    for sha256, attempts in truth.attempts.items():
        in_doubt = None
        for a in attempts:
            if in_doubt and not plan.may_resubmit(a["life"]):
                yield (f"{sha256[:8]} was sent again in process {a['life']} although its submit in process {in_doubt['life']} may have been "
                       f"accepted: {in_doubt['how']}")
                break
            in_doubt = a if a["proof"] == UNCLEAR else None if a["proof"] == ACCEPTED else in_doubt
        for number, count in collections.Counter(a["life"] for a in attempts if a["proof"] == UNCLEAR).items():
            if count > 2:
                yield f"{sha256[:8]} was sent {count} times in process {number} without a clear answer"


def recorded(service, out, truth, killed):
    """Request ids that the client had and did not keep. `killed`: the numbers of the processes that were."""
    database = sqlite3.connect(f"file:{out}/ledger.db?mode=ro", uri=True)
    known = {r for r, in database.execute("SELECT request_id FROM document UNION SELECT request_id FROM earlier_request")}
    database.close()
    for request_id in {w["request_id"] for w in service.truth if w["event"] in ("read", "part")}:
        if request_id not in service.jobs:
            yield f"{request_id} was read and was never given out"
        elif request_id not in known:
            yield f"{request_id} was read and is not in the ledger"
    for attempts in truth.attempts.values():
        for a in attempts:
            if a["proof"] == ACCEPTED and a["confirmed"] and a["life"] not in killed and a["accepted"] not in known:
                yield f"{a['accepted']} was given out and read by the client (process {a['life']}) and is not in the ledger"


def blames_the_key(service, life):
    """Whether exit code 4 is right: documents were refused, and no result was read by then that could have shown that the key is good."""
    read = any(what["event"] == "delivered" and what["filled"] and what["life"] <= life for what in service.truth)
    return "403" in service.destinies.values() and not read


def ended(plan, service, inputs, out, code, killed, last):
    """After the last processes, which met no fault: every document is done, or there is a lasting reason why not."""
    truth = Truth(service)
    outcome = Outcome(out, documents_in(inputs), [w for w in service.truth if w["event"] == "accepted"])
    waiting = set(copies_without_result(outcome)) if plan.copies > 1 else set()
    blamed = code == 4 and blames_the_key(service, last)
    if blamed:
        waiting |= set(refused_unsent(service, outcome))
    for path in waiting:
        del outcome.documents[path]
    outcome.report["found"] -= outcome.report["repeated"] + len(waiting)
    yield from outcome.problems(plan.on_ambiguous == "resubmit", {row["class"] for row in outcome.failures.values()})
    yield from repeated(plan, truth)
    yield from recorded(service, out, truth, killed)
    for path, sha256 in outcome.documents.items():
        yield from (f"{path}: {what}" for what in document_end(plan, truth, outcome, path, sha256))
    complete = all(outcome.lines[path] for path in outcome.documents) and not waiting
    if code != (0 if complete else 1) and not blamed:
        yield f"the exit code of the last run is {code}, and {'all' if complete else 'not all'} documents have their result"


def refused_unsent(service, outcome):
    """Documents that the service refuses, which the run took for a refusal of the key: they are not failed."""
    for path, sha256 in outcome.documents.items():
        if service.destinies.get(sha256) == "403" and path in outcome.rows and outcome.rows[path]["state"] == "new":
            yield path


def copies_without_result(outcome):
    """Copies of a document that has no result wait for it, without a row of their own or not sent."""
    stopped = {outcome.documents[path] for path in outcome.failures if path in outcome.documents}
    for path, sha256 in outcome.documents.items():
        row = outcome.rows.get(path)
        if sha256 in stopped and path not in outcome.failures and not outcome.lines[path] and (row is None or row["state"] in UNFINISHED):
            yield path


def document_end(plan, truth, outcome, path, sha256):
    job = truth.jobs[sha256][-1] if truth.jobs[sha256] else None
    destiny = truth.service.destinies.get(sha256, "good")
    # Equal documents wait for one that is in doubt.
    in_doubt = {outcome.documents.get(p) for p, row in outcome.failures.items() if row["class"] == "ambiguous_submit"}
    if path in outcome.failures:
        why = outcome.failures[path]["class"]
        lasting = {"ambiguous_submit": plan.on_ambiguous == "hold", "rejected": destiny in ("400", "403", "404", "415"),
                   "job_failed": destiny == "failed", "job_lost": "lost" in truth.kinds(sha256),
                   "job_expired": "gone" in truth.kinds(sha256)}
        if not lasting.get(why) and sha256 not in in_doubt:
            yield f"ends as {why} although nothing stands in its way ({destiny}, jobs: {sorted(truth.kinds(sha256))})"
        return
    for line in outcome.lines[path]:
        job = truth.service.jobs.get(line["request_id"])
        if job is None:
            continue  # said elsewhere
        if job.kind == "empty":
            if line["status"] != "done_empty":
                yield f"has an empty result, which is called {line['status']}"
            continue
        if line["status"] != "done":
            yield f"ends as {line['status']}; the job was of the kind {job.kind!r}"
            continue
        wanted = [f"{sha256}#{n}" for n in range(job.documents)]
        found = [d["ocr_data"][0]["value"][0] for d in line["result"]["data"]["documents"]]
        if found != wanted:
            yield f"its result holds {found}, not {wanted}"
        if plan.text and wanted[0] not in (outcome.out / line["text"]).read_text(encoding="utf-8"):
            yield "its text is that of another document"
        if plan.parts:
            tables = [(outcome.out / p["file"]).read_text(encoding="utf-8") for p in line["parts"] if p["kind"] == "table" and "file" in p]
            missing = [w for n, w in enumerate(wanted) if not any(f"{sha256}#d-{n}" in table for table in tables)]
            if missing:
                yield f"{len(missing)} of {len(wanted)} tables are missing: {line['parts']}"


def leaked(folder, secrets):
    """Secrets in what the processes left behind and said. The answers themselves are kept byte for byte."""
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file() and path.parent.name != "answers":
            content = path.read_bytes()
            yield from (f"{name} is in {path.name}" for name, secret in secrets.items() if secret.encode() in content)


def counted(status):
    """The counts of `ocrpipe status --json`."""
    parts = ("done", "failed", "unfinished", "not_sent", "repeated")
    if status["found"] != sum(status[p] for p in parts):
        yield f"the counts do not add up: {status}"
