"""What installs and builds: the lists of packages, what is said when one is missing, the arguments of the commands."""

import glob
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent

# The Debian package of each header from outside that is included, by how its name begins; the longest beginning counts.
PACKAGE_OF_HEADER = {
    "boost/": "libboost1.81-dev", "boost/json": "libboost-json1.81-dev", "boost/url": "libboost-url1.81-dev", "openssl/": "libssl-dev",
    "fmt/": "libfmt-dev", "zlib.h": "zlib1g-dev", "CLI/": "libcli11-dev", "sqlite3.h": "libsqlite3-dev", "tesseract/": "libtesseract-dev",
    "leptonica/": "libleptonica-dev", "poppler-": "libpoppler-cpp-dev", "cairo": "libcairo2-dev", "pango/": "libpango1.0-dev",
    "fontconfig/": "libfontconfig-dev", "utf8proc.h": "libutf8proc-dev", "doctest/": "doctest-dev", "curl/": "libcurl4-openssl-dev", "benchmark/": "libbenchmark-dev",
    "prometheus/": "prometheus-cpp-dev",
}
# Packages without a header that we include: a file that uses each, and the words in it by which one sees that.
USED_BY = {
    "library_packages": {
        "g++": ("CMakeLists.txt", "LANGUAGES CXX"), "cmake": ("tools/setup.sh", "cmake --preset"), "ninja-build": ("CMakePresets.json", '"Ninja"'),
        "pkgconf": ("CMakeLists.txt", "find_package(PkgConfig")},
    "program_packages": {
        "libjs-chart.js": ("tools/CMakeLists.txt", "chart.js/chart.min.js"),
        "tesseract-ocr-eng": ("tools/emulator/emulator_main.cpp", '"vie+eng"'),
        "tesseract-ocr-vie": ("tools/emulator/emulator_main.cpp", '"vie+eng"'), "fonts-dejavu-core": ("tools/emulator/samples.cpp", '"DejaVu Sans"')},
    "test_packages": {
        "python3": ("tests/CMakeLists.txt", "find_package(Python3"), "curl": ("tests/cli/guide_curl.sh", "$(curl "),
        "openssl": ("tests/cli/chaos.py", '"openssl"'), "valgrind": ("bench/counting.py", '"valgrind"'), "chromium": ("tests/cli/browser.py", '"chromium"'),
        "tidy": ("tests/cli/report_page_test.py", '"tidy"'), "prometheus": ("tests/cli/metrics_test.py", '"promtool"'),
        "doxygen": ("docs/CMakeLists.txt", "find_program(DOXYGEN")},
    "clang_packages": {"clang-19": ("CMakePresets.json", '"clang++-19"')},
    "fuzz_packages": {
        "clang-19": ("CMakePresets.json", '"clang++-19"'), "libclang-rt-19-dev": ("tests/fuzz/CMakeLists.txt", "-fsanitize=fuzzer")},
    "bench_packages": {
        "python3": ("bench/run", "python3"), "python3-aiohttp": ("bench/python_peer.py", "import aiohttp"),
        "python3-requests": ("bench/python_peer.py", "import requests"), "openssl": ("bench/bench_server.py", '"openssl"'),
        "nginx-light": ("bench/bench_server.py", '"nginx"'), "libnginx-mod-http-lua": ("bench/bench_server.py", "ngx_http_lua_module.so"),
        "strace": ("bench/counting.py", '"strace"'), "valgrind": ("bench/counting.py", '"valgrind"')},
    "bare_packages": {"mmdebstrap": ("tools/bare", "mmdebstrap --mode"), "git": ("tools/bare", "git -C")},
    "package_packages": {"dpkg-dev": ("packaging/debian.cmake", "SHLIBDEPS"), "lintian": ("tools/package", "lintian --")},
}
# Which folders are built with which lists.
BUILT_WITH = {
    "library_packages": ["include", "src"],
    "program_packages": ["tools"],
    "test_packages": ["tests"],
    "bench_packages": ["bench"],
}


