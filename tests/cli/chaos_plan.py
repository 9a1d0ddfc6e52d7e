"""What happens in a chaos test, as a function of its seed: the documents, the processes with their options and their ends, and the modes of
the service meanwhile."""

import random
import signal

MIB = 1 << 20

# What all requests meet for a while. The service is good between two of them.
MODES = {"refuse": 5, "reset": 3, "hang": 3, "forbid": 2, "misplace": 1, "portal": 1, "throttle": 3, "unavailable": 2, "unavailable with wait": 2,
         "broken": 2, "no results": 3}
SUBMIT_FAULTS = {  # name: weight
    "accept late": 6, "accept and lose": 3, "accept and cut": 2, "accept and 500": 1, "accept and 502": 1, "accept without id": 1,
    "accept and redirect": 1, "accept and close": 4, "accept damaged": 1, "refuse 400": 3, "refuse 413": 1, "refuse 422": 1, "error in 200": 1,
    "echo 400": 2, "throttle": 6, "unavailable with wait": 4, "unavailable": 2, "500": 1, "504": 1, "reset": 1, "slow answer": 3,
}
RESULT_FAULTS = {
    "500": 4, "502": 2, "throttle": 4, "unavailable with wait": 3, "unavailable": 2, "reset": 3, "cut": 3, "page": 2, "slow": 4, "echo 400": 2,
    "not found": 2, "null": 1, "nothing": 1, "no content": 1, "pending with wait": 2, "close": 3,
}
JOBS = {"normal": 60, "slow": 8, "late content": 8, "late documents": 6, "failed": 4, "lost": 2, "gone": 2, "empty": 2, "huge": 4, "endless": 1}
DESTINIES = {"good": 90, "403": 2, "404": 2, "400": 2, "415": 1, "failed": 2}

# A run may say that the credentials are refused, or that the address is wrong, where this is so.
REFUSING = {"forbid", "misplace", "portal"}
# A run may say that the service does not answer.
FAILING = {"refuse", "reset", "hang", "unavailable", "unavailable with wait", "throttle", "broken", "no results"}


def choose(generator, weights):
    return generator.choices(list(weights), list(weights.values()))[0]


class Life:
    """One process."""

    def __init__(self, generator, number, plan):
        self.command = "retry" if number and generator.random() < 0.2 else "run"
        # None: the process comes to its end by itself.
        self.end = generator.choice((None, signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, "SIGINT twice"))
        self.seconds = generator.uniform(0, 0.4) if generator.random() < 0.15 else generator.uniform(0.4, 8)
        self.suspended = generator.uniform(0.3, 2) if generator.random() < 0.1 and self.end not in (None, signal.SIGKILL) else 0
        self.connections = generator.choice((3, 4, 7, 14, 28))
        self.max_answer = generator.choice((1 * MIB, 4 * MIB, 64 * MIB))
        self.deadline = generator.choice((2, 10, 60, 1800, 1800))
        self.limited = False
        self.budget = False
        self.on_ambiguous = generator.choice(("hold", plan.on_ambiguous))
        o = self.options = ["--on-ambiguous", self.on_ambiguous, "--connections", self.connections, "--max-answer", self.max_answer,
                            "--deadline", f"{self.deadline}s", "--drain-timeout", generator.choice(("0s", "1s", "5s"))]
        for option, share, values in (("--submit-rate", 0.4, ("10/s", "30/s", "300/m")), ("--poll-rate", 0.3, ("10/s", "50/s")),
                                      ("--bandwidth", 0.1, ("100k", "1M")), ("--max-inflight", 0.4, (1, 3, 20))):
            if generator.random() < share:
                o += [option, generator.choice(values)]
        if generator.random() < 0.1:
            self.limited = True
            o += generator.choice((["--max-documents", 5], ["--max-duration", "2s"]))
        if generator.random() < 0.1:
            self.budget = True
            o += ["--fail-budget", generator.choice((2, "10%"))]
        # What a good service needs for the documents in the worst case, if only one at a time is under way.
        one_at_a_time = "--max-inflight" in o and o[o.index("--max-inflight") + 1] == 1
        # With few connections, each answer that never comes takes up one of them for a minute.
        few = o[o.index("--connections") + 1] <= 4 and plan.fault_rate >= 0.4
        self.slowness = plan.documents * (3 if one_at_a_time else 2 if few else 0)
        self.modes = []  # (seconds, mode)
        for _ in range(generator.choice((0, 1, 1, 2, 3))):
            self.modes.append((generator.uniform(0, 3), "good"))
            length = min(plan.longest_outage, generator.choice((1, 1, 2, 4, 8, 20, 60)) * generator.uniform(1, 1.5))
            self.modes.append((length, choose(generator, MODES)))

    @property
    def nominal_seconds(self):
        return self.seconds if self.end else max(self.seconds, sum(s for s, _ in self.modes)) + self.slowness

    def __str__(self):
        end = "the process ends by itself" if self.end is None else f"{self.end if isinstance(self.end, str) else self.end.name} after {self.seconds:.2f} s"
        modes = ", ".join(f"{mode} {seconds:.1f} s" for seconds, mode in self.modes) or "good"
        suspended = f"; suspended for {self.suspended:.1f} s" if self.suspended else ""
        return f"{self.command} {' '.join(map(str, self.options))}\n     {end}{suspended}; the service: {modes}"


