"""The program bench_loopback_server as the OCR service, for what needs no nginx."""

import json
import subprocess


class LoopbackServer:
    """Started and ended by `with`; afterwards `seen` is what it counted."""

    def __init__(self, program, core=None):
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        self.process = subprocess.Popen(pinned + [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"
        return self

    def __exit__(self, *_):
        try:
            out, _ = self.process.communicate(timeout=10)
            self.seen = json.loads(out)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
