"""What tests change in their copies of manifests so that many fit on one node: how much, how long, how often."""

from __future__ import annotations

import re

SHARE = "12m"
"""What each container of a test asks for.

The node that tests share has as many processors as the machine, and holds an application with its production for each
worker: tests/e2e/test_room.py.
"""
PAUSE = 6
"""Seconds for which a pod goes on to serve: as long as the ingress needs, not as long as a page may take.

A pod on its way out takes room, and is waited for.
"""
_CPU = re.compile(r"(?<=\bcpu: )\d+m\b")
_PAUSE = re.compile(r"(?<=\n {16}seconds: )15\b")
# Each look into a database's container costs the node more than the pod itself does: often until it is ready, seldom
# afterwards.
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
\g<look>\g<indent>  periodSeconds: 60
\g<indent>  timeoutSeconds: 10
"""


def thrifty(text: str, pause: int = PAUSE) -> str:
    """Return a manifest whose pods ask for little, end soon, and are not asked all the time."""
    return _READINESS.sub(_SELDOM, _PAUSE.sub(str(pause), _CPU.sub(SHARE, text)))
