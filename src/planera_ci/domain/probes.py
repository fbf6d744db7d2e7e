"""When a container counts as started: by its readiness probe, or by what there is instead of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from planera_ci.domain.manifests import Key, Obj
from planera_ci.errors import ManifestError

_DEFAULT_PERIOD, _DEFAULT_FAILURES, _MOST_SECONDS = 10, 3, 120
_START_SECONDS = 30
"""What a command in a container is given at least: the container's own start is a part of it."""


@dataclass(frozen=True)
class Probe:
    """A readiness probe: an HTTP path, a command, or (with neither) an open port."""

    port: int = 0
    path: str = ""
    command: tuple[str, ...] = ()
    seconds: int = _DEFAULT_PERIOD * _DEFAULT_FAILURES


HELD = Probe(command=("/bin/sh", "-c", "sleep 3 || true"), seconds=_START_SECONDS)
"""Of a container that says nothing of itself: it has to run for a while, and what crashes at its start does not."""


def told_inside(readiness: Probe | None, ports: tuple[int, ...]) -> Probe | None:
    """Return the command that tells in the container itself that it has started, where no port tells it."""
    if readiness is None:
        return None if ports else HELD
    return replace(readiness, seconds=max(readiness.seconds, _START_SECONDS)) if readiness.command else None


def readiness_of(obj: Obj, container: Obj) -> Probe | None:
    """Return how a container says that it is ready, if it does."""
    probe = container.get("readinessProbe")
    if not probe:
        return None
    startup = container.get("startupProbe")
    extra = _patience(startup) if startup else 0
    seconds = min(int(probe.get("initialDelaySeconds") or 0) + _patience(probe) + extra, _MOST_SECONDS)
    if "exec" in probe:
        return Probe(command=tuple(probe["exec"]["command"]), seconds=seconds)
    for field_ in ("httpGet", "tcpSocket"):
        if field_ in probe:
            where = probe[field_]
            path = where.get("path", "/") if field_ == "httpGet" else ""
            return Probe(_port(obj, container, where["port"]), path, seconds=seconds)
    raise ManifestError(
        f"read the readiness probe of {Key.of(obj)}", "it is of no known kind", "use httpGet, tcpSocket or exec"
    )


def _patience(probe: Mapping[str, Any]) -> int:
    """Return the seconds after which the kubelet gives a probe up."""
    period = int(probe.get("periodSeconds") or _DEFAULT_PERIOD)
    return period * int(probe.get("failureThreshold") or _DEFAULT_FAILURES)


def _port(obj: Obj, container: Obj, port: Any) -> int:
    """Return a port's number; a name is looked up among the container's ports."""
    if isinstance(port, int):
        return port
    for declared in container.get("ports") or ():
        if declared.get("name") == port:
            return int(declared["containerPort"])
    raise ManifestError(
        f"read the readiness probe of {Key.of(obj)}", f'no port is named "{port}"', "name one of its ports"
    )
