"""The programs in examples/: each does its work against the emulator, and says what is wrong with an exit code that is not 0."""

import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True  # the source folder stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "cli"))
import workbench
from workbench import KEY, USER, Runs

EXAMPLES = pathlib.Path(sys.argv.pop(2)).resolve()
README = pathlib.Path(__file__).resolve().parents[1] / "README.md"


class Examples(Runs):
    def example(self, name, *arguments, stdin="", **environment):
        known = {"OCRPIPE_PORTAL_USER_ID": USER, "OCRPIPE_API_KEY": KEY, "OCRPIPE_BASE_URL": self.url}
        env = {k: v for k, v in {**workbench.clean_environment(), **known, **environment}.items() if v is not None}
        return subprocess.run([EXAMPLES / f"example_{name}", *arguments], input=stdin, capture_output=True, text=True, timeout=workbench.PATIENCE, env=env)

    def documents(self, count):
        folder = self.write_documents(count)
        return [str(folder / f"{i:03}.pdf") for i in range(count)]

    def setUp(self):
        super().setUp()
        self.serve("--latency", "fixed:100ms")

    def test_recognize(self):
        done = self.example("recognize", *self.documents(1))
        self.assert_exit(done, 0)
        self.assertTrue(done.stdout.strip())

    def test_recognize_says_what_is_wrong(self):
        document, *_ = self.documents(1)
        for code, said, arguments, environment in ((2, "usage", (), {}), (2, "usage", (document,), {"OCRPIPE_API_KEY": None}),
                                                   (2, "usage", (document,), {"OCRPIPE_PORTAL_USER_ID": None}),
                                                   (2, "base_url", (document,), {"OCRPIPE_BASE_URL": "nonsense"}),
                                                   (1, "no-such-file", ("no-such-file",), {}),
                                                   (1, "credentials", (document,), {"OCRPIPE_API_KEY": "wrong"})):
            with self.subTest(said=said, environment=environment):
                done = self.example("recognize", *arguments, **environment)
                self.assert_exit(done, code)
                self.assertIn(said, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_the_readme_shows_recognize(self):
        code = (pathlib.Path(__file__).resolve().parents[1] / "examples/recognize.cpp").read_text()
        shown = code[code.index("#include"):]
        self.assertIn(f"```cpp\n{shown}```", README.read_text())

    def test_callbacks_and_futures(self):
        done = self.example("callbacks_and_futures", *self.documents(3))
        self.assert_exit(done, 0)
        for how in ("callback: ", "future: ", "coroutine: "):
            self.assertIn(how, done.stdout)
        self.assert_exit(self.example("callbacks_and_futures", *self.documents(3), OCRPIPE_API_KEY="wrong"), 1)

    def test_own_source_and_sink(self):
        paths = self.documents(40)
        done = self.example("own_source_and_sink", stdin="".join(f"{p}\n" for p in (*paths, "no-such-file")))
        self.assert_exit(done, 1)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(sorted(line["path"] for line in lines), sorted((*paths, "no-such-file")))
        self.assertEqual([line["path"] for line in lines if "error" in line], ["no-such-file"])

    def test_resume(self):
        for path in self.documents(2):
            self.assert_exit(self.ocrpipe("submit", path, "--doc-type", "INVOICE"), 0)
        ids = [what["request_id"] for what in self.emulator.truth("accepted")]
        done = self.example("resume", *ids)
        self.assert_exit(done, 0)
        self.assertEqual(sorted(line.split(":")[0] for line in done.stdout.splitlines() if line.startswith(tuple(ids))), sorted(ids))
        self.assert_exit(self.example("resume"), 2)

    def test_test_without_service(self):
        done = self.example("test_without_service")
        self.assert_exit(done, 0)
        self.assertIn("12 after", done.stdout)


workbench.main()
