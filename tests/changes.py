"""The files that differ from what the main branch has: in commits, in the working tree, and new ones."""

from __future__ import annotations

import subprocess
from pathlib import Path


def changed(root: Path) -> frozenset[str]:
    """Return their paths, of deleted ones too; a repository with one commit differs in what is not committed."""
    base = _base(root)
    differing = _git(root, "diff", "--name-only", "--no-renames", "-z", base)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return frozenset(filter(None, f"{differing}\0{new}".split("\0")))


def _base(root: Path) -> str:
    """Return the commit to compare with: where the branch left main; on main itself, the commit before the last."""
    head = _git(root, "rev-parse", "HEAD").strip()
    for command in (("merge-base", "origin/main", "HEAD"), ("rev-parse", "--verify", "HEAD~1")):
        done = _tried(root, *command)
        if done.returncode == 0 and done.stdout.strip() != head:
            return done.stdout.strip()
    return head


def _git(root: Path, *words: str) -> str:
    done = _tried(root, *words)
    done.check_returncode()
    return done.stdout


def _tried(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
