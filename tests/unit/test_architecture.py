"""Layers with arrows in one direction: main → verbs → transition → pipeline, cluster → domain → errors."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
OURS = "planera_ci"

LAYERS = {
    "errors": set(),
    "domain": {"domain", "errors"},
    "pipeline": {"tasks", "pipeline", "domain", "errors"},
    "tasks": {"errors"},
    "cluster": {"cluster", "domain", "tasks", "errors"},
    "choices": {"domain", "errors"},
    "arguments": {"choices", "domain", "errors"},
    "told": {"errors"},
    "inspection": {"choices", "pipeline", "cluster", "domain", "errors"},
    "granting": {"pipeline", "cluster", "domain"},
    "restoration": {"cluster", "domain", "errors"},
    "aftermath": {"pipeline", "cluster", "domain", "errors"},
    "options": set(),
    "mending": {"pipeline", "cluster", "domain", "errors"},
    "transition": {
        *("aftermath", "mending", "options", "restoration", "inspection"),
        *("tasks", "pipeline", "cluster", "domain", "errors"),
    },
    "deployment": {
        *("transition", "options", "restoration", "inspection"),
        *("tasks", "choices", "pipeline", "cluster", "domain", "errors"),
    },
    "rotation": {
        *("deployment", "restoration", "pipeline", "cluster", "domain", "errors"),
    },
    "data": {
        *("inspection", "restoration", "pipeline", "cluster", "domain", "errors"),
    },
    "wiring": {
        *("arguments", "data", "deployment", "options", "pipeline", "cluster", "domain", "errors"),
    },
    "verbs": {
        *("arguments", "wiring", "deployment", "tasks", "pipeline", "domain", "errors"),
    },
    "job": {
        *("arguments", "verbs", "wiring", "inspection", "choices", "pipeline", "domain", "errors"),
    },
    "serving": {
        *("arguments", "choices", "told", "wiring", "job", "verbs", "pipeline", "domain"),
    },
    "checking": {"arguments", "told", "verbs", "wiring", "pipeline"},
    "looking": {
        *("arguments", "told", "wiring", "inspection", "choices", "pipeline", "domain", "errors"),
    },
    "keeping": {
        *("arguments", "told", "wiring", "choices", "pipeline", "domain", "errors"),
    },
    "main": {
        *(
            "arguments",
            "told",
            "wiring",
            "verbs",
            "inspection",
            "granting",
            "looking",
            "keeping",
            "serving",
            "checking",
            "rotation",
        ),
        *("choices", "pipeline", "cluster", "domain", "errors"),
    },
    "": {"main"},
}
"""For each part of the package, the parts that it may import."""

PURE = {
    *("__future__", "collections", "contextlib", "copy", "dataclasses", "enum", "functools", "itertools", "operator"),
    *("typing", "types", "re", "string", "textwrap", "math", "json", "zlib", "base64", "hashlib", "datetime"),
    *("urllib.parse", "yaml", "pydantic", "tomllib", "shlex"),
}
"""What domain may import: nothing that reads a clock, a file, a network or chance."""

IMPURE_CALLS = {"now", "today", "utcnow", "open", "print", "input", "eval", "exec"}

FILES = sorted(SOURCE.rglob("*.py"))


def _name(file: Path) -> str:
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _part(module: str) -> str:
    """Return the part of the package that a module belongs to."""
    return module.split(".")[1] if "." in module else ""


@cache
def _imports(file: Path) -> tuple[str, ...]:
    """Return the modules that a file imports anywhere, in functions and for type checkers too."""
    return tuple(_imported(file))


def _imported(file: Path) -> Iterator[str]:
    modules = {_name(each) for each in FILES}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name the whole module"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in modules else str(node.module)


def _within(part: str) -> list[Path]:
    return [file for file in FILES if _part(_name(file)) == part]


def _outside(part: str) -> set[str]:
    """Return the packages of others that a part imports; one of which it imports but a pure module, as that module."""
    names = {name for file in _within(part) for name in _imports(file)}
    return {name if name in PURE else name.split(".")[0] for name in names} - {OURS}


def test_every_part_has_its_place() -> None:
    """A new part of the package is put into the picture before it is used."""
    assert {_part(_name(file)) for file in FILES} <= LAYERS.keys()


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_imports_point_down(file: Path) -> None:
    """A module imports only from its own part or from parts below it."""
    allowed = LAYERS[_part(_name(file))]
    upward = [name for name in _imports(file) if name.startswith(f"{OURS}.") and _part(name) not in allowed]
    assert not upward


def test_modules_import_each_other_in_no_circle() -> None:
    """Modules can be read in an order in which each needs only earlier ones."""
    modules = {_name(file) for file in FILES}
    graph = {_name(file): {name for name in _imports(file) if name in modules} for file in FILES}
    assert list(graphlib.TopologicalSorter(graph).static_order())


def test_domain_imports_only_what_is_pure() -> None:
    """Rules are functions from values to values: no I/O, no clock, no chance, no client library."""
    assert _outside("domain") <= PURE
    assert "urllib.parse" in _outside("domain"), "a module is told from the package around it, which opens connections"
    assert _outside("errors") == {"__future__"}


@pytest.mark.parametrize("file", _within("domain"), ids=_name)
def test_domain_calls_nothing_impure(file: Path) -> None:
    """A module that may be imported can still be asked for the time: it is not."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in IMPURE_CALLS, f"line {node.lineno}"


@pytest.mark.parametrize(
    ("part", "foreign"),
    [
        ("cluster", {"dagger"}),
        ("pipeline", {"kubernetes", "urllib3"}),
        ("main", {"kubernetes", "urllib3", "httpx"}),
        ("choices", {"kubernetes", "urllib3", "httpx"}),
        ("arguments", {"kubernetes", "urllib3", "httpx"}),
        ("told", {"kubernetes", "urllib3", "httpx"}),
        ("granting", {"kubernetes", "urllib3", "httpx"}),
        ("looking", {"kubernetes", "urllib3", "httpx"}),
        ("checking", {"kubernetes", "urllib3", "httpx"}),
        ("keeping", {"kubernetes", "urllib3", "httpx"}),
        ("data", {"dagger", "kubernetes", "urllib3", "httpx"}),
        ("wiring", {"kubernetes", "urllib3", "httpx"}),
        ("deployment", {"kubernetes", "urllib3", "httpx"}),
        ("rotation", {"dagger", "kubernetes", "urllib3", "httpx"}),
        ("inspection", {"kubernetes", "urllib3", "httpx"}),
        ("mending", {"dagger", "kubernetes", "urllib3", "httpx"}),
        ("restoration", {"dagger", "kubernetes", "urllib3", "httpx"}),
        ("aftermath", {"dagger", "kubernetes", "urllib3", "httpx"}),
        ("transition", {"dagger", "kubernetes", "urllib3", "httpx"}),
    ],
)
def test_client_libraries_stay_where_they_belong(part: str, foreign: set[str]) -> None:
    """Only cluster knows Kubernetes, and it knows nothing of Dagger."""
    assert _within(part), "the part exists"
    assert not _outside(part) & foreign


def test_cluster_is_what_imports_kubernetes() -> None:
    """The test above would see the import if there were one."""
    assert "kubernetes" in _outside("cluster")
    assert "dagger" in _outside("pipeline")


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_source_knows_nothing_of_the_lab(file: Path) -> None:
    """The module is the same whether a lab or a cloud is around it."""
    assert not [name for name in _imports(file) if name.split(".")[0] in {"lab", "planera_lab", "tests"}]
