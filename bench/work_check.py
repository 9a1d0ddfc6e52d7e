"""Whether a client did its work: every byte arrived, and every result is right."""

import json
import zlib


def problems_of_server(stats, job, reported):
    """`stats`: the server's counters; `reported`: what the client printed, where it prints anything."""
    problems = []
    for what, expected in (("submits", job.documents), ("results", job.documents), ("bad", 0)):
        if stats[what] != expected:
            problems.append(f"{stats[what]} {what} instead of {expected} {stats['fault']}".strip())
    least = job.documents * job.size
    if "body_bytes" in reported and stats["body_bytes"] != reported["body_bytes"]:
        problems.append(f"{stats['body_bytes']} body bytes arrived, {reported['body_bytes']} were sent")
    # A form's fields are a few hundred bytes.
    elif not least < stats["body_bytes"] < least + 2048 * job.documents:
        problems.append(f"{stats['body_bytes']} body bytes arrived for {least} bytes of documents")
    return problems


def problems_of_checksums(stats, job):
    """After a round with verify on: the documents themselves, byte for byte."""
    sums = []
    for i in range(min(job.file_count, job.documents)):
        with open(f"{job.files}/document-{i:06d}.pdf", "rb") as f:
            sums.append(zlib.crc32(f.read()))
    expected = sum(sums[i % job.file_count] for i in range(job.documents))
    problems = []
    if stats["file_bytes"] != job.documents * job.size:
        problems.append(f"{stats['file_bytes']} bytes in the forms' files instead of {job.documents * job.size}")
    if stats["file_checksums"] != expected:
        problems.append("the files' checksums differ")
    return problems


def problems_of_results(paths, job, sample):
    """Each document once, each with the result of its own request_id, whole."""
    documents = []
    request_ids = set()
    for path in paths:
        with open(path, "rb") as f:
            for number, line in enumerate(f, 1):
                try:
                    row = json.loads(line)
                    expected = {"data": {**sample["data"], "request_id": row["request_id"]}}
                    if row["result"] != expected:
                        return [f"{path}:{number}: not the result of {row['request_id']}"]
                except (ValueError, KeyError) as e:
                    return [f"{path}:{number}: {e!r}"]
                documents.append(row["id"])
                request_ids.add(row["request_id"])
    if len(documents) != job.documents or set(documents) != {str(i) for i in range(job.documents)}:
        return [f"{len(documents)} results of {len(set(documents))} documents instead of {job.documents}"]
    if len(request_ids) != job.documents:
        return [f"{len(request_ids)} distinct request ids for {job.documents} documents"]
    return []
