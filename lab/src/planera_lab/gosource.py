"""Copies of published Go modules, and changes to them: the module cache itself is read-only."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from planera_lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_go_mod(folder: Path, required: Mapping[str, str], replaced: Mapping[str, str]) -> None:
    """Write a module that only requires others, with the replacements that upstream builds with."""
    lines = [f"module lab/{folder.parent.name}", "", "go 1.26.0", ""]
    lines += [f"require {module} {version}" for module, version in required.items()]
    lines += [f"replace {module} => {other}" for module, other in replaced.items()]
    (folder / "go.mod").write_text("\n".join(lines) + "\n")


def copy(source: Path, target: Path) -> None:
    """Copy a file or a tree so that it can be changed: the module cache is read-only."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, copy_function=shutil.copyfile)
        for folder in [target, *target.rglob("*")]:
            if folder.is_dir():
                folder.chmod(0o755)
    else:
        shutil.copyfile(source, target)


def replace_once(file: Path, old: str, new: str) -> None:
    """Patch one place, and say so if upstream has moved it."""
    text = file.read_text()
    if text.count(old) != 1:
        raise LabError(f"patch {file.name}: the place to change is there {text.count(old)} times: adapt gobuilds.py")
    file.write_text(text.replace(old, new))


def cut(file: Path, pattern: str, times: int = 1) -> None:
    """Take out the lines or passages that a pattern describes, as many as upstream has them."""
    text, found = re.subn(pattern, "", file.read_text(), flags=re.MULTILINE | re.DOTALL)
    if found != times:
        raise LabError(f"patch {file.name}: {pattern!r} is there {found} times, not {times}: adapt gotrims.py")
    file.write_text(text)
