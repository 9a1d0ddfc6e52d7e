"""The README's tour: what its commands print is what the README says."""

import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Case

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
HEADING = "## A tour"

# What differs from run to run. Everything else must be printed as the README shows it.
MASKS = (
    (re.compile(r"(?<= kB in )(\d+ms|\d+s|\d+m\d\ds)$"), "TIME"),  # how long a run took
    (re.compile(r"\b([rdf])\d+-\d{10}\b"), r"\1ID"),  # the emulator's ids of requests, documents and files
)


def tour(text, heading=HEADING):
    """The commands in the console blocks below the heading, each with the lines that the README shows below it."""
    section = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if section is None:
        raise AssertionError(f"README.md has no heading {heading!r}")
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            elif steps:
                steps[-1][1].append(line)
            else:
                raise AssertionError(f"the tour begins with a line that is no command: {line!r}")
    return steps


def masked(line):
    for pattern, name in MASKS:
        line = pattern.sub(name, line)
    return line


def agree(shown, printed):
    """Whether the lines are the same except for what is masked. A shown line `...` stands for any lines."""
    if not shown:
        return not printed
    if shown[0] == "...":
        return any(agree(shown[1:], printed[n:]) for n in range(len(printed) + 1))
    return bool(printed) and masked(shown[0]) == masked(printed[0]) and agree(shown[1:], printed[1:])


class Tour(Case):
    def shell(self, command, env):
        """Runs a line as a person would type it. Both outputs go to one pipe, in the order in which they were written."""
        return subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, encoding="utf-8", timeout=workbench.PATIENCE, cwd=self.folder / "work", env=env)

    def exported(self, command):
        """The variables of ocrpipe that an export line sets."""
        done = self.shell(command + "\nenv -0", workbench.clean_environment())
        variables = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry)
        return {name: value for name, value in variables.items() if name.startswith("OCRPIPE_")}

    def test_the_commands_of_the_tour_print_what_the_readme_shows(self):
        steps = tour(README.read_text(encoding="utf-8"))
        (self.folder / "work").mkdir()
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "ocrpipe").symlink_to(workbench.binary)
        self.assert_exit(self.ocrpipe("emulator", "--write-samples", "work/invoices"), 0)

        # The commands have the settings that the README exports, and no others but the address and the form of messages.
        settings = {}
        for command, _ in steps:
            if command.startswith("export "):
                settings.update(self.exported(command))
        self.assertEqual(set(settings), {"OCRPIPE_API_KEY", "OCRPIPE_PORTAL_USER_ID"})
        emulator = self.start_emulator(engine="tesseract", key=settings["OCRPIPE_API_KEY"], user=settings["OCRPIPE_PORTAL_USER_ID"])
        env = workbench.clean_environment(**settings, OCRPIPE_BASE_URL=emulator.url, OCRPIPE_LOG_FORMAT="human")
        env["PATH"] = f"{self.folder / 'bin'}:{env['PATH']}"

        for command, shown in steps:
            done = self.shell(command, env)
            printed = done.stdout.splitlines()
            said = "\n".join(["", f"$ {command}", "the README shows:", *shown, "it prints:", *printed])
            self.assertEqual(done.returncode, 0, said)
            self.assertTrue(agree(shown, printed), said)

    def test_the_tour_has_each_command_and_shows_what_it_prints(self):
        steps = tour(README.read_text(encoding="utf-8"))
        commands = [re.match(r"ocrpipe (\w+)", command) for command, _ in steps]
        order = list(dict.fromkeys(c[1] for c in commands if c))
        self.assertEqual(order, ["recognize", "run", "status", "export", "explain"])
        for name in order:
            shown = [line for command, lines in steps if command.startswith(f"ocrpipe {name}") for line in lines]
            self.assertTrue(any(line != "..." for line in shown), name)


class Comparer(Case):
    """A comparer that never fails would make the tour worthless."""

    def test_a_line_that_is_wrong_missing_or_too_many_is_found(self):
        printed = ["writing to results", "5 of 5 done, 260.9 kB in 4s", "results/report.json"]
        self.assertTrue(agree(printed, printed))
        for shown in (["writing to results", "4 of 5 done, 260.9 kB in 4s", "results/report.json"],
                      ["writing to results", "5 of 5 done, 260.8 kB in 4s", "results/report.json"],
                      ["writing to results", "5 of 5 done, 260.9 kB in 4s"],
                      [*printed, "one more"],
                      ["results/report.json", *printed[:2]],
                      ["...", "5 of 5 done, 260.9 kB in 4s"],
                      []):
            self.assertFalse(agree(shown, printed), shown)
        self.assertFalse(agree(printed, []))

    def test_durations_and_ids_may_differ_and_nothing_else(self):
        self.assertTrue(agree(["5 of 5 done, 260.9 kB in 4s"], ["5 of 5 done, 260.9 kB in 1m12s"]))
        self.assertTrue(agree(["a.pdf: accepted as r12-0000000000, file ids f12-0000000000"],
                              ["a.pdf: accepted as r9876543-0000000007, file ids f9876543-0000000007"]))
        for shown, printed in (("a.pdf: accepted as r12-0000000000", "b.pdf: accepted as r12-0000000000"),
                               ("a.pdf: accepted as r12-0000000000", "a.pdf: accepted as d12-0000000000"),
                               ("a.pdf: accepted as r12-0000000000", "a.pdf: accepted as"),
                               ("wait 4s", "wait 5s"), ("HD-00458", "HD-00459"), ("02/10/2023", "03/10/2023")):
            self.assertFalse(agree([shown], [printed]), printed)

    def test_an_ellipsis_on_a_line_of_its_own_stands_for_any_lines(self):
        for printed in (["a", "z"], ["a", "b", "z"], ["a", "b", "c", "z"]):
            self.assertTrue(agree(["a", "...", "z"], printed))
        self.assertFalse(agree(["a", "...", "z"], ["a", "b"]))
        self.assertFalse(agree(["a ... z"], ["a b z"]))

    def test_commands_are_taken_from_the_console_blocks_of_the_section_and_from_no_other(self):
        text = ("## Before\n```console\n$ no\n```\n## A tour\nwords\n```console\n$ one # why\nshown\n\n$ two\n```\n"
                "```cpp\n$ no\n```\n```console\n$ three\n```\n## After\n```console\n$ no\n```\n")
        self.assertEqual(tour(text), [("one # why", ["shown", ""]), ("two", []), ("three", [])])
        with self.assertRaises(AssertionError):
            tour("# Another\n")


if __name__ == "__main__":
    workbench.main()
