"""What the program says about itself: manual pages, and completion in a real bash and, where it is installed, zsh."""

import os
import shlex
import shutil
import subprocess
import unittest

import workbench
from workbench import PATIENCE, Case


class Manual(Case):
    def test_every_command_has_a_page_that_man_shows_without_a_warning(self):
        self.assert_exit(self.ocrpipe("manual", self.folder / "man"), 0)
        pages = {p.name for p in (self.folder / "man").iterdir()}
        self.assertLessEqual({"ocrpipe.1", "ocrpipe-run.1", "ocrpipe-emulator.1", "ocrpipe-doctor.1", "ocrpipe-load.1", "ocrpipe-load-compare.1"}, pages)
        if shutil.which("man") is None:
            self.skipTest("there is no man to show them")
        for page in sorted(pages):
            with self.subTest(page=page):
                shown = subprocess.run(["man", "--warnings", "-l", self.folder / "man" / page], capture_output=True, text=True, timeout=PATIENCE,
                                       env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
                self.assertEqual((shown.returncode, shown.stderr), (0, ""))
                self.assertIn(page.removesuffix(".1"), shown.stdout)

    def test_a_folder_that_cannot_be_written_is_a_disk_error(self):
        (self.folder / "file").write_text("")
        self.assert_exit(self.ocrpipe("manual", self.folder / "file"), 8)
        self.assert_exit(self.ocrpipe("manual"), 2)


class Completion(Case):
    def completed(self, *words):
        """What bash offers for the last word."""
        line = " ".join(shlex.quote(w) for w in ("ocrpipe", *words))
        script = (f"source <({shlex.quote(workbench.binary)} completion bash); COMP_WORDS=({line}); COMP_CWORD={len(words)};"
                  f" _ocrpipe {shlex.quote(workbench.binary)}; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        done = subprocess.run(["bash", "--norc", "-c", script], cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_commands_and_options_are_completed(self):
        self.assertEqual(self.completed("recog"), ["recognize"])
        self.assertEqual(self.completed("run", "in", "--drain"), ["--drain-timeout"])
        self.assertEqual(self.completed("emulator", "--list-f"), ["--list-faults"])
        self.assertEqual(self.completed("loa"), ["load"])
        self.assertEqual(self.completed("load", "comp"), ["compare"])

    def test_request_ids_come_from_the_run_in_a_directory(self):
        self.start_emulator("--latency", "fixed:0s")
        self.assert_exit(self.run_bulk(self.write_documents(3)), 0)
        known = sorted(r["request_id"] for r in self.results)
        self.assertEqual(len(known), 3)
        self.assertEqual(sorted(self.completed("support", "out", "")), known)
        self.assertEqual(self.completed("support", "out", known[1]), [known[1]])
        # Without a directory: those of the runs below the current one.
        self.assertEqual(sorted(self.completed("result", "r")), known)

    def test_a_directory_without_a_run_offers_nothing(self):
        self.assertEqual(self.completed("support", ".", ""), [])

    def test_a_shell_that_is_not_supported_is_refused(self):
        done = self.ocrpipe("completion", "fish")
        self.assert_exit(done, 2)
        self.assertIn("bash or zsh", done.stderr)

    @unittest.skipIf(shutil.which("zsh") is None, "there is no zsh")
    def test_zsh_gets_candidates_with_their_help_and_else_files(self):
        program = shlex.quote(workbench.binary)
        # These two show what they are given; the real ones need a terminal.
        script = f"""autoload -Uz compinit && compinit -u -D && source <({program} completion zsh)
            _describe() {{ print -rl -- "${{(@P)2}}" }}
            _files() {{ print files }}
            print $_comps[ocrpipe]
            words=({program} run --max-doc) CURRENT=3; _ocrpipe
            words=({program} run '') CURRENT=3; _ocrpipe"""
        done = subprocess.run(["zsh", "-fc", script], cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(),
                         ["_ocrpipe", "--max-documents:stop after sending N documents; 0 is no limit [0]", "files"])


if __name__ == "__main__":
    workbench.main()
