"""What every benchmark does first: installs what is missing, builds, and finds out what it runs on."""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD_DIR = os.path.join(ROOT, "build", "bench")


def build():
    """Ends the program if something cannot be installed or built."""
    script = """set -euo pipefail
        source tools/setup.sh
        install_missing "${library_packages[@]}" "${program_packages[@]}" "${bench_packages[@]}"
        build bench bench ocrpipe_program"""
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, stdout=sys.stderr, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(done.returncode)
    return BUILD_DIR


def output_of(*command):
    """What the command prints; nothing where there is no such program."""
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""