def shell(script, **more):
    """Runs a bash script that has sourced tools/setup.sh."""
    return subprocess.run(["bash", "-c", "set -euo pipefail; source tools/setup.sh; " + script], cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def packages(name):
    return shell(f'printf "%s\\n" "${{{name}[@]}}"').stdout.split()


def packages_by_dpkg(headers):
    """The packages that dpkg finds the headers in, but those that come with the compiler; none where there is no dpkg."""
    if not headers or not shutil.which("dpkg-query"):
        return set()
    folders = ["/usr/include", *glob.glob("/usr/include/*-linux-gnu"), *glob.glob("/usr/lib/gcc/*/*/include")]
    paths = {os.path.join(folder, header): header for folder in folders for header in headers}
    done = subprocess.run(["dpkg-query", "--search", *filter(os.path.exists, paths)], capture_output=True, text=True)
    owners = {paths[line.split(": ", 1)[1]]: line.split(":")[0] for line in done.stdout.splitlines()}
    unknown = headers - owners.keys()
    if unknown:
        raise AssertionError(f"{unknown}: in no installed package; PACKAGE_OF_HEADER must name it")
    return {o for o in owners.values() if not re.match(r"libc6-dev|linux-libc-dev|libgcc-\d+-dev|libstdc\+\+-\d+-dev", o)}


def packages_of_headers(folders):
    """The packages whose headers the files below these folders include."""
    found, others = set(), set()
    for path in (p for folder in folders for p in (ROOT / folder).rglob("*") if p.suffix in (".hpp", ".ipp", ".cpp")):
        for header in re.findall(r"^\s*#\s*include\s*<([^>]+)>", path.read_text(encoding="utf-8"), re.MULTILINE):
            beginnings = [b for b in PACKAGE_OF_HEADER if header.startswith(b)]
            if beginnings:
                found.add(PACKAGE_OF_HEADER[max(beginnings, key=len)])
            elif not header.startswith("ocrpipe/") and re.search("[./]", header):
                others.add(header)
    return found | packages_by_dpkg(others)


class PackageLists(unittest.TestCase):
    def test_the_lists_hold_what_is_used_directly_and_nothing_else(self):
        library = set(packages("library_packages"))
        for name, uses in USED_BY.items():
            with self.subTest(list=name):
                listed = packages(name)
                self.assertEqual(len(listed), len(set(listed)), "a package is listed twice")
                needed = set(uses)
                for folder in BUILT_WITH.get(name, []):
                    needed |= packages_of_headers([folder])
                if name != "library_packages":
                    needed -= library
                if name in ("test_packages", "bench_packages"):
                    needed -= set(packages("program_packages"))
                self.assertEqual(set(listed), needed)

    def test_the_debian_packages_depend_on_what_their_headers_and_libraries_need(self):
        listed = dict(re.findall(r"^set\((\w+_depends) (.*)\)$", (ROOT / "packaging/debian.cmake").read_text(encoding="utf-8"), re.MULTILINE))
        self.assertEqual(set(listed["library_depends"].split()), set(packages("library_packages")) - set(USED_BY["library_packages"]))
        engine = packages_of_headers(["tools/emulator"]) & {"libtesseract-dev", "libleptonica-dev", "libpoppler-cpp-dev"}
        self.assertEqual(set(listed["engine_depends"].split()), engine)

    def test_what_is_no_header_is_still_used(self):
        for uses in USED_BY.values():
            for package, (file, words) in uses.items():
                self.assertIn(words, (ROOT / file).read_text(encoding="utf-8"), f"{package} in {file}")


class Installing(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ocrpipe-setup-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # A machine where nothing is installed, and the tools that the shell's functions use.
        for name in ("sed", "grep", "tail", "mktemp", "rm", "env", "cat"):
            os.symlink(subprocess.run(["bash", "-c", f"type -P {name}"], capture_output=True, text=True, check=True).stdout.strip(),
                       self.folder / name)
        self.program("dpkg-query", "exit 1")
        self.program("id", "echo 0")
        self.program("apt-get", f'echo "$@" >>"{self.folder}/said"')

    def program(self, name, script):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def install(self, *names):
        bash = subprocess.run(["bash", "-c", "type -P bash"], capture_output=True, text=True, check=True).stdout.strip()
        return subprocess.run([bash, "-c", 'set -euo pipefail; source tools/setup.sh; install_missing "$@"', "bash", *names], cwd=ROOT,
                              text=True, capture_output=True, env={"PATH": str(self.folder), "TMPDIR": str(self.folder)})

    def said(self):
        path = self.folder / "said"
        return path.read_text().splitlines() if path.exists() else []

    def test_a_user_without_sudo_gets_the_line_for_apt_get(self):
        self.program("id", "echo 1000")
        done = self.install("this-one", "that-one")
        self.assertEqual(done.returncode, 1)
        self.assertIn("apt-get update && apt-get install --no-install-recommends this-one that-one\n", done.stderr)
        self.assertEqual(self.said(), [])

    def test_a_user_with_sudo_installs_by_it(self):
        self.program("id", "echo 1000")
        self.program("sudo", f'echo "sudo $1" >>"{self.folder}/said"; [ "$1" = -v ] || "$@"')
        done = self.install("this-one")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([line for line in self.said() if line.startswith("sudo")], ["sudo -v", "sudo env", "sudo env"])

    def test_nothing_is_done_when_all_are_installed(self):
        self.program("dpkg-query", "echo installed")
        done = self.install("this-one")
        self.assertEqual((done.returncode, done.stdout, done.stderr, self.said()), (0, "", "", []))

    def test_a_library_in_use_is_not_removed(self):
        self.program("apt-get", f'echo "$@" >>"{self.folder}/said"; [ "$2" != --simulate ] || echo "Remv libother-dev [1.0]"')
        self.assertEqual(self.install("this-one").returncode, 0)
        self.assertIn("--no-remove", self.said()[-1])

    def test_the_other_flavour_of_libcurl_gives_way(self):
        self.program("apt-get", f'echo "$@" >>"{self.folder}/said"; [ "$2" != --simulate ] || echo "Remv libcurl4-nss-dev [7.88] [x:amd64 ]"')
        self.assertEqual(self.install("libcurl4-openssl-dev").returncode, 0)
        self.assertNotIn("--no-remove", self.said()[-1])

    def test_a_failed_installation_shows_what_apt_get_said_and_a_remedy(self):
        self.program("apt-get", 'echo "E: Could not resolve deb.debian.example"; exit 100')
        done = self.install("this-one")
        self.assertEqual(done.returncode, 1)
        self.assertIn("E: Could not resolve deb.debian.example", done.stderr)
        self.assertIn("look at the network", done.stderr)

    def test_a_failed_update_does_not_matter_when_the_installation_works(self):
        self.program("apt-get", f'echo "$@" >>"{self.folder}/said"; [ "$1" != update ]')
        self.assertEqual(self.install("this-one").returncode, 0)


class Progress(unittest.TestCase):
    LINES = ["-- Configuring done", "[1/3] Building a", "[2/3] Building b", "[3/3] Linking c"]

    def test_without_a_terminal_a_short_job_says_nothing_and_the_log_has_everything(self):
        with tempfile.NamedTemporaryFile() as log:
            done = shell("printf '%s\\n' " + " ".join(f"'{line}'" for line in self.LINES) + f" | follow {log.name} building")
            self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
            self.assertEqual(pathlib.Path(log.name).read_text().splitlines(), self.LINES)

    def test_on_a_terminal_one_line_counts_the_steps(self):
        ours, theirs = pty.openpty()
        with tempfile.NamedTemporaryFile() as log, open(ours, "rb", buffering=0) as reader:
            subprocess.run(["bash", "-c", "set -euo pipefail; source tools/setup.sh; printf '%s\\n' "
                            + " ".join(f"'{line}'" for line in self.LINES) + f" | follow {log.name} building"],
                           cwd=ROOT, stdout=theirs, env={**os.environ, "TERM": "xterm"}, check=True)
            os.close(theirs)
            said = b""
            try:
                while block := reader.read(4096):
                    said += block
            except OSError:
                pass  # the end of a terminal
        for step in (b"1 of 3 steps", b"2 of 3 steps", b"3 of 3 steps"):
            self.assertIn(b"\rbuilding: " + step, said)
        self.assertEqual(said.count(b"\n"), 1)
        self.assertNotIn(b"\x1b", said)

    def test_the_steps_of_apt_get_are_counted_too(self):
        ours, theirs = pty.openpty()
        with tempfile.NamedTemporaryFile() as log, open(ours, "rb", buffering=0) as reader:
            subprocess.run(["bash", "-c", "set -euo pipefail; source tools/setup.sh; printf '%s\\n' "
                            "'0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.' 'Unpacking a (1) ...' 'Unpacking b (1) ...' "
                            f"'Setting up a (1) ...' | follow {log.name} installing"],
                           cwd=ROOT, stdout=theirs, env={**os.environ, "TERM": "xterm"}, check=True)
            os.close(theirs)
            said = reader.read(4096)
        self.assertIn(b"\rinstalling: 3 of 4 steps", said)


class Arguments(unittest.TestCase):
    def run_command(self, *command):
        with tempfile.TemporaryDirectory() as elsewhere:
            return subprocess.run([ROOT / command[0], *command[1:]], cwd=elsewhere, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def test_each_command_explains_itself_from_another_directory(self):
        for command in ("tools/quickstart", "tools/check", "tools/crash", "tools/chaos", "tools/fuzz", "tools/bare", "tools/package"):
            with self.subTest(command=command):
                done = self.run_command(command, "--help")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn(command, done.stdout)

    def test_what_they_do_not_understand_is_refused_before_anything_is_installed(self):
        for command, word in ((("tools/quickstart", "no/such/file"), "no/such/file does not exist"),
                              (("tools/quickstart", "--fast"), "no option --fast"),
                              (("tools/check", "fast"), "no preset fast"),
                              (("tools/fuzz", "10", "nothing"), "no target nothing"),
                              (("tools/bare",), "which command?"),
                              (("tools/bare", "--fast", "true"), "no option --fast"),
                              (("tools/bare", "--at", "here", "true"), "give an absolute path"),
                              (("tools/bare", "--root"), "--root needs a path"),
                              (("tools/bare", "--with", "no/such/folder", "true"), "no such file"),
                              (("tools/package", "--rpm"), "no option --rpm")):
            with self.subTest(command=command):
                done = self.run_command(*command)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(word, done.stderr)

    def test_quickstart_and_the_benchmarks_configure_without_what_only_tests_need(self):
        presets = {p["name"]: p for p in json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
        for name in ("quickstart", "bench"):
            self.assertEqual(presets[name]["cacheVariables"]["OCRPIPE_BUILD_TESTS"], "OFF")


if __name__ == "__main__":
    unittest.main()
