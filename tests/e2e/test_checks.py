"""`checks`: what this repository has to pass, in containers that keep their answers."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from planera_ci.domain.checks import CHECKS
from tests.e2e.calls import Outcome, called
from tests.e2e.harness import ROOT, dagger, run
from tests.e2e.site import Site, own_site
from tests.workflows.shell import git

CALLS = (("checks", "--repo=clone", "--only=lint"),)
"""What is typed here, for tests/e2e/test_cli.py."""
NAMES = [check.name for check in CHECKS]
LINE = re.compile(r"^\s+(?P<name>[a-z]+)\s+(?P<outcome>passed|failed)  [\d.]+ s(?P<kept>  unchanged)?$", re.MULTILINE)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what git knows of this repository, and what it would."""
    folder = tmp_path_factory.mktemp("clone")
    for name in run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a copy of this repository as GitHub has it; nothing is deployed from it."""
    return own_site(f"t{secrets.token_hex(3)}", tmp_path_factory.mktemp("site"), environments=())


@pytest.fixture
def planted(clone: Path) -> Iterator[Path]:
    """Plant a line that ruff refuses, a link that leads nowhere, and a workflow that GitHub would not run."""
    # In places that the tests of the rules do not read: they take long, and would all run again.
    unused, workflow = clone / "lab/tests/test_planted.py", clone / "examples/workflows/planted.yml"
    document = clone / "docs/troubleshooting.md"
    before = document.read_text()
    document.write_text(f"{before}\n[Nowhere](nowhere.md)\n")
    unused.write_text('"""Planted."""\n\nimport os\n')
    workflow.write_text("on: psuh\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}}\n")
    yield clone
    unused.unlink()
    workflow.unlink()
    document.write_text(before)


def _checks(*words: str) -> Outcome:
    return called(words, os.environ)


def _found(text: str) -> dict[str, tuple[str, bool]]:
    """Return each check's outcome, and whether its answer was kept from before."""
    return {match["name"]: (match["outcome"], bool(match["kept"])) for match in LINE.finditer(text)}


def test_repository_passes_and_its_answers_are_kept() -> None:
    """Every check passes as the repository is, and a second call runs none of them again."""
    first = dagger("call", "checks")
    assert first.code == 0, first.err[-6000:]
    assert {name: outcome for name, (outcome, _) in _found(first.out).items()} == dict.fromkeys(NAMES, "passed")
    again = dagger("call", "checks")
    assert again.code == 0, again.err[-6000:]
    assert _found(again.out) == dict.fromkeys(NAMES, ("passed", True))


def test_dagger_check_is_the_same() -> None:
    """`dagger check` finds the function and runs it."""
    assert re.search(r"^planera-ci:checks\b", dagger("check", "-l").out, re.MULTILINE)
    outcome = dagger("check")
    assert outcome.code == 0, outcome.err[-6000:]


def test_changed_document_concerns_the_documents_alone(clone: Path) -> None:
    """Where only a document differs, the check of documents runs, and all others keep their answers."""
    document = clone / "docs/security.md"
    document.write_text(f"{document.read_text()}\nOne more line.\n")
    outcome = dagger("call", "checks", f"--repo={clone}")
    assert outcome.code == 0, outcome.err[-6000:]
    assert _found(outcome.out) == {name: ("passed", name != "docs") for name in NAMES}


def test_each_mistake_is_told_with_its_check(planted: Path) -> None:
    """One error names every check that failed, with what it found and where; the others are not hidden."""
    names = ("types", "docs", "workflows", "lint")
    outcome = dagger("call", "checks", f"--repo={planted}", f"--only={','.join(names)}")
    assert outcome.code == 1
    assert "planera-ci: check planera-ci: lint, workflows, docs failed. Run one alone by" in outcome.err
    told = _found(outcome.err)
    assert {name: result for name, (result, _) in told.items()} == {
        **dict.fromkeys(("lint", "workflows", "docs"), "failed"),
        "types": "passed",
    }
    for sign in ("F401", "lab/tests/test_planted.py:3", "planted.yml:1:5", "psuh", "nowhere.md does not exist"):
        assert sign in outcome.err, sign


def test_job_of_a_pull_request_shows_the_line_that_failed(planted: Path, tmp_path: Path) -> None:
    """The same checks by `ci`: its folder has the exit code, each outcome, and an annotation at the first mistake."""
    job = tmp_path / "job"
    outcome = dagger("call", "ci", "--verb=checks", f"--repo={planted}", "-o", str(job))
    assert outcome.code == 0, outcome.err[-6000:]
    assert (job / "code").read_text() == "1\n"
    told = _found((job / "report.txt").read_text())
    assert {name for name, (result, _) in told.items() if result == "failed"} == {"lint", "workflows", "docs"}
    assert (job / "annotations").read_text().startswith("::error file=lab/tests/test_planted.py,line=3,title=")
    assert "| lint |" in (job / "summary.md").read_text()
    assert "checks" in (job / "report.txt").read_text().rpartition("The same failure on a laptop:")[2]


def test_checks_of_a_pull_request_name_the_one_that_failed(site: Site) -> None:
    """Each check is in the summary, and one that fails hides no other. The tests among them are emptied here."""
    git(site.folder, "checkout", "-q", "-b", "unclean")
    for folder in ("unit", "manifests", "workflows", "docs"):
        for file in (site.folder / "tests" / folder).rglob("test_*.py"):
            file.write_text('def test_nothing() -> None:\n    """Nothing is looked at."""\n')
    site.edit(
        "src/planera_ci/tasks.py",
        "from __future__ import annotations\n",
        "from __future__ import annotations\nimport os",
    )
    commit = site.commit("imports what it does not use")
    git(site.folder, "checkout", "-q", "main")
    seen = site.runs("checks.yml", site.proposal("unclean"), "checks")
    assert (seen.state, seen.code, seen.environment) == ("failure", 1, "")
    outcomes = dict(re.findall(r"^\| (\w+) \| [\d.]+ \| (\w+)", seen.summary, re.MULTILINE))
    assert outcomes.pop("lint") == "failed"
    assert outcomes == dict.fromkeys(("types", "unit", "manifests", "workflows", "docs"), "passed")
    assert "F401" in seen.summary
    assert f"dagger call --at {commit} checks" in seen.summary
    assert [note.level for note in seen.annotations] == ["error"]


def test_commit_is_checked_as_git_has_it() -> None:
    """A commit can be checked whatever lies in the folder, as the command says that a failed CI job prints."""
    commit = run(["git", "rev-parse", "HEAD"]).strip()
    outcome = _checks(f"--at={commit}", "checks", "--only=lint")
    assert outcome.code == 0, outcome.err[-6000:]
    assert _found(outcome.out).keys() == {"lint"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--only=style",), "read --only style: there is no such check. Give lint, types, unit, manifests, workflows"),
        ((f"--repo={ROOT}/k8s",), "check planera-ci: --repo has no pyproject.toml. Pass a clone of planera-ci"),
    ],
    ids=["unknown-check", "another-folder"],
)
def test_bad_input_is_told_in_a_sentence(words: tuple[str, ...], sentence: str) -> None:
    """A name that no check has, and a folder that is no clone of this repository."""
    outcome = _checks("checks", *words)
    assert outcome.code == 1
    assert f"Error: planera-ci: {sentence}" in outcome.err
