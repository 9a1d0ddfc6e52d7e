"""Checks that a ring includes only rings below it, that it alone includes its detail/ and impl/, and that each dragging library is named in its
own ring alone.

A ring is a folder below include/ocrpipe. src/RING.cpp, src/RING/ and tests/unit/RING/ belong to it.

Usage: include_direction.py SOURCE_DIR. Prints each offending line as file:line and exits 1 when there is one. With --arrows after
SOURCE_DIR it prints the arrows between the rings instead.
"""
import pathlib
import re
import sys

# From the bottom up; a ring may include itself and those with a smaller number. Two with the same number know nothing of each other.
RINGS = {
    "core": 0,
    "transport": 1,
    "api": 2,
    "pace": 2,
    "measure": 3,
    "job": 3,
    "http": 3,
    "client": 4,
    "testing": 5,
    "bulk/source": 5,
    "bulk/ledger": 6,
    "bulk/output": 7,
    "bulk/run": 8,
    "load": 8,
}
# Headers that drag in seconds of compile time, and the only ring that may name them.
ONLY_IN = {
    r"boost/beast|boost/asio/ip/|openssl/ssl|zlib": {"http"},
    r"boost/url": {"http"},
    r"sqlite3|tesseract|poppler|CLI/|cairo|pango": set(),
}
# The durable ledger is a library of its own, which belongs to this ring.
SQLITE_LEDGER = ("src/sqlite_ledger", "bulk/ledger")
# The name of tools/emulator in an installed package; its public headers are all that is installed.
EMULATOR = "ocrpipe/emulator/"
# The fuzzers reach the parsers of a ring directly, behind its public headers.
WHITE_BOX = "tests/fuzz/"

INCLUDE = re.compile(r'\s*#\s*include\s*[<"]([^>"]+)[>"]')


def ring_of(path):
    """The ring of a path below include/ocrpipe; None for a door at its root; an error for a folder that is no ring."""
    folder = str(pathlib.PurePosixPath(path).parent)
    folder = re.sub(r"(^|/)(detail|impl)$", "", folder)
    if folder in RINGS:
        return folder
    if folder in ("", ".") and re.fullmatch(r"[a-z_]+\.hpp", path):
        return None
    raise ValueError(f"include/ocrpipe/{path} is in no ring: a ring is a folder that {pathlib.Path(__file__).name} knows the height of")


def owner_of(path):
    """The ring that a file outside include/ belongs to; None when it belongs to none."""
    if path.startswith(SQLITE_LEDGER[0]):
        return SQLITE_LEDGER[1]
    for root in ("src/", "tests/unit/"):
        if path.startswith(root):
            rest = path[len(root):]
            rings = [r for r in RINGS if rest == f"{r}.cpp" or rest.startswith(f"{r}/")]
            return rings[0] if rings else None
    return None


def is_private(target):
    return re.search(r"(^|/)(detail|impl)/", target) is not None


def includes(root, folders):
    """Each #include line below the folders: the file's path, the line's number, what is included."""
    for folder in folders:
        for file in sorted(p for p in (root / folder).rglob("*") if p.suffix in (".hpp", ".ipp", ".cpp")):
            for number, line in enumerate(file.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                if match:
                    yield file.relative_to(root).as_posix(), number, match.group(1)


def check_library(path, target, arrows):
    """What is wrong with one #include of a public header or its body; None when nothing is."""
    ring = ring_of(path)
    if target.startswith(("tools/", "bench/", "tests/")) or "../" in target:
        return f"the library includes {target}"
    for pattern, rings in ONLY_IN.items():
        if re.match(pattern, target) and ring not in rings:
            return f"{target} may be named in {', '.join(sorted(rings)) or 'tools'} only"
    if not target.startswith("ocrpipe/"):
        return None
    other = ring_of(target[len("ocrpipe/"):])
    if other == ring:
        return None
    if is_private(target):
        return f"{ring or 'a door'} includes {target}, which is private to {other}"
    if ring is None:
        return None
    if other is None:
        return f"{ring} includes {target}, a door for users: include the header of the ring"
    arrows.add((ring, other))
    return None if RINGS[other] < RINGS[ring] else f"{ring} includes {target} of {other}, which is not below it"


def check_user(path, target):
    """What is wrong with one #include of a file that uses the library; None when nothing is."""
    if not target.startswith("ocrpipe/") or target.startswith(EMULATOR):
        return None
    other = ring_of(target[len("ocrpipe/"):])
    if not is_private(target) or path.startswith(WHITE_BOX) or owner_of(path) == other:
        return None
    return f"{target} is private to {other}"


def main(source_dir, show_arrows):
    root = pathlib.Path(source_dir)
    problems = []
    arrows = set()
    seen = 0
    for path, number, target in includes(root, ["include", "src", "tools", "bench", "tests"]):
        seen += 1
        try:
            if path.startswith("include/ocrpipe/"):
                problem = check_library(path[len("include/ocrpipe/"):], target, arrows)
            else:
                problem = check_user(path, target)
        except ValueError as error:
            problem = str(error)
        if problem:
            problems.append(f"{path}:{number}: {problem}")
    if seen < 50:
        problems.append(f"only {seen} includes found below {root}: is this the source directory?")
    if show_arrows:
        print("\n".join(f"{a} -> {b}" for a, b in sorted(arrows)))
    print("\n".join(problems) if problems else f"{seen} includes: {len(arrows)} arrows between rings, all downwards")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--arrows" in sys.argv[2:]))
