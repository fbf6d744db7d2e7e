"""The commit's date, from objects that the git program itself has written."""

from __future__ import annotations

import os
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from planera_ci.domain.gitobject import committed_at

AUTHORED, COMMITTED = "2026-11-20T10:00:00+01:00", "2026-11-23T08:30:15+02:00"
EXPECTED = "2026-11-23T06:30:15Z"


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """Run git in a repository of its own, untouched by the settings of this machine."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": str(tmp_path)}
    who = {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in _PERSON.items()}
    dates = {"GIT_AUTHOR_DATE": AUTHORED, "GIT_COMMITTER_DATE": COMMITTED}

    def run(*arguments: str, at: str = "source") -> str:
        folder = tmp_path / at
        folder.mkdir(exist_ok=True)
        command = ["git", "-c", "init.defaultBranch=main", *arguments]
        done = subprocess.run(command, cwd=folder, env=clean | own | who | dates, capture_output=True, check=True)
        return done.stdout.decode().strip()

    return run


_PERSON = {"NAME": "Ada > Lovelace", "EMAIL": "ada@example.com"}


@pytest.fixture
def source(git: Callable[..., str], tmp_path: Path) -> Path:
    """Make a repository with two commits; the message of the second imitates a header."""
    git("init")
    (tmp_path / "source" / "a").write_text("one")
    git("add", "a")
    git("commit", "-m", "first")
    (tmp_path / "source" / "a").write_text("committer x <x> 1 +0000\n" * 50)
    git("commit", "-am", "second\n\ncommitter Eve <eve@example.com> 1 +0000")
    return tmp_path / "source"


def _object(repository: Path, sha: str) -> bytes:
    return (repository / ".git" / "objects" / sha[:2] / sha[2:]).read_bytes()


def test_loose_commit_gives_its_committers_date(git: Callable[..., str], source: Path) -> None:
    """The date is the committer's, in UTC, and a message cannot forge it."""
    assert committed_at(_object(source, git("rev-parse", "HEAD"))) == EXPECTED


def test_checkout_of_depth_one_gives_the_date_from_its_pack(git: Callable[..., str], source: Path) -> None:
    """A shallow clone keeps its one commit at the start of a pack."""
    git("clone", "--depth=1", "--no-local", source.as_uri(), ".", at="clone")
    packs = list((source.parent / "clone" / ".git" / "objects" / "pack").glob("*.pack"))
    assert len(packs) == 1
    assert committed_at(packs[0].read_bytes()) == EXPECTED


def test_packed_repository_gives_the_date_of_its_newest_commit(git: Callable[..., str], source: Path) -> None:
    """A pack of a whole history begins with its newest commit."""
    git("gc", "--quiet")
    [pack] = (source / ".git" / "objects" / "pack").glob("*.pack")
    assert committed_at(pack.read_bytes()) == EXPECTED


@pytest.mark.parametrize("what", ["HEAD^{tree}", "HEAD:a"])
def test_object_that_is_no_commit_gives_nothing(git: Callable[..., str], source: Path, what: str) -> None:
    """A file that looks like a commit inside is a file all the same."""
    assert committed_at(_object(source, git("rev-parse", what))) == ""


def test_pack_without_a_commit_gives_nothing(git: Callable[..., str], source: Path) -> None:
    """A pack that begins with another object holds no date."""
    blob = git("rev-parse", "HEAD:a")
    (source / "list").write_text(blob + "\n")
    name = subprocess.run(
        ["git", "pack-objects", "alone"], cwd=source, input=blob.encode(), capture_output=True, check=True
    ).stdout.decode()
    assert committed_at((source / f"alone-{name.strip()}.pack").read_bytes()) == ""


@pytest.mark.parametrize(
    "data",
    [b"", b"PACK", b"PACK\0\0\0\2\0\0\0\1", b"PACK\0\0\0\2\0\0\0\1\x9f", b"no git", zlib.compress(b"commit 0\0")],
)
def test_bytes_that_are_cut_short_give_nothing(data: bytes) -> None:
    """A date that cannot be read is left out; it is no reason to stop a deployment."""
    assert committed_at(data) == ""
