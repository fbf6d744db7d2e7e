"""BuildKit's daemon, for builds as a shell pipeline makes them: started when asked for, beside the engine."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from planera_lab import gobuilds, roles
from planera_lab.engine import HOST_AUTHORITIES, takes_connections
from planera_lab.layers import RESOLV_CONF, host_authorities, layer
from planera_lab.parts import Store, exclusive
from planera_lab.progress import step
from planera_lab.roles import Role
from planera_lab.rootfs import root
from planera_lab.settings import INPUTS

if TYPE_CHECKING:
    from pathlib import Path

    from planera_lab.parts import Part
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

NAME = "builder"
ACTIONS = ("start", "stop")
READY_SECONDS = 60.0
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def parts(pins: Pins) -> list[Part]:
    """Parts that the role runs from: its own programs on the root of all roles."""
    return [gobuilds.buildkit(pins), root(pins)]


def role(lab: Lab, pins: Pins, store: Store) -> Role:
    """Describe the role."""
    go, debian = (store.path(part) for part in parts(pins))
    inputs = INPUTS / NAME
    files: dict[str, Path | str | bytes] = {
        "/usr/local/bin/buildkitd": go / "buildkitd",
        "/usr/local/bin/runc": inputs / "runc",
        "/etc/buildkit/buildkitd.toml": inputs / "buildkitd.toml",
        "/etc/resolv.conf": RESOLV_CONF,
        "/etc/hosts": "127.0.0.1 localhost\n",
        BUNDLE: trusted(lab, debian / BUNDLE.lstrip("/")),
    }
    binds = (
        (lab.builder_socket.parent, "/run/buildkit"),
        # the cache of layers cannot be on an overlay
        (lab.state / NAME, "/var/lib/buildkit"),
    )
    return Role(NAME, (layer(lab, NAME, files), debian), binds, ("tini", "--", "buildkitd"))


def trusted(lab: Lab, public: Path) -> str:
    """Return the certificates that the daemon and its containers trust, as the engine and its own do."""
    own = [*host_authorities(HOST_AUTHORITIES).values(), lab.ca]
    return "".join(f"{file.read_text().strip()}\n" for file in (public, *own))


def act(lab: Lab, pins: Pins, action: str) -> None:
    """Start or stop it, and return when it is so."""
    with exclusive(lab.home / "lock", "this lab"), step(f"{action} builder", quiet_below=1.0):
        start(lab, pins) if action == "start" else stop(lab)


def start(lab: Lab, pins: Pins) -> None:
    """Build it where it is missing, start it unless it runs, and wait until it takes connections."""
    store = Store(lab)
    for part in parts(pins):
        store.ensure(part)
    if not roles.up_to_date(lab, role(lab, pins, store)):
        stop(lab)
        roles.start(lab, role(lab, pins, store))
    roles.await_ready(lab, NAME, lambda: listens(lab), READY_SECONDS)


def stop(lab: Lab) -> None:
    """End it; its cache of layers stays on disk."""
    roles.stop(lab, NAME)
    shutil.rmtree(lab.run / NAME, ignore_errors=True)


def listens(lab: Lab) -> bool:
    """Whether it takes connections."""
    return takes_connections(lab.builder_socket)
