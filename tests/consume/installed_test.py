"""Builds users' projects against the installed package: each component with nothing but what it needs, by CMake and by pkg-config.

Usage: installed_test.py (--build DIR | --prefix DIR) [--compiler NAME] [--launcher NAME] [--sanitizer LIST] [TEST...]
  --build DIR   installs each component from this build into a folder of its own
  --prefix DIR  uses what is installed there, such as /usr
"""
import argparse
import functools
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
# What each component needs beside itself.
NEEDS = {
    "header_only": [],
    "library": ["header_only"],
    "sqlite_ledger": ["header_only", "library"],
    "emulator": ["header_only", "library"],
    "tesseract_engine": ["header_only", "library", "emulator"],
}
# The module of pkg-config for each, the sources of a program, and the program's arguments.
MODULES = {
    "header_only": ("ocrpipe-header-only", ["main.cpp", "second.cpp"], []),
    "library": ("ocrpipe", ["main.cpp", "second.cpp"], []),
    "sqlite_ledger": ("ocrpipe-sqlite-ledger", ["resumed_run.cpp"], ["run"]),
    "emulator": ("ocrpipe-emulator", ["with_emulator.cpp"], []),
    "tesseract_engine": ("ocrpipe-tesseract-engine", ["with_engine.cpp"], []),
}
chosen = argparse.Namespace()


def run(*words, expect=0, **more):
    done = subprocess.run([str(w) for w in words], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **more)
    if expect is not None and done.returncode != expect:
        raise AssertionError(f"{shlex.join(map(str, words))} ended with {done.returncode}:\n{done.stdout[-6000:]}")
    return done.stdout


@functools.cache
def prefix_with(*components):
    """A prefix that holds these components, and no other one where we install ourselves."""
    if chosen.prefix:
        return chosen.prefix
    prefix = chosen.folder / "-".join(["prefix", *components])
    for component in components:
        run("cmake", "--install", chosen.build, "--prefix", prefix, "--component", component)
    return prefix


def configure(prefix, components, folder, **more):
    options = [f"-DCMAKE_PREFIX_PATH={prefix}", f"-DOCRPIPE_CONSUMER_COMPONENTS={';'.join(components)}",
               f"-DCMAKE_CXX_COMPILER={chosen.compiler}", f"-DCMAKE_CXX_COMPILER_LAUNCHER={chosen.launcher}",
               f"-DOCRPIPE_CONSUMER_SANITIZER={chosen.sanitizer}"]
    return run("cmake", "-G", "Ninja", "-S", HERE, "-B", folder, *options, **more)


class Installed(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=chosen.folder))

    def is_available(self, component):
        # The engine is optional where this project is built, and a package of its own where it is installed.
        return any(prefix_with(*NEEDS[component], component).glob(f"lib*/**/ocrpipe_{component}.cmake"))

    def test_each_component_alone_is_found_by_cmake(self):
        for component, needs in NEEDS.items():
            with self.subTest(component=component):
                if component == "tesseract_engine" and not self.is_available(component):
                    self.skipTest("the engine is not installed")
                build = self.folder / component
                configure(prefix_with(*needs, component), [component], build)
                run("cmake", "--build", build)
                run("ctest", "--output-on-failure", "--no-tests=error", cwd=build)

    def test_each_component_alone_is_found_by_pkg_config(self):
        for component, needs in NEEDS.items():
            with self.subTest(component=component):
                if component == "tesseract_engine" and not self.is_available(component):
                    self.skipTest("the engine is not installed")
                module, sources, arguments = MODULES[component]
                pkgconfig = next(pathlib.Path(prefix_with(*needs, component)).glob(f"lib*/**/pkgconfig/{module}.pc")).parent
                flags = run("pkg-config", "--cflags", "--libs", module, env={**os.environ, "PKG_CONFIG_PATH": str(pkgconfig)}).split()
                sanitizer = [f"-fsanitize={chosen.sanitizer}"] if chosen.sanitizer else []
                program = self.folder / module
                run(chosen.compiler, "-std=c++20", *sanitizer, *(HERE / s for s in sources), *flags, "-o", program)
                run(program, *arguments, cwd=self.folder)

    def test_a_component_that_is_not_installed_is_named(self):
        if chosen.prefix:
            self.skipTest("the prefix has all components")
        said = configure(prefix_with("header_only"), ["header_only", "sqlite_ledger"], self.folder / "b", expect=1)
        # find_package() breaks lines.
        self.assertIn("the component library of ocrpipe is not installed; install it with cmake --install BUILD --component library",
                      " ".join(said.split()))

    def test_a_component_that_does_not_exist_is_named(self):
        said = configure(prefix_with("header_only"), ["header_only", "postgres"], self.folder / "b", expect=1)
        self.assertIn("the component postgres of ocrpipe does not exist; there are header_only, library,", " ".join(said.split()))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("Usage: ")[1])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--build", type=pathlib.Path)
    where.add_argument("--prefix", type=pathlib.Path)
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--launcher", default="")
    parser.add_argument("--sanitizer", default="")
    rest = parser.parse_known_args(namespace=chosen)[1]
    with tempfile.TemporaryDirectory(prefix="ocrpipe-installed-") as folder:
        chosen.folder = pathlib.Path(folder)
        unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
