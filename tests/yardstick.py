"""Measures how fast this machine is, by a fixed piece of work: `python -m tests.yardstick` prints the seconds.

The work is what the tests' own time is made of: Python that computes, and programs that start.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

_ROUNDS, _STARTS, _OBJECTS = 3, 10, 8000


def measured() -> float:
    """Return the seconds of the fastest of a few rounds: the slower ones waited for something else."""
    return min(_round() for _ in range(_ROUNDS))


def _round() -> float:
    begun = time.perf_counter()
    objects = [{"name": f"object-{number}", "labels": {str(n): n for n in range(12)}} for number in range(_OBJECTS)]
    while len(objects) > 1:
        objects = json.loads(json.dumps(objects, sort_keys=True))[::2]
    for _ in range(_STARTS):
        subprocess.run([sys.executable, "-c", "import json, subprocess"], check=True)
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.stdout.write(f"{measured():.2f}\n")
