"""Runs the lab's commands as a user does."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

LAB = Path(__file__).resolve().parents[1] / "lab"
EVERY_LAB = ("pasta", "services", "engine", "node")
"""The roles of every lab; a test may start others meanwhile."""
_SETTLES = 60.0
"""Seconds after which a role that runs must answer, however busy the machine is."""


def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the lab as a user does."""
    env = {**os.environ, **environment}
    return subprocess.run([LAB, *words], env=env, capture_output=True, text=True, check=False, timeout=300)


def roles() -> dict[str, dict[str, Any]]:
    """Return the roles of the lab as `status` shows them."""
    done = call("status", "--json")
    assert done.stdout, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)["roles"]
    return found


def answering() -> dict[str, int | None]:
    """Wait until every role of `EVERY_LAB` answers; return their processes, or nothing if one does not run."""
    end = time.monotonic() + _SETTLES
    while not all((found := roles())[name]["answers"] for name in EVERY_LAB):
        if time.monotonic() > end or any(found[name]["pid"] is None for name in EVERY_LAB):
            return {}
    return {name: found[name]["pid"] for name in EVERY_LAB}
