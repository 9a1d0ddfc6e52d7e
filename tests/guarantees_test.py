"""The README's table of guarantees: each names the tests that show it, and each of these exists and is run by CTest.

Usage: guarantees_test.py PATH-OF-CTEST BUILD-FOLDER
"""

import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADING = "## What it guarantees"


def rows(text):
    """The guarantees of the table, each with the names in its last column."""
    section = re.search(rf"^{re.escape(HEADING)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    lines = [line for line in section[1].splitlines() if line.startswith("|")][2:] if section else []
    cells = [re.split(r"(?<!\\)\|", line.strip("|")) for line in lines]
    return [(cell[0].strip(), re.findall(r"`([^`]+)`", cell[-1])) for cell in cells]


class Registered:
    """The tests that CTest runs in a build."""

    def __init__(self, ctest, build):
        said = subprocess.run([ctest, "--test-dir", build, "--show-only=json-v1"], capture_output=True, text=True, check=True).stdout
        tests = json.loads(said)["tests"]
        self.names = {test["name"] for test in tests}
        self.arguments = {argument for test in tests for argument in test.get("command", ())}
        # The sources of a program of tests, as tests/CMakeLists.txt names them.
        listed = re.findall(r"^ocrpipe_test\((\w+) \w+ ([^)]*)\)", (ROOT / "tests/CMakeLists.txt").read_text(), re.MULTILINE)
        self.sources = {name: re.sub(r"\bLINK\b.*", "", globs, flags=re.DOTALL).split() for name, globs in listed}

    def problem(self, name):
        """Why a name in the table is no test; None if it is one."""
        if name.startswith(("tools/", "bench/")):
            return None if os.access(ROOT / name, os.X_OK) else "is no command"
        if "/" not in name:
            return None if fnmatch.filter(self.names, name) else "is no test of CTest"
        path = ROOT / "tests" / name
        if not path.is_file():
            return "is no file in tests/"
        if path.suffix == ".cpp":
            programs = {program for program, globs in self.sources.items() if any(fnmatch.fnmatch(name, g) for g in globs)}
            return None if programs & self.names else "is in no program that CTest runs"
        return None if str(path) in self.arguments else "is not run by CTest"


class Guarantees(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.registered = Registered(*sys.argv[1:3])

    def test_each_names_tests_that_exist_and_run(self):
        found = rows((ROOT / "README.md").read_text(encoding="utf-8"))
        self.assertGreater(len(found), 10)
        for guarantee, names in found:
            with self.subTest(guarantee=guarantee[:80]):
                self.assertTrue([n for n in names if not n.startswith(("tools/", "bench/"))], "no test of CTest is named")
                self.assertEqual([f"{n} {p}" for n in names if (p := self.registered.problem(n))], [])

    def test_names_that_are_none_are_found(self):
        for name, problem in (("cli/no_test.py", "no file"), ("cli/workbench.py", "not run"), ("support/main.cpp", "no program"),
                              ("no_such_test", "no test"), ("tools/nothing", "no command"), ("tools/setup.sh", "no command")):
            self.assertIn(problem, self.registered.problem(name) or "", name)

    def test_rows_are_read_from_the_table_of_the_section(self):
        text = f"| a |\n|---|\n| `x` |\n{HEADING}\n\n| g | u | s |\n|---|---|---|\n| A `word`. | | `cli/a_test.py`; `tools/a` |\n## Next\n| b |\n"
        self.assertEqual(rows(text), [("A `word`.", ["cli/a_test.py", "tools/a"])])


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
