"""The digest of a folder's content, the same on every machine and engine.

The engine's own digest of a folder inside a folder was seen to differ between two engines, and between
two states of one; and it holds the modes that a umask decides. Here count: each path, whether a file can
be run, and its bytes, or where a link leads.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

import anyio.to_thread
import dagger


async def content_of(folder: dagger.Directory) -> str:
    """Return the digest of a folder's content."""
    with tempfile.TemporaryDirectory() as place:
        await folder.export(place)
        return await anyio.to_thread.run_sync(digest_of, Path(place))


def digest_of(folder: Path) -> str:
    """Return the digest of a folder on this machine."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            kind, inner = "link", hashlib.sha256(str(path.readlink()).encode()).hexdigest()
        elif path.is_file():
            with path.open("rb") as file:
                inner = hashlib.file_digest(file, "sha256").hexdigest()
            kind = "program" if path.stat().st_mode & 0o100 else "file"
        else:
            continue  # an empty folder is none to git either
        total.update(f"{kind} {inner} {name}\0".encode())
    return f"sha256:{total.hexdigest()}"
