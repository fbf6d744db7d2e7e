"""The engine role: the Dagger engine, listening on a socket that the host's CLI can open."""

from __future__ import annotations

import contextlib
import shutil
import socket
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from planera_lab import discard, gobuilds
from planera_lab.layers import RESOLV_CONF, host_authorities, layer
from planera_lab.progress import say
from planera_lab.roles import Role
from planera_lab.rootfs import root
from planera_lab.settings import INPUTS

if TYPE_CHECKING:
    from planera_lab.parts import Part, Store
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

NAME = "engine"
# It reads its cache before it listens.
READY_SECONDS = 300.0
HOST_AUTHORITIES = Path("/usr/local/share/ca-certificates")
# Where the engine looks for each of its programs (distconsts), and what Go or Debian call them.
PROGRAMS = {
    "/usr/local/bin/dagger-engine": "engine",
    "/usr/local/bin/dagger-init": "init",
    "/usr/bin/dial-stdio": "dialstdio",
    "/opt/cni/bin/dnsname": "dnsname",
}


def parts(pins: Pins) -> list[Part]:
    """Parts that the role runs from."""
    return [gobuilds.dagger(pins), root(pins)]


def role(lab: Lab, pins: Pins, store: Store) -> Role:
    """Describe the role."""
    go, debian = (store.path(part) for part in parts(pins))
    files: dict[str, Path | str | bytes] = {guest: go / name for guest, name in PROGRAMS.items()}
    for plugin in sorted((debian / "usr" / "lib" / "cni").iterdir()):
        files[f"/opt/cni/bin/{plugin.name}"] = plugin
    # the engine looks for both back ends of iptables and takes the one that already has rules
    for name in ("xtables-legacy-multi", "xtables-nft-multi"):
        files[f"/usr/bin/{name}"] = debian / "usr" / "sbin" / name
    files |= {
        # crun takes runc's arguments; for an exec probe in the node it takes half of runc's processor time
        "/usr/local/bin/runc": debian / "usr" / "bin" / "crun",
        "/usr/local/bin/tini": debian / "usr" / "bin" / "tini",
        "/usr/local/bin/dnsmasq": INPUTS / NAME / "dnsmasq",
        "/etc/dagger/engine.json": INPUTS / NAME / "engine.json",
        "/etc/dagger/lab-ca.crt": lab.ca,
        "/etc/resolv.conf": RESOLV_CONF,
        "/etc/hosts": "127.0.0.1 localhost\n",
        "/usr/local/share/dagger/content/.keep": "",
        # the engine installs these into every container it runs, so that pip, npm and Python trust them
        **host_authorities(HOST_AUTHORITIES),
        "/usr/local/share/ca-certificates/planera-lab.crt": lab.ca,
    }
    binds = (
        (lab.engine_socket.parent, "/run/dagger"),
        # the engine's snapshots cannot be on an overlay
        (lab.state / NAME, "/var/lib/dagger"),
    )
    listen = ("--addr", "unix:///run/dagger/engine.sock")
    # the engine makes networks ahead of need, by default more than two processors have time for
    command = ("tini", "--", "dagger-engine", *listen, "--oci-cni-pool-size", "16")
    return Role(NAME, (layer(lab, NAME, files), debian), binds, command, before=lambda: make_room(lab))


def make_room(lab: Lab) -> None:
    """Take away what the last engine left that the next one would remove itself, before it answers.

    After an unclean end that is its whole cache, many folders of many files: minutes, in which nobody knows why.
    """
    state = lab.state / NAME
    if not ended_cleanly(state):
        say("the engine ended in the middle of its work the last time: it begins with an empty cache")
        discard.set_aside(lab, state)
    # namespaces of containers that ended with the last engine: it would try to release each
    shutil.rmtree(state / "net" / "cni", ignore_errors=True)


def ended_cleanly(state: Path) -> bool:
    """Whether an engine's state has the engine's own note of a clean end, or nothing yet.

    The engine takes the note back while it runs. What it has no note of, or what cannot be read, it removes.
    """
    database = state / "dagql-cache.db"
    if not database.exists():
        return not (state / "worker").exists()
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(database))}?mode=ro", uri=True)) as connection:
            note = connection.execute("SELECT value FROM meta WHERE key = 'clean_shutdown'").fetchone()
    except sqlite3.Error:
        return False
    return bool(note == ("1",))


def listens(lab: Lab) -> bool:
    """Whether the engine takes connections."""
    return takes_connections(lab.engine_socket)


def takes_connections(file: Path) -> bool:
    """Whether something listens on a socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(file))
        except OSError:
            return False
    return True
