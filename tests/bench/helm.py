"""Helm 4 for the half that it does: the very objects that planera-ci applied, in a namespace of its own."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass

from tests.faults import peers

DEFAULT_TIMEOUT = 300
"""What Helm gives a release if nobody says otherwise, in seconds."""


@dataclass
class Helm(peers.Helm):
    """Helm with its own default timeout."""

    timeout: int = DEFAULT_TIMEOUT

    def deployed(self) -> peers.Told:
        """Deploy the application's objects as they are now."""
        return self.deploy(self.objects())

    def rollback(self) -> peers.Told:
        """Go back to the release before, and wait for it."""
        begun = time.monotonic()
        words = ["rollback", "planera", "-n", self.there.namespace, "--wait", "--force-conflicts"]
        done = subprocess.run([peers.helm(), *words], capture_output=True, text=True, check=False)
        return peers.Told(done.returncode, done.stderr.strip()[-600:], time.monotonic() - begun)
