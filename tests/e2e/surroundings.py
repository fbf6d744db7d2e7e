"""What surrounds a function of the module in the engine: its network, its names, the authorities that it trusts.

A process of the tests that calls the module's code sees the same: it joins the network of the lab, in which the
engine's containers are, asks the name server that they ask, and trusts the lab's authority.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_NEW_MOUNTS, _NEW_NETWORK = 0x00020000, 0x40000000
_PRIVATE, _BIND = 0x44000, 0x1000
_SERVERS = ("10.87.0.1", "10.99.0.4")
"""The engine's own, which knows its services as soon as it runs a container; and the lab's."""
_libc = ctypes.CDLL(None, use_errno=True)


def enter(folder: Path) -> None:
    """Join the lab's network, with name servers and authorities of one's own; only a process of one thread can."""
    with Path(os.environ["KUBECONFIG"]).with_name("netns").open() as space:
        _done(_libc.setns(space.fileno(), _NEW_NETWORK), "join the lab's network")
    _done(_libc.unshare(_NEW_MOUNTS), "leave the host's mounts")
    _done(_libc.mount(None, b"/", None, _PRIVATE, None), "keep mounts to oneself")
    names = _names(folder)
    names.write_text(_resolver())
    place = Path("/etc/resolv.conf").resolve()
    _done(_libc.mount(str(names).encode(), str(place).encode(), None, _BIND, None), "ask the lab's name server")
    # Alone: a verb asks nobody here whom a public authority vouches for, and would read all of them several times.
    os.environ["SSL_CERT_FILE"] = os.environ["LAB_CA"]


def search(folder: Path, container_resolver: str) -> None:
    """Find services by their short names, in the domain that a container of the same session is told."""
    domains = next(line for line in container_resolver.splitlines() if line.startswith("search"))
    _names(folder).write_text(f"{domains}\n{_resolver()}")


def _names(folder: Path) -> Path:
    return folder / "resolv.conf"


def _resolver() -> str:
    return "".join(f"nameserver {server}\n" for server in _SERVERS) + "options timeout:2\n"


def _done(code: int, act: str) -> None:
    if code:
        number = ctypes.get_errno()
        raise OSError(number, f"{act}: {os.strerror(number)}")
