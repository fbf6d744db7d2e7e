"""Folders with a role's own configuration and programs, laid over its read-only root."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

from planera_lab.settings import DNS_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from planera_lab.settings import Lab

LARGE = 1_000_000
RESOLV_CONF = f"nameserver {DNS_ADDRESS}\noptions timeout:2 attempts:3\n"


def layer(lab: Lab, role: str, files: Mapping[str, Path | str | bytes]) -> Path:
    """Lay out files (guest path: file to copy, or content) in a fresh folder; the same files give the same folder.

    The folder is the bottom of a mounted overlay while the role runs, which must not change: only a new
    content gets a new name.
    """
    digest = hashlib.sha256()
    for guest, content in sorted(files.items()):
        digest.update(f"\0{guest}\0{_identity(content)}".encode())
    folder = lab.run / role / f"layer-{digest.hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    made = folder.with_suffix(".new")
    shutil.rmtree(made, ignore_errors=True)
    for guest, content in files.items():
        target = made / guest.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        elif isinstance(content, str):
            target.write_text(content)
        else:
            _share(content, target)
    made.rename(folder)
    return folder


def _identity(content: Path | str | bytes) -> str:
    if isinstance(content, (str, bytes)):
        return repr(content)
    stat = content.stat()
    return f"{content} {stat.st_size} {stat.st_mtime_ns} {stat.st_mode}"


def _share(source: Path, target: Path) -> None:
    """Copy a file, or share a large program with the part it comes from where both are on one file system."""
    if source.stat().st_size < LARGE:
        shutil.copy2(source, target)
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def host_authorities(folder: Path) -> dict[str, Path]:
    """Return certificates that the host's administrator added (behind a TLS proxy): containers need them too."""
    return {f"/usr/local/share/ca-certificates/{file.name}": file for file in sorted(folder.glob("*.crt"))}
