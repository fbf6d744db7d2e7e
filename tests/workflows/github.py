"""What GitHub knows when it starts a run: the repository, what happened, the secrets of each environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.workflows.shell import git

SERVER = "https://github.example"
POWERLESS = "token-that-may-do-nothing"
"""What a job gets that asks for no right that the token here could have."""


@dataclass(frozen=True)
class Repository:
    """A repository, with the settings that stand beside its code."""

    slug: str
    folder: Path
    """A clone with a working tree; its `main` is what GitHub has."""
    token: str = POWERLESS
    """The token of a job that may write packages."""
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Secrets of each environment; an empty one is not set."""

    @property
    def owner(self) -> str:
        return self.slug.partition("/")[0]

    @property
    def head(self) -> str:
        return git(self.folder, "rev-parse", "main")


@dataclass(frozen=True)
class Event:
    """Something that starts a run: what it is called, of which commit, what it says."""

    name: str
    ref: str
    sha: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def ref_name(self) -> str:
        return self.ref.removeprefix("refs/").partition("/")[2]


def pushed(repository: Repository) -> Event:
    """Return a push to main."""
    return Event("push", "refs/heads/main", repository.head, _payload(repository))


def dispatched(repository: Repository, **inputs: str) -> Event:
    """Return what happens when somebody starts a workflow on main by hand."""
    return Event("workflow_dispatch", "refs/heads/main", repository.head, _payload(repository), inputs)


def scheduled(repository: Repository) -> Event:
    """Return the hour of a workflow's schedule."""
    return Event("schedule", "refs/heads/main", repository.head, _payload(repository))


def proposed(repository: Repository, branch: str) -> Event:
    """Return a pull request from a branch; GitHub merges it with main for the run."""
    head = git(repository.folder, "rev-parse", branch)
    tree = git(repository.folder, "merge-tree", "--write-tree", "main", head).splitlines()[0]
    who = ("-c", "user.name=GitHub", "-c", "user.email=noreply@github.example")
    parents = ("-p", repository.head, "-p", head)
    merged = git(repository.folder, *who, "commit-tree", tree, *parents, "-m", f"Merge {head} into main")
    git(repository.folder, "update-ref", "refs/pull/7/merge", merged)
    payload = {**_payload(repository), "pull_request": {"number": 7, "head": {"sha": head}}}
    return Event("pull_request", "refs/pull/7/merge", merged, payload)


def _payload(repository: Repository, visibility: str = "private") -> dict[str, Any]:
    page = f"{SERVER}/{repository.slug}"
    about = {"full_name": repository.slug, "html_url": page, "clone_url": f"{page}.git", "visibility": visibility}
    return {"repository": about}
