"""The settings of the module: versions that must agree, and what is sent to the engine."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dagger() -> Any:
    """Return the module's dagger.json."""
    return json.loads((ROOT / "dagger.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project() -> Any:
    """Return the module's pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_engine_and_sdk_are_of_one_version(dagger: Any, project: Any) -> None:
    """The client that the module imports speaks the language of the engine that runs it."""
    [pin] = [entry for entry in project["project"]["dependencies"] if entry.startswith("dagger-io")]
    assert pin == f"dagger-io=={dagger['engineVersion'].removeprefix('v')}"


def test_lock_file_holds_the_same_sdk(dagger: Any) -> None:
    """What is installed in the engine is what is named here."""
    locked = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    versions = [package["version"] for package in locked if package["name"] == "dagger-io"]
    assert versions == [dagger["engineVersion"].removeprefix("v")]


def test_only_the_module_itself_is_sent_to_the_engine(dagger: Any) -> None:
    """Tests, lab and example do not travel with the module, and their changes do not rebuild it."""
    first, *rest = dagger["include"]
    assert first == "!**"
    assert set(rest) == {"src/**", "pyproject.toml", "uv.lock"}


def test_imports_are_declared(project: Any) -> None:
    """Every package of others that the module imports is one of its dependencies."""
    declared = {re.split(r"[<>=!~]", entry)[0].replace("-", "_") for entry in project["project"]["dependencies"]}
    named = {"dagger_io": "dagger", "pyyaml": "yaml", "websocket_client": "websocket"}
    known = {named.get(name, name) for name in declared} | {"planera_ci"}
    imported = {
        match[1]
        for file in (ROOT / "src").rglob("*.py")
        for match in re.finditer(r"^\s*(?:from|import) (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert imported - sys.stdlib_module_names - known == set()


def test_tests_are_strict(project: Any) -> None:
    """A warning, an unknown marker or a test that passes against its mark fails the run."""
    settings = project["tool"]["pytest"]["ini_options"]
    assert settings["filterwarnings"][0] == "error"
    assert {"--strict-markers", "--strict-config"} <= set(settings["addopts"])
    assert settings["xfail_strict"] is True


def test_every_exception_to_the_linter_has_its_reason() -> None:
    """A rule that is switched off says why beside it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("[tool.ruff.lint]\n")[2].partition("\n]")[0].partition("ignore = [\n")[2]
    assert block
    for line in block.splitlines():
        assert "#" in line, line


def test_mypy_is_strict(project: Any) -> None:
    """Types are checked to the full."""
    assert project["tool"]["mypy"]["strict"] is True
