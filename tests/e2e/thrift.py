"""What tests change in their copies of manifests so that many fit on one node: how much, how long, how often."""

from __future__ import annotations

import re
from dataclasses import dataclass

SHARE = "12m"
"""What each container of a test asks for.

The node that tests share has as many processors as the machine, and holds an application with its production for each
worker: tests/e2e/test_room.py.
"""
_CPU = re.compile(r"(?<=\bcpu: )\d+m\b")
_PAUSE = re.compile(r"(?<=\n {16}seconds: )15\b")
_READINESS = re.compile(
    r"(?P<indent> +)readinessProbe:\n(?P<look>(?P=indent)  exec:\n.*\n)"
    r"(?P=indent)  periodSeconds: 2\n(?P=indent)  timeoutSeconds: 3\n"
)
_SELDOM = r"""\g<indent>startupProbe:
\g<look>\g<indent>  initialDelaySeconds: 2
\g<indent>  periodSeconds: 1
\g<indent>  timeoutSeconds: 3
\g<indent>  failureThreshold: 60
\g<indent>readinessProbe:
\g<look>\g<indent>  periodSeconds: {looks}
\g<indent>  timeoutSeconds: 10
"""


@dataclass(frozen=True)
class Thrift:
    """Seconds that a test changes."""

    pause: int = 6
    """For so long a pod goes on to serve: as the ingress needs, not as a page may take.

    A pod on its way out takes room, and is waited for.
    """
    looks: int = 60
    """From one look into the database's container to the next, once it is ready: each costs the node more than the pod.

    A kubelet that was started less than this ago lets the first look wait for any part of it.
    """

    def __call__(self, text: str) -> str:
        """Return a manifest whose pods ask for little, end soon, and are not asked all the time."""
        seldom = _SELDOM.format(looks=self.looks)
        return _READINESS.sub(seldom, _PAUSE.sub(str(self.pause), _CPU.sub(SHARE, text)))


USUAL = Thrift()
