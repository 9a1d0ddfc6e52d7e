"""System calls and instructions of a command, each in a run of its own, since both tools change its time."""

import os
import re
import subprocess


def system_calls(command, environment, folder, timeout):
    """How many system calls of which kind the command and its threads make."""
    report = os.path.join(folder, "strace.txt")
    subprocess.run(["strace", "-c", "-f", "-o", report] + command, env=environment, check=True, timeout=timeout,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    kinds = {}
    with open(report) as f:
        for line in f:
            # % time, seconds, usecs/call, calls, errors (may be blank), name
            match = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
            if match and match.group(2) != "total":
                kinds[match.group(2)] = int(match.group(1))
    return kinds


def instructions(command, environment, timeout):
    """How many instructions the command executes in user space; what the kernel does for it is not in this."""
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"] + command, env=environment,
                          timeout=timeout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    collected = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode != 0 or not collected:
        raise RuntimeError("callgrind: " + done.stderr[-1000:])
    return {"instructions": int(collected.group(1))}


def marginal(counts_of, documents):
    """What one more document costs of each kind: the difference of two runs, so that the start cancels."""
    large = counts_of(2 * documents)
    small = counts_of(documents)
    return {kind: (n - small.get(kind, 0)) / documents for kind, n in large.items()}
