"""A folder's digest tells content apart, and nothing that differs between machines."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from planera_ci.pipeline.content import digest_of


def folder(place: Path) -> Path:
    (place / "src").mkdir(parents=True)
    (place / "src/app.py").write_text("print('tea')\n")
    (place / "run").write_text("#!/bin/sh\n")
    (place / "run").chmod(0o755)
    (place / "link").symlink_to("run")
    return place


@pytest.mark.parametrize(
    "change",
    [
        lambda f: os.utime(f / "src/app.py", (0, 0)),
        lambda f: (f / "src/app.py").chmod(0o664),
        lambda f: (f / "src").chmod(0o775),
        lambda f: (f / "empty").mkdir(),
    ],
    ids=["times", "umask of a file", "umask of a folder", "empty folder"],
)
def test_what_differs_between_machines_does_not_count(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """Two checkouts of one commit have one digest."""
    other = folder(tmp_path / "b")
    change(other)
    assert digest_of(folder(tmp_path / "a")) == digest_of(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: (f / "src/app.py").write_text("print('coffee')\n"),
        lambda f: (f / "src/app.py").rename(f / "src/main.py"),
        lambda f: (f / "src/app.py").chmod(0o755),
        lambda f: (f / "new").write_text(""),
        lambda f: (f / "link").unlink(),
        lambda f: ((f / "link").unlink(), (f / "link").symlink_to("src")),
    ],
    ids=["bytes", "name", "can be run", "new file", "file gone", "where a link leads"],
)
def test_what_an_image_can_hold_counts(tmp_path: Path, change: Callable[[Path], None]) -> None:
    """A change that a build can see gives another digest."""
    other = folder(tmp_path / "b")
    change(other)
    assert digest_of(folder(tmp_path / "a")) != digest_of(other)
