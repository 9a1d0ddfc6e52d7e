"""The pages in docs/ hold what is in the code: the options with their defaults, and the lines of the examples."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
HEADERS = ["client/client_options.hpp", "http/http_options.hpp", "pace/pace_options.hpp", "pace/retry_policy.hpp"]


def structs():
    """The structs of the headers: each with its bases and the text of its members."""
    found = {}
    for header in HEADERS:
        text = re.sub(r"(?<!:)//.*", "", (ROOT / "include/ocrpipe" / header).read_text(encoding="utf-8"))
        for name, bases, body in re.findall(r"^struct (\w+)(?: : ([\w, ]+))? \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL):
            found[name] = (bases.split(", ") if bases else [], body)
    return found


def options(struct, known, prefix=""):
    """Each option with the type and the initializer of its member."""
    bases, body = known[struct]
    found = {}
    for base in bases:
        found |= options(base, known, prefix)
    # A type, a name and perhaps an initializer; a member function has parentheses.
    for kind, name, assigned, braced in re.findall(r"((?:std::function<[^;]*>|[\w:<> ]+?))\s+(\w+)(?:\s*=\s*([^;]+)|\s*\{([^}]*)\})?;", body):
        kind, initial = kind.strip(), (assigned or braced).strip()
        if kind in known:
            found |= options(kind, known, f"{prefix}{name}.")
        else:
            found[prefix + name] = (kind, initial)
    return found


def amount(number, units):
    """The number in the largest unit in which it is whole."""
    size, unit = max(u for u in units if number % u[0] == 0)
    return f"{number // size} {unit}"


def default_of(kind, initial):
    """A default as the page writes it."""
    if kind == "response_profile":
        return "`default_profile()`"
    if kind.startswith(("std::shared_ptr", "std::function", "std::vector")) or kind == "secret":
        return "none"
    if kind == "std::string":
        return f"`{initial[1:-1]}`" if initial else "empty"
    if kind == "bool":
        return initial
    number = eval(initial.replace("'", ""), {"__builtins__": {}})  # such as 64 * 1024
    if number == 0:
        return "0"
    if kind == "std::chrono::milliseconds":
        return amount(number, [(1, "ms"), (1000, "s"), (60_000, "min")])
    return amount(number, [(1024, "KiB"), (1024 * 1024, "MiB")]) if number % 1024 == 0 and "*" in initial else str(number)


class Pages(unittest.TestCase):
    maxDiff = None

    def test_the_configuration_page_has_each_option_with_its_default(self):
        rows = re.findall(r"^\| `([\w.]+)` \|[^|]*\| ([^|]*) \| ([^|]*) \|$", (DOCS / "configuration.md").read_text(encoding="utf-8"), re.MULTILINE)
        shown = {name: default for name, default, _ in rows}
        self.assertEqual(len(rows), len(shown), "an option has two rows")
        in_the_code = {name: default_of(*member) for name, member in options("client_options", structs()).items()}
        self.assertEqual(shown, in_the_code)
        self.assertTrue(all(meaning.strip() for _, _, meaning in rows))

    def test_the_tutorials_show_lines_of_the_examples(self):
        examples = "\n".join(p.read_text(encoding="utf-8") for p in sorted((ROOT / "examples").glob("*.?pp")))
        for page in ("start.md", "server.md"):
            blocks = re.findall(r"^```cpp\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
            self.assertTrue(blocks)
            for block in blocks:
                with self.subTest(page=page):
                    self.assertIn(block, examples)

    def test_links_between_files_lead_somewhere(self):
        for page in DOCS.glob("*.md"):
            for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
                with self.subTest(page=page.name, target=target):
                    self.assertTrue((DOCS / target).exists())


if __name__ == "__main__":
    unittest.main()
