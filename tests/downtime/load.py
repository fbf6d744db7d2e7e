"""The load as the bench uses it: a process of its own while a block runs, and its figures afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.harness import ROOT, App

RATE = 200
_SECONDS = 60
Figures = dict[str, Any]


@contextmanager
def load(app: App, rate: int = RATE) -> Iterator[Figures]:
    """Load an application through the lab's Ingress; what is yielded has the figures after the block."""
    address, _, port = os.environ["LAB_HTTPS"].rpartition(":")
    settings = {
        "address": address,
        "port": int(port),
        "ca": os.environ["LAB_CA"],
        "host": app.host,
        "api": app.api,
        "rate": rate,
    }
    command = [sys.executable, "-m", "tests.downtime.generate", json.dumps(settings)]
    figures: Figures = {}
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield figures
            out, _ = process.communicate(timeout=_SECONDS)
            figures |= json.loads(out)
        finally:
            process.kill()
