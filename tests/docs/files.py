"""The documents of the repository, and what of it they may lead to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.docs.markdown import Markdown
from tests.texts import ROOT

_KEPT = {".github", ".ci"}
_LEFT_OUT = {"node_modules", "dist", "evidence", "sdk", "__pycache__"}
"""Folders that git ignores; so are those whose name begins with a dot, but for the ones above."""


@cache
def documents() -> tuple[Path, ...]:
    """Return every Markdown file."""
    return tuple(sorted(file for file in _files(ROOT) if file.suffix == ".md"))


def _files(root: Path) -> Iterator[Path]:
    for folder, inner, files in os.walk(root):
        inner[:] = [name for name in inner if name in _KEPT or not (name.startswith(".") or name in _LEFT_OUT)]
        yield from (Path(folder) / name for name in files)


@cache
def read(file: Path) -> Markdown:
    """Return a document."""
    return Markdown(file.read_text(encoding="utf-8"))


def fault(file: Path, target: str, root: Path = ROOT) -> str:
    """Return what is wrong with where a link of a file leads, or nothing; the internet is not asked."""
    if target.startswith(("https://", "http://", "mailto:")):
        return ""
    if target.startswith("["):
        return "has no definition"
    path, _, anchor = target.partition("#")
    place = Path(os.path.normpath(file.parent / path)) if path else file
    if not place.is_relative_to(root) or path.startswith("/"):
        return "leads out of the repository"
    if not place.exists():
        return "does not exist"
    if anchor and anchor not in (read(place).anchors if place.suffix == ".md" else ()):
        return "has no such heading"
    return ""
