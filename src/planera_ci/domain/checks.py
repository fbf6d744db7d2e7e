"""What is checked of this repository: for each check, what it reads, the programs that it needs, and its commands.

A check is given nothing but what it reads. So its answer cannot depend on anything else, and is kept until
one of these files changes. The commands are those of the Makefile's target of the same name.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from planera_ci.domain.report import Step, listed, seconds
from planera_ci.errors import ChecksFailed, ConfigError, SourceError, last_lines

_PROGRESS = re.compile(r"^[.FEsxX]+ +\[ *\d+%\]$", re.MULTILINE)
_SHOWN = 40
"""Lines of what a failed check printed."""
_TESTED = ("pyproject.toml", "src/**", "tests/*.py")


@dataclass(frozen=True)
class Check:
    """A check, with patterns of the files that it reads."""

    name: str
    commands: tuple[str, ...]
    """Modules of Python with their arguments; each must end with 0."""
    reads: tuple[str, ...]
    programs: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """Packages of Debian."""


CHECKS = (
    Check("lint", ("ruff check .", "ruff format --check ."), ("**/*.py", "**/pyproject.toml", ".gitignore")),
    Check("types", ("mypy",), ("pyproject.toml", "src/**")),
    Check(
        "unit",
        ("pytest tests/unit tests/bench tests/downtime/test_counting.py -q",),
        # they look at every file of the module but its documents
        (*_TESTED, "tests/**", "k8s/**", ".github/**", ".ci/**", "Makefile", "*.json", "uv.lock"),
        packages=("git",),
    ),
    Check(
        "manifests",
        ("pytest tests/manifests -q",),
        (*_TESTED, "tests/manifests/**", "k8s/**", "examples/*/k8s/**"),
        ("kubectl", "kubeconform", "kube-score"),
    ),
    Check(
        "workflows",
        ("pytest tests/workflows -q",),
        (*_TESTED, "tests/workflows/**", ".github/**", "examples/workflows/**", "dagger.json"),
        ("actionlint",),
        ("git",),
    ),
    # a link may lead to any file
    Check("docs", ("pytest tests/docs -q",), ("**",)),
)


@dataclass(frozen=True)
class Result:
    """What came of a check: how long it took now, whether an earlier answer still held, and the end of its output."""

    name: str
    passed: bool
    seconds: float
    tail: str = ""
    kept: bool = False

    @property
    def text(self) -> str:
        """Show the outcome."""
        return f"{'passed' if self.passed else 'failed'}  {seconds(self.seconds)}{'  unchanged' if self.kept else ''}"


@dataclass(frozen=True)
class Pins:
    """What the containers of the checks are made of, as the repository says it."""

    image: str
    uv: str

    @classmethod
    def read(cls, project: str, versions: str) -> Pins:
        """Read the image from pyproject.toml and the rest from the file of versions."""
        try:
            return cls(tomllib.loads(project)["tool"]["dagger"]["base-image"], tomllib.loads(versions)["wheels"]["uv"])
        except (tomllib.TOMLDecodeError, KeyError) as error:
            raise SourceError(
                "read what the checks run in",
                f"pyproject.toml and lab/versions.toml do not say it: {error}",
                "correct them as they are in planera-ci",
            ) from error


def end_of(printed: str) -> str:
    """Return the end of what a check printed, without pytest's lines of dots."""
    return last_lines(_PROGRESS.sub("", printed), _SHOWN)


def chosen(only: Iterable[str]) -> tuple[Check, ...]:
    """Return the checks of these names in their own order, or all where none is named."""
    wanted = tuple(only)
    unknown = [name for name in wanted if name not in {check.name for check in CHECKS}]
    if unknown:
        raise ConfigError(
            f"read --only {unknown[0]}", "there is no such check", f"give {listed(check.name for check in CHECKS)}"
        )
    return tuple(check for check in CHECKS if check.name in wanted or not wanted)


def steps(results: Iterable[Result]) -> tuple[Step, ...]:
    """Return what came of every check as the steps of a report."""
    return tuple(Step(result.name, result.text, result.seconds) for result in results)


def failure(results: Iterable[Result]) -> ChecksFailed | None:
    """Return the one error that names every check that failed, or nothing where all passed."""
    results = tuple(results)
    failed = [result for result in results if not result.passed]
    if not failed:
        return None
    ends = [f"{result.name}:\n{result.tail}" for result in failed]
    return ChecksFailed(
        "check planera-ci",
        f"{listed(result.name for result in failed)} failed",
        f"run one alone by `dagger call checks --only {failed[0].name}`",
        tail="\n".join([*(f"{result.name:<9} {result.text}" for result in results), *ends]),
    )
