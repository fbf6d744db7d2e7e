"""Runs the lab's commands as a user does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

LAB = Path(__file__).resolve().parents[1] / "lab"


def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the lab as a user does."""
    env = {**os.environ, **environment}
    return subprocess.run([LAB, *words], env=env, capture_output=True, text=True, check=False, timeout=300)
