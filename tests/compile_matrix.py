"""Compiles the library with each compiler, C++ standard and flavour, with warnings as errors.

The compiled flavour is every unit of the library and of the emulator; the header-only flavour is one unit that includes every public
header. Only syntax and semantics are checked, templates included, unless --optimize is given.

Usage: compile_matrix.py [--compiler NAME]... [--standard N]... [--flavour NAME]... [--boost DIR] [--optimize]
  --compiler NAME  default: g++-12, clang++-14, clang++-19. If it is not installed, its combinations are reported as not run.
  --standard N     default: 20, 23
  --flavour NAME   compiled or header_only; default: both
  --boost DIR      a folder that contains boost/version.hpp; default: the system's
  --optimize       compiles with -O2 instead of checking only, so that warnings that depend on data flow appear, too
Exits with 0 if every combination compiles, 1 if one does not, and 77 if no compiler was found.
"""
import argparse
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOT_RUN = 77
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Woverloaded-virtual", "-Werror"]
# What Asio has deprecated is removed by a later Boost.
STRICT = ["-DBOOST_ASIO_NO_DEPRECATED"]


def options():
    parser = argparse.ArgumentParser(usage=__doc__.split("Usage: ")[1])
    parser.add_argument("--compiler", action="append")
    parser.add_argument("--standard", action="append")
    parser.add_argument("--flavour", action="append", choices=("compiled", "header_only"))
    parser.add_argument("--boost", type=pathlib.Path)
    parser.add_argument("--optimize", action="store_true")
    chosen = parser.parse_args()
    if chosen.boost and not (chosen.boost / "boost/version.hpp").exists():
        parser.error(f"{chosen.boost} contains no boost/version.hpp")
    chosen.compiler = chosen.compiler or ["g++-12", "clang++-14", "clang++-19"]
    chosen.standard = chosen.standard or ["20", "23"]
    chosen.flavour = chosen.flavour or ["compiled", "header_only"]
    return chosen


def every_header(folder):
    """A unit that includes every public header."""
    unit = folder / "every_header.cpp"
    headers = sorted(p.relative_to(ROOT / "include") for p in (ROOT / "include").rglob("*.hpp") if p.parent.name not in ("detail", "impl"))
    unit.write_text("".join(f"#include <{header}>\n" for header in headers) + "int main() {}\n")
    return unit


def units(flavour, folder):
    if flavour == "header_only":
        return [every_header(folder)]
    # What the optional engine and the program add is not part of the library.
    others = ("tesseract_reader.cpp", "samples.cpp", "emulator_main.cpp")
    return sorted((ROOT / "src").rglob("*.cpp")) + sorted(p for p in (ROOT / "tools/emulator").glob("*.cpp") if p.name not in others)


def command(compiler, standard, flavour, boost, optimize):
    words = [compiler, f"-std=c++{standard.replace('23', '2b')}", *WARNINGS, *STRICT, f"-I{ROOT / 'include'}", f"-I{ROOT / 'tools'}"]
    words += ["-O2", "-c", "-o", "/dev/null"] if optimize else ["-fsyntax-only"]
    if optimize and compiler.endswith("g++-12"):
        words.append("-Wno-mismatched-new-delete")  # see ocrpipe_warnings in CMakeLists.txt
    if flavour == "header_only":
        words.append("-DOCRPIPE_HEADER_ONLY")
    if boost:
        words += ["-isystem", str(boost)]
    return words


def boost_version(compiler, boost):
    text = subprocess.run([compiler, "-E", "-P", "-x", "c++", *(["-isystem", str(boost)] if boost else []), "-"], text=True, check=True,
                          input="#include <boost/version.hpp>\nBOOST_LIB_VERSION", capture_output=True).stdout
    return text.split()[-1].strip('"').replace("_", ".")


def main():
    chosen = options()
    failed = run = 0
    for compiler in chosen.compiler:
        if not shutil.which(compiler):
            print(f"not run: {compiler} is not installed", flush=True)
            continue
        boost = boost_version(compiler, chosen.boost)
        for standard in chosen.standard:
            for flavour in chosen.flavour:
                with tempfile.TemporaryDirectory(prefix="ocrpipe-matrix-") as folder:
                    words = command(compiler, standard, flavour, chosen.boost, chosen.optimize)
                    broken = []
                    for unit in units(flavour, pathlib.Path(folder)):
                        done = subprocess.run([*words, str(unit)], capture_output=True, text=True)
                        if done.returncode != 0:
                            broken.append(f"{shlex.join([*words, str(unit)])}\n{done.stderr}")
                run += 1
                failed += bool(broken)
                print(f"{'FAILED' if broken else 'compiles'}: {compiler}, C++{standard}, {flavour}, Boost {boost}", flush=True)
                print("".join(broken), end="", flush=True)
    print(f"{run - failed} of {run} combinations compile")
    return 1 if failed else 0 if run else NOT_RUN


if __name__ == "__main__":
    sys.exit(main())
