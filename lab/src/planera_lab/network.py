"""The lab's own network: one namespace that pasta joins to the outside, without a rule or device on the host."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from planera_lab.command import output, tail
from planera_lab.errors import LabError
from planera_lab.roles import record, remember, running
from planera_lab.settings import DNS_ADDRESS, GHCR_ADDRESS, MIRROR_ADDRESS, NODE_ADDRESS

if TYPE_CHECKING:
    from planera_lab.settings import Lab

PASTA = "pasta"
# Run from the services root with that root's own loader: older releases of pasta, as in Debian 12, lose the
# segments of connections that are routed on from a container inside.
LOADER, LIBRARIES, PROGRAM = "usr/lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu", "usr/bin/passt"
READY_SECONDS = 10.0
SYSTEMD_UPSTREAM = Path("/run/systemd/resolve/resolv.conf")
# Ports inside the namespace to which pasta passes those of the host.
INSIDE = {"api": 6443, "http": 8080, "https": 8443, "registry": 5443}


def nameservers(text: str) -> list[str]:
    """Addresses of the name servers in a resolv.conf."""
    lines = (line.split() for line in text.splitlines())
    return [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]


def upstream(host: str, systemd: str | None) -> tuple[list[str], bool]:
    """Return the name servers to ask from inside, and whether that needs the host's loopback.

    A loopback resolver is out of reach for another namespace: systemd-resolved tells its own upstream servers,
    and any other resolver on 127.0.0.1 is reached through the gateway, which pasta can map to the host.
    """
    servers = [server for server in nameservers(host) if ":" not in server]
    outside = [server for server in servers if not server.startswith("127.")]
    if outside:
        return outside, False
    if systemd is not None:
        outside = [s for s in nameservers(systemd) if not s.startswith("127.") and ":" not in s]
        if outside:
            return outside, False
    return [], True


def start(lab: Lab, root: Path) -> list[str]:
    """Make the namespace and join it; return the name servers that can be asked from inside."""
    systemd = SYSTEMD_UPSTREAM.read_text() if SYSTEMD_UPSTREAM.exists() else None
    servers, by_gateway = upstream(Path("/etc/resolv.conf").read_text(), systemd)
    if running(lab, PASTA) is None or not is_mounted(lab.netns):
        stop(lab)
        lab.run.mkdir(parents=True, exist_ok=True)
        lab.netns.touch()
        output(["unshare", f"--net={lab.netns}", "true"])
        _join(lab, root, by_gateway=by_gateway)
    return [_gateway(lab)] if by_gateway else servers


def _join(lab: Lab, root: Path, *, by_gateway: bool) -> None:
    log = lab.logs / "pasta.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    forwards: list[str] = []
    for name, port in lab.ports.as_dict().items():
        forwards += ["-t", f"127.0.0.1/{port}:{INSIDE[name]}"]
    gateway = [] if by_gateway else ["--no-map-gw"]
    closed = ["-u", "none", "-T", "none", "-U", "none"]
    space = ["--netns-only", "--netns", str(lab.netns)]
    with log.open("ab") as sink:
        launched = subprocess.Popen(
            [*_pasta(root), "--ipv4-only", "--runas", "0", "--config-net", *gateway, *forwards, *closed, *space],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    deadline = time.monotonic() + READY_SECONDS
    while "default" not in inside(lab, "ip", "-4", "route"):
        if launched.poll() is not None or time.monotonic() > deadline:
            launched.kill()
            raise LabError(f"join the lab's network: pasta did not come up: see {log}, which ends with\n{tail(log)}")
        time.sleep(0.05)
    remember(lab, PASTA, launched.pid)
    inside(lab, "ip", "link", "set", "lo", "up")
    # not on lo: the engine's own name server takes port 53 of every address there
    inside(lab, "ip", "link", "add", "lab0", "type", "bridge")
    inside(lab, "ip", "link", "set", "lab0", "up")
    for address in (NODE_ADDRESS, GHCR_ADDRESS, MIRROR_ADDRESS, DNS_ADDRESS):
        inside(lab, "ip", "address", "replace", f"{address}/24", "dev", "lab0")


def _pasta(root: Path) -> list[str]:
    """Return how pasta is called, in the foreground, from a root file system that is not ours."""
    return [
        str(root / LOADER),
        "--argv0",
        PASTA,
        "--library-path",
        str(root / LIBRARIES),
        str(root / PROGRAM),
        "-f",
        "--host-lo-to-ns-lo",
    ]


def inside(lab: Lab, *command: str) -> str:
    """Run one of the host's programs in the lab's network."""
    return _within(lab.netns, *command)


def _within(space: Path, *command: str) -> str:
    return output(["nsenter", f"--net={space}", *command])


def branch(lab: Lab, name: str) -> Path:
    """Return the file of a namespace for one more machine."""
    return lab.run / f"netns-{name}"


def join(lab: Lab, name: str, address: str, pods: str) -> None:
    """Make a namespace for one more machine and wire it to the lab's bridge; `pods` are the addresses behind it."""
    space = branch(lab, name)
    leave(space)
    space.touch()
    output(["unshare", f"--net={space}", "true"])
    wire = f"lab-{name}"
    with suppress(LabError):  # the end of one that has just left goes a moment later
        inside(lab, "ip", "link", "delete", wire)
    inside(lab, "ip", "link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", str(space))
    inside(lab, "ip", "link", "set", wire, "master", "lab0", "up")
    for device in ("lo", "eth0"):
        _within(space, "ip", "link", "set", device, "up")
    _within(space, "ip", "address", "add", f"{address}/24", "dev", "eth0")
    _within(space, "ip", "route", "add", "default", "via", NODE_ADDRESS)
    inside(lab, "ip", "route", "replace", pods, "via", address)


def leave(space: Path) -> None:
    """Take a namespace down: its devices, addresses and rules go with it, and so does the other end of its wire."""
    while is_mounted(space):
        output(["umount", str(space)])
    space.unlink(missing_ok=True)


def _gateway(lab: Lab) -> str:
    words = inside(lab, "ip", "-4", "route", "show", "default").split()
    return words[words.index("via") + 1]


def is_mounted(path: Path) -> bool:
    """Whether something is mounted on the path."""
    mounts = Path("/proc/self/mounts").read_text()
    return any(line.split()[1] == str(path) for line in mounts.splitlines())


def stop(lab: Lab) -> None:
    """Take the namespace down: its devices, addresses and rules go with it."""
    process = running(lab, PASTA)
    if process is not None:
        process.signal(signal.SIGTERM)
        if not process.wait(2.0):
            process.signal(signal.SIGKILL)
            process.wait(2.0)
    record(lab, PASTA).unlink(missing_ok=True)
    for space in lab.run.glob(f"{lab.netns.name}*"):
        leave(space)
