"""The workflows as GitHub reads them: actionlint has nothing against any of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import ROOT, program

OURS, TEMPLATES = ROOT / ".github/workflows", ROOT / "examples/workflows"
"""The repository's own workflows, and those for an application's repository."""

BROKEN = {
    "unknown-event": ("on: psuh\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}}\n", "psuh"),
    "unknown-context": (
        "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'echo ${{ secret.TOKEN }}'}]}}\n",
        "secret",
    ),
    "missing-input": ("on: push\njobs: {a: {uses: ./.github/workflows/called.yml}}\n", "environment"),
}
CALLED = """\
on: {workflow_call: {inputs: {environment: {type: string, required: true}}}}
jobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}}
"""


def _project(folder: Path, workflows: Path) -> Path:
    """Lay workflows out as a repository of their own, and return their folder there."""
    (folder / ".git").mkdir()
    if workflows == OURS:
        # with the actions beside them, whose inputs are looked up
        shutil.copytree(OURS.parent, folder / ".github")
    else:
        shutil.copytree(workflows, folder / ".github/workflows")
    return folder / ".github/workflows"


def _workflows(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix in {".yml", ".yaml"})


def _findings(folder: Path) -> Iterator[str]:
    """Yield what actionlint has against the workflows of a folder; programs that few machines have are left out."""
    plain = ["-no-color", "-shellcheck=", "-pyflakes=", "-format={{json .}}"]
    done = subprocess.run(
        [program("actionlint"), *plain, *_workflows(folder)], capture_output=True, text=True, check=False
    )
    # 1 is its answer to findings.
    assert done.returncode in (0, 1), done.stderr
    for each in json.loads(done.stdout):
        yield f"{Path(each['filepath']).name}:{each['line']}:{each['column']}: {each['message']}"


def test_no_workflow_has_a_mistake(tmp_path: Path) -> None:
    """Each folder of workflows that is there holds some, and actionlint finds nothing in them."""
    for folder in filter(Path.is_dir, (OURS, TEMPLATES)):
        place = tmp_path / folder.parent.name
        place.mkdir()
        copied = _project(place, folder)
        assert _workflows(copied), f"{folder.relative_to(ROOT)} holds no workflow"
        assert not list(_findings(copied)), folder.relative_to(ROOT)


@pytest.mark.parametrize("name", BROKEN)
def test_mistake_is_found(tmp_path: Path, name: str) -> None:
    """An event or a value that there is not, and an input that a called workflow asks for: the test above can fail."""
    workflow, named = BROKEN[name]
    (tmp_path / "mistaken").mkdir()
    (tmp_path / "mistaken" / f"{name}.yml").write_text(workflow)
    (tmp_path / "mistaken" / "called.yml").write_text(CALLED)
    (tmp_path / "repository").mkdir()
    (found,) = _findings(_project(tmp_path / "repository", tmp_path / "mistaken"))
    assert found.startswith(f"{name}.yml:")
    assert named in found
