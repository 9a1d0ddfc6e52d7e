"""Checks that a ring includes only rings below it, and that each dragging library is named in its own ring alone.

Usage: include_direction.py SOURCE_DIR. Prints each offending line as file:line and exits 1 when there is one.
"""
import pathlib
import re
import sys

# From the bottom up; a header may include its own ring and those with a smaller number.
RINGS = {
    "words": 0,      # include/ocrpipe/*.hpp not named below
    "api": 1,
    "pace": 1,
    "options": 2,    # options.hpp: what the rings below need to be told
    "transport": 2,  # transport.hpp: the seam between decisions and sockets
    "http": 3,
    "job": 3,
    "client": 4,
    "bulk": 5,
    "load": 5,
}
# Two rings side by side know nothing of each other, but for these: the decisions take policies.
SIDEWAYS = set()
# Headers that drag in seconds of compile time, and the only ring that may name them.
ONLY_IN = {
    r"boost/beast|boost/asio/ip/|openssl/ssl|zlib": {"http"},
    r"boost/url": {"http"},
    r"sqlite3|tesseract|poppler|CLI/|cairo|pango": set(),
}
CLIENT_FILES = {"client.hpp", "impl/client.ipp", "impl/client_core.ipp", "impl/client_jobs.ipp", "detail/client_core.hpp",
                "detail/fifo_semaphore.hpp"}


def ring_of(path):
    """The ring of a path below include/ocrpipe."""
    head = path.split("/")[0]
    if head in RINGS:
        return head
    if path in CLIENT_FILES:
        return "client"
    name = pathlib.PurePosixPath(path).stem
    return name if name in ("options", "transport") else "words"


def main(source_dir):
    root = pathlib.Path(source_dir)
    include = root / "include" / "ocrpipe"
    problems = []
    seen = 0
    for file in sorted(list(include.rglob("*.hpp")) + list(include.rglob("*.ipp"))):
        rel = file.relative_to(include).as_posix()
        ring = ring_of(rel)
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not match:
                continue
            seen += 1
            target = match.group(1)
            where = f"include/ocrpipe/{rel}:{number}"
            if target.startswith("ocrpipe/"):
                other = ring_of(target[len("ocrpipe/"):])
                below = RINGS[other] < RINGS[ring] or other == ring or (ring, other) in SIDEWAYS
                if not below:
                    problems.append(f"{where}: {ring} includes {target} of {other}, which is not below it")
            elif target.startswith(("tools/", "bench/", "tests/")) or "../" in target:
                problems.append(f"{where}: the library includes {target}")
            for pattern, rings in ONLY_IN.items():
                if re.match(pattern, target) and ring not in rings:
                    problems.append(f"{where}: {target} may be named in {', '.join(sorted(rings)) or 'tools'} only")
    if seen < 50:
        problems.append(f"only {seen} includes found below {include}: is this the source directory?")
    print("\n".join(problems) if problems else f"{seen} includes point downwards")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
