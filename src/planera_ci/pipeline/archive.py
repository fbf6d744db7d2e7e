"""A backup as a file: read and checked as a whole, handed over in pieces, never held in memory."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from planera_ci.domain.backup import ABOUT, DUMP, MAGIC, SUMS, About, about, fault_of, sums
from planera_ci.domain.report import size
from planera_ci.errors import DataError

_CHUNK = 256 * 1024
_MOST_TEXT = 64 * 1024


@dataclass(frozen=True)
class Backup:
    """A backup that is whole."""

    path: Path
    about: About
    offset: int
    """Where in the file the dump begins."""
    size: int
    checksum: str

    def text(self) -> str:
        """Say in one line what it is of, and how large."""
        return f"{self.about.text()}: {size(self.size)}"

    def dump(self) -> Iterator[bytes]:
        """Yield the dump in pieces."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            left = self.size
            while left and (data := file.read(min(_CHUNK, left))):
                left -= len(data)
                yield data


def opened(path: Path, act: str, remedy: str) -> Backup:
    """Return a backup whose structure and checksums are right; refuse any other."""
    try:
        return _opened(path)
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise DataError(act, f"the file cannot be used: {error}", remedy) from error


def _opened(path: Path) -> Backup:
    with tarfile.open(path, "r:") as tar:
        members = {member.name: member for member in tar.getmembers() if member.isreg()}
        names = tar.getnames()
        texts = {name: _text(tar, members[name]) for name in (ABOUT, SUMS) if name in members}
        wanted = sums(texts.get(SUMS, ""))
        found, start = {}, b""
        for name in (ABOUT, DUMP):
            if name in members:
                found[name], begins = _sum(tar, members[name])
                start = begins if name == DUMP else start
    fault = fault_of(names if len(members) == len(names) else (), wanted, found, start)
    if fault:
        raise ValueError(fault)
    dump = members[DUMP]
    return Backup(path, about(texts[ABOUT]), dump.offset_data, dump.size, wanted[DUMP])


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    stream = tar.extractfile(member)
    return stream.read(_MOST_TEXT).decode(errors="replace") if stream else ""


def _sum(tar: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[str, bytes]:
    """Return a member's checksum and how it begins."""
    digest, start = hashlib.sha256(), b""
    stream = tar.extractfile(member)
    while stream and (data := stream.read(_CHUNK)):
        start = start or data[: len(MAGIC)]
        digest.update(data)
    return digest.hexdigest(), start
