"""What must be true of a run's directory, whatever happened on the way: results, failures, ledger, report and the service agree."""

import collections
import hashlib
import json
import pathlib
import sqlite3


def documents_in(folder):
    """The hash of each document below a folder, by its path."""
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(pathlib.Path(folder).rglob("*.pdf"))}


def most_in_doubt(connections):
    """How many documents a kill may leave in doubt: one for each connection for submits, which are 4 of 7 of --connections."""
    return connections - max(1, connections * 2 // 7) - max(1, connections // 7)


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Outcome:
    """All that is known of a run that has ended: its directory, the documents it was given, and what the service accepted."""

    def __init__(self, out, documents, accepted):
        self.out = pathlib.Path(out)
        self.documents = documents
        self.accepted = collections.defaultdict(list)  # request ids by the document's hash
        for row in accepted:
            self.accepted[row["sha256"]].append(row["request_id"])
        self.lines = collections.defaultdict(list)
        for file in sorted(self.out.glob("results-*.jsonl")):
            for row in read_lines(file):
                if any(line["request_id"] == row["request_id"] for line in self.lines[row["path"]]):
                    self.lines[row["path"]] = []  # written again with parts that were fetched later
                self.lines[row["path"]].append(row)
        failures = read_lines(self.out / "failures.jsonl")
        self.failures = {row["path"]: row for row in failures if "kind" not in row}
        self.failed_parts = [row for row in failures if "kind" in row]
        self.report = json.loads((self.out / "report.json").read_text(encoding="utf-8"))
        database = sqlite3.connect(f"file:{self.out}/ledger.db?mode=ro", uri=True)
        database.row_factory = sqlite3.Row
        self.integrity = database.execute("PRAGMA integrity_check").fetchone()[0]
        self.rows = {row["path"] or row["id"]: row for row in database.execute("SELECT * FROM document")}
        self.earlier = collections.defaultdict(dict)  # states of superseded requests, by the document's number
        for row in database.execute("SELECT document, request_id, state FROM earlier_request"):
            self.earlier[row["document"]][row["request_id"]] = row["state"]
        database.close()

    @property
    def results(self):
        return sum(map(len, self.lines.values()))

    @property
    def ambiguous(self):
        return sum(row["class"] == "ambiguous_submit" for row in self.failures.values())

    @property
    def accepted_twice(self):
        return sum(len(ids) > 1 for ids in self.accepted.values())

    def problems(self, resubmit=False, failures=("ambiguous_submit",)):
        """What is wrong, a line each.

        `resubmit`: documents whose submit was ambiguous were allowed to be sent again. `failures`: the classes that a document may end
        with. A document that failed for another reason may have been sent again by retry.
        """
        found = []
        if self.integrity != "ok":
            found.append(f"ledger.db: {self.integrity}")
        by_content = collections.defaultdict(list)
        for path, sha256 in self.documents.items():
            found += [f"{path}: {what}" for what in self._document_problems(path, sha256, failures)]
            if path in self.rows:
                by_content[sha256].append(self.rows[path])
        for sha256, rows in by_content.items():
            found += [f"{rows[0]['id']}: {what}" for what in self._payment_problems(rows, self.accepted[sha256], resubmit)]
        for path in {path for path, lines in self.lines.items() if lines} - set(self.documents):
            found.append(f"{path}: a result of a document that there is not")
        return found + list(self._report_problems())

    def _document_problems(self, path, sha256, failures):
        lines = self.lines[path]
        failed = self.failures.get(path, {}).get("class")
        row = self.rows.get(path)
        if row is None:
            yield "is not in the ledger"
            return
        if len(lines) + (failed is not None) != 1:
            yield f"{len(lines)} results and {failed or 'no failure'}"
        if failed is not None and failed not in failures:
            yield f"failed as {failed}: {self.failures[path]['message']}"
        if lines:
            yield from self._result_problems(row, lines[0], sha256)

    def _result_problems(self, row, line, sha256):
        if line["sha256"] != sha256 or line["request_id"] not in self.accepted[sha256]:
            yield f"its result is that of request {line['request_id']}, which belongs to another document"
        if row["state"] not in ("done", "skipped"):
            yield f"has a result and is {row['state']} in the ledger"
            return
        with open(self.out / f"results-{row['result_file']:05}.jsonl", "rb") as file:
            file.seek(row["result_offset"])
            if json.loads(file.read(row["result_length"])) != line:
                yield "its result is not where the ledger says"
        for part in line.get("parts", ()):
            if "file" in part and not (self.out / part["file"]).stat().st_size:
                yield f"{part['file']} is empty"

    def _payment_problems(self, rows, accepted, resubmit):
        """`rows`: all documents with one content."""
        earlier = {r: state for row in rows for r, state in self.earlier[row["number"]].items()}
        current = [row["request_id"] for row in rows if row["request_id"]]
        for request_id in {*earlier, *current} - set(accepted):
            yield f"{request_id} is in the ledger and was never given out for it"
        for request_id, state in earlier.items():
            if state not in ("failed", "expired", "lost"):
                yield f"was sent again although {request_id} was {state}"
        # A copy is sent if the job of its original came to nothing.
        useful = [row["request_id"] for row in rows if row["request_id"] and row["state"] not in ("failed", "expired", "lost")]
        if len(useful) > 1:
            yield f"has the requests {', '.join(useful)}, of which one is enough"
        # Accepted, and nobody was told: that submit was ambiguous.
        unknown = [r for r in accepted if r not in earlier and r not in current]
        held = sum(row["state"] == "ambiguous" for row in rows)
        if not resubmit and len(unknown) > held:
            yield f"was accepted as {', '.join(unknown)} too, and {held} are in doubt"
        if not resubmit and held and useful:
            yield f"is in doubt and was sent again as {', '.join(useful)}"
        if resubmit and unknown and not held:
            # If the job of the marked document came to nothing, a copy was sent, which is none.
            marked = [row for row in rows if row["possible_duplicate"]]
            if not marked:
                yield f"was accepted as {', '.join(unknown)} too, and is not marked as a possible duplicate"
            for row in (row for row in marked if row["state"] != "skipped"):
                if not all(x["possible_duplicate"] for x in self.lines[row["path"] or row["id"]]):
                    yield f"was accepted as {', '.join(unknown)} too, and its result is not marked as a possible duplicate"

    def _report_problems(self):
        classes = collections.Counter(row["class"] for row in self.failures.values())
        for name, expected in (("found", len(self.documents)), ("done", self.results), ("failed", len(self.failures)),
                               ("failed_by_class", dict(classes)), ("unfinished", 0)):
            if self.report[name] != expected:
                yield f"report.json: {name} is {self.report[name]}, not {expected}"
