"""ocrpipe status beside a run: which process works on it, how far it is, and when it ends."""

import json
import os
import pty
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # the source folder stays as it is
import workbench
from workbench import Case


class Status(Case):
    def start_run(self):
        """A run that takes names from its standard input, and so goes on until that is closed; two documents are done."""
        self.start_emulator("--latency", "fixed:50ms")
        run = self.start("run", "-", "--out", self.out, "--doc-type", "invoice")
        run.stdin.write("".join(f"{path}\n" for path in sorted(self.write_documents(2).iterdir())))
        run.stdin.flush()
        self.wait_for_event(run, "progress", lambda o: o["done"] == 2)
        return run

    def status(self, *arguments):
        done = self.ocrpipe("status", self.out, *arguments)
        self.assert_exit(done, 0)
        return done.stdout

    def test_a_process_that_works_is_named_and_is_gone_when_the_run_has_ended(self):
        run = self.start_run()
        text = self.status()
        self.assertIn("         2  done       have their result\n", text)
        self.assertIn("         2  documents in all\n", text)
        self.assertRegex(text.splitlines()[-1], rf"^process {run.pid} works on them")
        self.assertEqual(json.loads(self.status("--json"))["pid"], run.pid)
        run.communicate("", timeout=workbench.PATIENCE)
        self.assertEqual(self.status(), "         2  done       have their result\n         2  documents in all\n")
        self.assertIsNone(json.loads(self.status("--json"))["pid"])

    def test_what_the_report_says_about_a_run_that_goes_on(self):
        run = self.start_run()
        deadline = time.monotonic() + workbench.PATIENCE
        while json.loads(self.status("--json"))["run"].get("state") != "running":
            self.assertLess(time.monotonic(), deadline, "report.json was not written")
        shown = json.loads(self.status("--json"))["run"]
        self.assertEqual(shown["now"]["in_flight"], 0)
        self.assertIn("2", shown["verdict"])
        self.assertIn(f"limited by: {shown['now']['limiting']}; as of 20", self.status().splitlines()[-1])
        self.assertEqual(run.poll(), None)
        run.communicate("", timeout=workbench.PATIENCE)
        self.assertEqual(json.loads(self.status("--json"))["run"]["state"], "finished")

    def test_a_killed_run_is_seen_and_how_to_go_on(self):
        emulator = self.start_emulator("--latency", "fixed:60s")
        run = self.start("run", self.write_documents(2), "--out", self.out, "--doc-type", "invoice")
        self.wait_for_event(run, "progress", lambda o: o["waiting"] == 2)
        run.kill()
        run.wait(workbench.PATIENCE)
        self.assertRegex(self.status().splitlines()[-1], "^no process works on them.*; to continue, give the same run command again$")
        self.assertEqual(len(emulator.truth("accepted")), 2)

    def test_looking_does_not_keep_a_run_from_starting(self):
        run = self.start_run()
        run.communicate("", timeout=workbench.PATIENCE)
        watch = self.start("status", self.out, "--watch")
        self.assertEqual(watch.wait(workbench.PATIENCE), 0)  # nothing to wait for
        for _ in range(5):
            looks = [self.start("status", self.out) for _ in range(4)]
            self.assert_exit(self.run_bulk(self.folder / "in"), 0)
            for look in looks:
                self.assertEqual(look.wait(workbench.PATIENCE), 0)

    def test_watch_repeats_it_until_the_run_ends(self):
        run = self.start_run()
        watch = self.start("status", self.out, "--watch")
        lines = self.start("status", self.out, "--watch", "--json")
        first = json.loads(lines.stdout.readline())
        self.assertEqual((first["pid"], first["done"]), (run.pid, 2))
        while not (line := watch.stdout.readline()).startswith("process"):
            self.assertNotEqual(line, "")
        self.assertEqual(json.loads(lines.stdout.readline())["pid"], run.pid)
        run.communicate("", timeout=workbench.PATIENCE)
        rest, _ = watch.communicate(timeout=workbench.PATIENCE)
        self.assertEqual(watch.returncode, 0)
        self.assertEqual(rest.split("\n\n")[-1], "         2  done       have their result\n         2  documents in all\n")
        rest, _ = lines.communicate(timeout=workbench.PATIENCE)
        self.assertIsNone(json.loads(rest.splitlines()[-1])["pid"])

    def test_on_a_terminal_watch_rewrites_the_screen(self):
        run = self.start_run()
        ours, theirs = pty.openpty()
        watch = subprocess.Popen([workbench.binary, "status", self.out, "--watch"], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                                 env=self.environment(TERM="xterm"))
        self.addCleanup(watch.wait)
        os.close(theirs)
        said = b""
        ended = False
        try:
            while block := os.read(ours, 4096):
                said += block
                if not ended and said.count(b"\x1b[H\x1b[J") >= 2:
                    run.communicate("", timeout=workbench.PATIENCE)
                    ended = True
        except OSError:
            pass  # the end of a terminal
        os.close(ours)
        self.assertTrue(ended)
        self.assertNotIn(b"process", said.split(b"\x1b[H\x1b[J")[-1])


if __name__ == "__main__":
    workbench.main()
