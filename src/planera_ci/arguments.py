"""Arguments that several verbs share, with their words for the help and their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol

import dagger
from dagger import DefaultPath, Doc, Ignore

from planera_ci.choices import Format
from planera_ci.errors import ConfigError

if TYPE_CHECKING:
    from planera_ci.domain.report import Report

_NOT_GITS = [
    *(".git", ".venv", ".env", "*.kubeconfig", "evidence", "sdk"),
    *("**/__pycache__", "**/.*_cache", "**/node_modules", "**/dist"),
]
"""What git ignores, so that it is not even sent to the engine."""
LEFT_OUT = ["**/node_modules", "**/.venv", "**/__pycache__"]
"""What no build needs."""
_LONGEST, _MOST_LINES, _MOST_HOURS = 3600, 10_000, 720

Env = Annotated[str, Doc("Environment, a folder of the manifests: staging, production, or one of planera.toml's")]
Tried = Annotated[str, Doc("Environment whose manifests say how it runs; default: the first that is built for")]
Commit = Annotated[
    str,
    Doc("Commit that names this state of the source, 7 to 64 hexadecimal digits; default: git's HEAD of the source"),
]
Shown = Annotated[Format, Doc("Report for people (text) or for programs (json)")]
Wait = Annotated[int, Doc("Seconds to wait for the environment's lock while another run holds it, 0 to 3600")]
Within = Annotated[int, Doc("Seconds that each wave of workloads may take to roll out, 1 to 3600")]
Undo = Annotated[bool, Doc("Put the last good release back if this one fails; false leaves it to be looked at")]
To = Annotated[int, Doc("Revision to put back, as history numbers it; 0 is the last good one before")]
Failed = Annotated[int, Doc("Failed revision; 0 is the newest that has evidence")]
Confirm = Annotated[str, Doc("Phrase that says production is meant: deploy-to-production; staging needs none")]
Key = Annotated[str, Doc("Key of the application's Secret, such as jwt-secret; jwt-secret-previous with --drop")]
NewValue = Annotated[dagger.Secret | None, Doc("New value, such as env://NEW_KEY; generated if it is not given")]
Drop = Annotated[bool, Doc("Refuse the value before in the end, as after a leak; with KEY-previous, do only that")]
ConfirmRotation = Annotated[str, Doc("Phrase that says production is meant: rotate-production; staging needs none")]
Promoted = Annotated[
    str, Doc("Release to promote to production, a commit as staging's history names it; default: that of --commit")
]
Hours = Annotated[int, Doc("Hours until the token ends, 1 to 720; the cluster may give less")]
Lines = Annotated[int, Doc("Lines from the end of each log, 1 to 10000")]
Repo = Annotated[
    dagger.Directory, DefaultPath("/"), Ignore(_NOT_GITS), Doc("Clone of planera-ci to check; default: this one")
]
Only = Annotated[
    list[str] | None, Doc("Checks to run: lint, types, unit, manifests, workflows, docs, by commas; default: all")
]


class Settings(Protocol):
    """The module's own arguments."""

    example: dagger.Directory
    git: dagger.GitRepository
    stock: dagger.Directory
    manifests: dagger.Directory | None
    source: dagger.Directory | None
    name: str
    owner: str
    registry: str
    user: str
    token: dagger.Secret | None
    kubeconfig: dagger.Secret | None
    cluster: dagger.Service | None
    run: str
    jwt: dagger.Secret | None
    at: str


def checked_seconds(flag: str, given: int, *, least: int = 1) -> float:
    """Return the seconds to wait; refuse what is out of range."""
    if not least <= given <= _LONGEST:
        raise ConfigError(f"read --{flag} {given}", "it is out of range", f"give {least} to {_LONGEST} seconds")
    return float(given)


def checked_lines(given: int) -> int:
    """Return the lines to read; refuse what is out of range."""
    if not 1 <= given <= _MOST_LINES:
        raise ConfigError(f"read --lines {given}", "it is out of range", f"give 1 to {_MOST_LINES}")
    return given


def checked_hours(given: int) -> int:
    """Return the hours that a token lasts, in seconds."""
    if not 1 <= given <= _MOST_HOURS:
        raise ConfigError(f"read --hours {given}", "it is out of range", f"give 1 to {_MOST_HOURS}")
    return given * 3600


def shown_as(report: Report, shown: Format) -> str:
    """Return a report for people or for programs."""
    return report.json() if shown is Format.JSON else report.text()