class Plan:
    def __init__(self, seed, longest_outage=60.0):
        self.seed = seed
        generator = random.Random(f"chaos/{seed}")
        self.longest_outage = longest_outage
        self.slowest_answer = 65 if longest_outage >= 60 else 6  # more than a client may be ready to wait
        self.documents = generator.choice((1, 12, 40, 80, 150))
        self.copies = 3 if generator.random() < 0.2 else 1
        self.largest_document = generator.choice((1_000, 20_000, 200_000))
        self.fault_rate = generator.choice((0.0, 0.05, 0.2, 0.4))
        self.on_ambiguous = generator.choice(("hold", "hold", "resubmit"))  # the most that a process may do
        self.proxied = generator.random() < 0.3
        self.tls = not self.proxied and random.Random(f"tls/{seed}").random() < 0.4
        self.huge = int(generator.choice((0.8, 3, 12)) * MIB)
        self.largest_answer = 64 * MIB
        self.settle_seconds = generator.choice((0.5, 2, 5))
        self.text = generator.random() < 0.3
        self.parts = generator.random() < 0.3
        self.options = ["--poll-interval", "50ms-200ms", *(["--dedupe", "content"] if self.copies > 1 else [])]
        self.run_options = ["--doc-type", "INVOICE", *(["--text"] if self.text else []), *(["--parts", "tables"] if self.parts else [])]
        self.lives = [Life(generator, i, self) for i in range(generator.choice((1, 2, 3, 4, 6)))]

    def may_resubmit(self, life):
        """Whether a process may send a document again that may have been accepted. The processes after the last one are to finish the run."""
        return (self.lives[life] if life < len(self.lives) else self).on_ambiguous == "resubmit"

    def longest_wait(self, life):
        """The longest Retry-After in seconds that the service may ask for."""
        return 3600 if life < len(self.lives) and self.lives[life].end else 3

    @property
    def nominal_seconds(self):
        return sum(life.nominal_seconds for life in self.lives)

    def __str__(self):
        lines = [f"seed {self.seed}: {self.documents} documents of up to {self.largest_document} bytes"
                 + (f", each content {self.copies} times" if self.copies > 1 else "") + f", faults for {self.fault_rate:.0%} of the requests"
                 + (", through a proxy" if self.proxied else ", over TLS" if self.tls else "") + f", settle window {self.settle_seconds} s"
                 + (", with text" if self.text else "") + (", with tables" if self.parts else "")]
        return "\n".join(lines + [f"  {i}: {life}" for i, life in enumerate(self.lives)])
