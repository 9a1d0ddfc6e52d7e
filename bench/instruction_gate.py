"""Fails when the engine needs more instructions a document than bench/instructions.json allows.

Runs the engine under callgrind against a server of our own, for N and for 2 N documents; the difference is what N documents cost, without
the start. What runs beside it moves a reading by up to five in a hundred, so the median of three counts. Another compiler, C library or
build type changes it, too.
"""

import argparse
import json
import os
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import counting
from loopback_server import LoopbackServer

SIZE = 20 * 1024
FILES = 8
READINGS = 3


def count(args, folder, documents):
    """Instructions of one run, whose work is checked."""
    out = os.path.join(folder, "results.jsonl")
    with LoopbackServer(args.server) as server:
        command = [args.engine, "--url", server.url, "--files", folder, "--file-count", str(FILES), "--documents", str(documents),
                   "--size", str(SIZE), "--connections", "64", "--out", out]
        counted = counting.instructions(command, os.environ, timeout=120)
    with open(out) as f:
        results = [json.loads(line) for line in f]
    ids = {r["result"]["data"]["request_id"] for r in results}
    if len(results) != documents or len(ids) != documents or any(r["request_id"] != r["result"]["data"]["request_id"] for r in results):
        raise RuntimeError(f"{len(results)} results with {len(ids)} request ids for {documents} documents")
    if server.seen["submits"] != documents or server.seen["results"] < documents or server.seen["body_bytes"] < documents * SIZE:
        raise RuntimeError(f"the server saw {server.seen} for {documents} documents")
    return counted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", required=True, help="the program bench_engine")
    parser.add_argument("--server", required=True, help="the program bench_loopback_server")
    parser.add_argument("--bounds", default=os.path.join(HERE, "instructions.json"))
    parser.add_argument("--documents", type=int, default=500, help="N (default %(default)s)")
    args = parser.parse_args()
    with open(args.bounds) as f:
        bound = json.load(f)["http"]
    with tempfile.TemporaryDirectory(prefix="ocrpipe-gate-") as folder:
        filling = os.urandom(SIZE)
        for i in range(FILES):
            head = b"%%PDF-1.4\n%%%d\n" % i
            with open(os.path.join(folder, f"document-{i:06d}.pdf"), "wb") as f:
                f.write(head + filling[len(head):])
        passed = failed = 0
        while max(passed, failed) <= READINGS // 2:
            measured = counting.marginal(lambda n: count(args, folder, n), args.documents)["instructions"]
            print(f"{measured:.0f} instructions a document, {bound} allowed", flush=True)
            passed += measured <= bound
            failed += measured > bound
    if passed > failed:
        return 0
    print("the median is above the bound: look with valgrind --tool=callgrind, or raise the bound in " + args.bounds + " and say why")
    return 1


if __name__ == "__main__":
    sys.exit(main())
