"""The lab's cgroups: made below a name of its own, removed at the end, nobody else's touched."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
UNIFIED = 2


def version(top: Path = CGROUP) -> int:
    """Return 2 where the host has the unified hierarchy alone, else 1."""
    return UNIFIED if (top / "cgroup.controllers").exists() else 1


def hierarchies(top: Path = CGROUP) -> list[Path]:
    """Folders in which a cgroup can be made: one for each v1 hierarchy, or the one of v2."""
    if version(top) == UNIFIED:
        return [top]
    return sorted(path for path in top.iterdir() if (path / "cgroup.procs").exists() and not path.is_symlink())


def enter_by_systemd(top: Path = CGROUP) -> bool:
    """With v2 and systemd, a delegated scope is the way to a subtree with controllers."""
    return version(top) == UNIFIED and Path("/run/systemd/system").is_dir()


def make(lab: str, role: str, top: Path = CGROUP) -> list[Path]:
    """Make the role's cgroup in each hierarchy and return the folders."""
    made: list[Path] = []
    for hierarchy in hierarchies(top):
        for folder in (hierarchy / lab, hierarchy / lab / role):
            folder.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                if version(top) == 1 and (folder / name).exists():
                    # a v1 cpuset takes no process before it has processors and memory nodes
                    (folder / name).write_text((folder.parent / name).read_text())
            if version(top) == UNIFIED and folder.name == lab:
                _delegate(folder)
        made.append(hierarchy / lab / role)
    return made


def _delegate(folder: Path) -> None:
    for controller in (folder / "cgroup.controllers").read_text().split():
        with contextlib.suppress(OSError):
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def remove(lab: str, role: str = "", top: Path = CGROUP) -> list[Path]:
    """Remove the cgroups of a role, or the lab's; return those that still hold a process."""
    left: list[Path] = []
    for hierarchy in hierarchies(top):
        folder = hierarchy / lab / role
        for path, _, _ in os.walk(folder, topdown=False):
            try:
                Path(path).rmdir()
            except OSError:
                left.append(Path(path))
    return left
