"""Programs that tests run on files: the lab builds them from their Go modules, also where no lab runs."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from tests.texts import ROOT

FOLDER = "PLANERA_PROGRAMS"
"""Variable that names a folder which has them already: `dagger call checks` sets it in its containers."""


@cache
def program(name: str) -> Path:
    """Return the path of a program, which is built first where it is missing."""
    if folder := os.environ.get(FOLDER):
        return Path(folder) / name
    done = subprocess.run([ROOT / "lab/lab", "tool", name], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())
