"""The changes that are deployed: what a team does on a day, each as an edit of a fresh copy of the example."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.harness import App

Edit = Callable[[App, str], None]

FIRST, NOTHING, ROLLBACK, FAILING, TRIED = (
    *("first ever", "nothing changed", "rollback"),
    *("failing image", "failing image, in the smoke test too"),
)


@dataclass(frozen=True)
class Case:
    """One change: its name, and the edit with a mark that no other round has."""

    name: str
    edit: Edit


def nothing(_app: App, _mark: str) -> None:
    """Leave everything as it is."""


def backend(app: App, mark: str) -> None:
    _append(app.source / "backend/planera_backend/__init__.py", f"\n# {mark}\n")


def frontend(app: App, mark: str) -> None:
    _append(app.source / "frontend/src/main.js", f'\nconsole.debug("{mark}");\n')


def manifest(app: App, mark: str) -> None:
    """Change a setting that the backend reads: its pods roll, nothing is built."""
    app.edit("k8s/staging/kustomization.yaml", "      - LOG_LEVEL=", f"      - BENCH={mark}\n      - LOG_LEVEL=")


def dependencies(app: App, mark: str) -> None:
    """Change the file that the backend's dependencies are installed from: they are installed anew."""
    _append(app.source / "backend/requirements.txt", f"# {mark}\n")


def everything(app: App, mark: str) -> None:
    """Make an application of which no layer is in a cache, but for the base images."""
    dependencies(app, mark)
    backend(app, mark)
    frontend(app, mark)
    app.edit("app/frontend/package.json", '"private": true', f'"private": true,\n  "description": "{mark}"')


def crashing(app: App, mark: str) -> None:
    """Have the backend end at its start, wherever it runs."""
    start = app.source / "backend/planera_backend/__main__.py"
    start.write_text(f'raise SystemExit("no chair for me: {mark}")\n')


CHANGES = (
    Case(NOTHING, nothing),
    Case("one line of the backend", backend),
    Case("one line of the frontend", frontend),
    Case("manifest only", manifest),
    Case("a dependency of the backend", dependencies),
)
NAMES = (FIRST, *(case.name for case in CHANGES), ROLLBACK, FAILING, TRIED)


def _append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)
