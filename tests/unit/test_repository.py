"""What is true of the files themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.texts import MACHINE_PATH, ROOT, UNFINISHED, places, shown

from planera_ci import errors

SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST = 300
"""Lines of a file of src: what one sitting can read."""

TEXT = {".py", ".yaml", ".yml", ".toml", ".json", ".sh", ".sql", ".ts", ".tsx", ".css", ".html", ""}
FOLDERS = ("src", "tests", "k8s", ".ci", ".github")


def _files() -> Iterator[Path]:
    """Yield the text files of the module itself but Markdown; the lab and the example have tests of their own."""
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and file.suffix in TEXT and "__pycache__" not in file.parts:
                yield file
    yield from (file for file in sorted(ROOT.iterdir()) if file.suffix == ".json")


@cache
def _nodes(file: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def _functions(file: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in _nodes(file) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _called(file: Path) -> Iterator[str]:
    """Yield the dotted names that a file uses."""
    yield from (ast.unparse(node) for node in _nodes(file) if isinstance(node, ast.Attribute))


@pytest.mark.parametrize("pattern", [UNFINISHED, MACHINE_PATH], ids=["unfinished", "machine-path"])
def test_no_file_holds_what_belongs_elsewhere(pattern: re.Pattern[str]) -> None:
    """No reminder of work left over is kept in a file, and no path of the machine that it was written on."""
    assert not places(pattern, _files())


def test_patterns_find_what_they_look_for() -> None:
    """The test above can fail."""
    assert UNFINISHED.search("# " + "TO" + "DO: later")
    assert MACHINE_PATH.search("open('" + "/wo" + "rk/main/x')")
    assert MACHINE_PATH.search("/ro" + "ot/.kube/config")
    assert not MACHINE_PATH.search("https://example.com/work/x")


@pytest.mark.parametrize("file", SOURCES, ids=shown)
def test_source_file_is_of_a_size_to_be_read(file: Path) -> None:
    """A file that grows beyond a sitting is split, and each begins by saying what it is for."""
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("file", TESTS, ids=shown)
def test_no_test_is_left_out(file: Path) -> None:
    """A test that does not run proves nothing: there is no way to leave one out."""
    left_out = {"pytest." + "skip", "pytest.mark." + "skip", "pytest.mark." + "skipif", "pytest." + "importorskip"}
    left_out |= {"pytest." + "xfail", "pytest.mark." + "xfail"}
    assert not left_out & set(_called(file))


@pytest.mark.parametrize("file", TESTS, ids=shown)
def test_no_test_waits_for_a_time(file: Path) -> None:
    """Time passes differently on every machine; what is waited for is an event, with a bound."""
    assert not [name for name in _called(file) if name.endswith("." + "sleep")]


@pytest.mark.parametrize("file", TESTS, ids=shown)
def test_every_test_states_its_claim(file: Path) -> None:
    """A test's docstring is one line that says what must be true."""
    for function in _functions(file):
        if function.name.startswith("test_"):
            claim = ast.get_docstring(function) or ""
            assert claim.endswith("."), function.name
            assert len(claim.splitlines()) == 1, function.name


def test_every_error_is_used() -> None:
    """An error class that nothing makes, itself or from a table, would be a promise that nothing keeps."""
    nodes = [node for file in SOURCES for node in _nodes(file)]
    called = [node.func for node in nodes if isinstance(node, ast.Call)]
    listed = [value for node in nodes if isinstance(node, ast.Dict) for value in node.values]
    made = {node.id for node in (*called, *listed) if isinstance(node, ast.Name)}
    classes = {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.PlaneraError)}
    bases = {base for cls in classes for base in cls.__bases__}
    assert {cls.__name__ for cls in classes - bases} <= made
