"""What a change can reach: by names in the sources, by verbs that a test calls, by folders for what is no Python."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

import pytest
from tests.changes import changed
from tests.imports import Graph, Reached
from tests.reach import FOLDERS, chosen, listed, reached, read, told, verbs
from tests.texts import ROOT

NO_VERB = {
    "tests/e2e/test_pod_security.py": "the manifests alone",
    "tests/e2e/test_room.py": "the manifests alone",
    "tests/e2e/test_start.py": "the digest that the engine gives the module",
}
"""Tests in those folders that neither call one nor drive a cluster by the module's own code."""

TOY = {
    "src/planera_ci/main.py": "from planera_ci import choices\n@object_type\nclass Main(Base):\n"
    "    @function\n    async def save(self) -> str:\n        from planera_ci.wiring import data_of\n"
    "        return data_of()\n"
    "    @function\n    async def look(self) -> str:\n        from planera_ci import wiring\n"
    "        return wiring.cluster_of()\n",
    "src/planera_ci/choices.py": "",
    "src/planera_ci/wiring.py": "from planera_ci.report import Report\ndef data_of():\n"
    "    from planera_ci.data import Data\n    return Report(Data())\ndef cluster_of():\n    return None\n",
    "src/planera_ci/report.py": "class Report:\n    pass\n",
    "src/planera_ci/data.py": "from planera_ci.dump import dump\nclass Data:\n    def backup(self):\n        dump()\n",
    "src/planera_ci/dump.py": "def dump():\n    pass\n",
    "src/planera_ci/lonely.py": "",
    "tests/e2e/conftest.py": "from tests.e2e.harness import App\n@fixture\ndef app():\n    return App()\n",
    "tests/e2e/harness.py": "from planera_ci.main import Main\nclass App:\n    module = Main()\n"
    "    def call(self, *words):\n        return words\n"
    "    def saved(self):\n        return self.call('save')\n",
    "tests/e2e/test_save.py": "def test_save(app):\n    app.saved().backup\n",
    "tests/e2e/test_look.py": "def test_look(app):\n"
    "    assert app.call('look').save['save'] == 'save' not in {'save'}\n",
    "tests/e2e/test_shell.py": "def test_shell():\n    run('dagger call save --env x > things/written.yaml')\n",
    "tests/unit/test_report.py": "from planera_ci.report import Report\nR = Report()\n",
    "lab/tests/test_lab.py": "",
    "tests/workflows/test_files.py": "",
    "tests/docs/test_links.py": "",
}


def _known(graph: Graph) -> dict[str, Reached]:
    return {test: reached(graph, test) for test in listed(graph)}


@cache
def _ours() -> Graph:
    return read(ROOT)


@cache
def _ours_known() -> dict[str, Reached]:
    return _known(_ours())


SAVE, LOOK, SHELL = (f"tests/e2e/test_{name}.py" for name in ("save", "look", "shell"))
E2E, REPORT = {SAVE, LOOK, SHELL}, "tests/unit/test_report.py"


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("src/planera_ci/dump.py", {SAVE}),
        ("src/planera_ci/data.py", {SAVE, SHELL}),
        ("src/planera_ci/wiring.py", E2E),
        ("src/planera_ci/report.py", {SAVE, SHELL, REPORT}),
        ("src/planera_ci/main.py", E2E),
        ("src/planera_ci/lonely.py", E2E),
        ("tests/e2e/harness.py", {SAVE, LOOK}),
        ("tests/e2e/conftest.py", E2E),
        ("tests/e2e/test_look.py", {LOOK}),
        ("tests/e2e/things/written.yaml", {SHELL}),
        ("tests/e2e/unknown.yaml", E2E),
        ("k8s/base/backend.yaml", E2E),
        ("examples/planera/app.py", E2E),
        ("examples/workflows/staging.yml", {"tests/workflows/test_files.py"}),
        ("lab/src/planera_lab/node.py", {"lab/tests/test_lab.py"}),
        ("docs/pictures/layers.svg", {"tests/docs/test_links.py"}),
        ("LICENSE", set()),
    ],
)
def test_change_chooses_the_tests_that_it_can_reach(path: str, tests: set[str]) -> None:
    """A function is told from its neighbours, a method runs where it is named; what nobody names is used by all."""
    assert chosen(path, _known(Graph(TOY))) == tests


def test_settings_of_all_tests_choose_all() -> None:
    """Dependencies, targets, and what the engine knows of the module."""
    known = _known(Graph(TOY))
    for path in ("pyproject.toml", "uv.lock", "Makefile", "dagger.json", "src/dagger_gen.py"):
        assert chosen(path, known) == known.keys()


def test_document_chooses_the_tests_that_it_names() -> None:
    """A page says which test types its commands."""
    page = f"<!-- run by {LOOK}, tests/e2e/test_gone.py -->\n\n    make x\n"
    assert chosen("docs/data.md", _known(Graph(TOY)), page) == {LOOK, "tests/docs/test_links.py"}


def test_data_are_reached_by_backup_and_restore_alone() -> None:
    """Of the tests of this repository: those of a verb that does not touch the data are not chosen."""
    tests = chosen("src/planera_ci/data.py", _ours_known())
    assert "tests/e2e/test_data.py" in tests
    assert not tests & {f"tests/e2e/test_{name}.py" for name in ("deploy", "lock", "rollback", "rotate", "access")}


def test_every_verb_of_the_module_is_known() -> None:
    """The function of a verb is found in whichever file it stands."""
    found = verbs(_ours())
    assert {"deploy", "verify", "backup", "ci", "checks"} <= found.keys()
    assert len({file for file, _ in found.values()}) == 5


def test_every_test_of_a_verb_reaches_one() -> None:
    """A test that calls verbs in other words is listed in tests/reach.py, or a change of them would not choose it."""
    functions = set(verbs(_ours()).values())
    for test, found in _ours_known().items():
        if test.startswith(FOLDERS):
            drives = found.nodes & functions or any("/cluster/" in file for file in found.files)
            assert bool(drives) != (test in NO_VERB), test


def test_choice_is_told_in_a_line() -> None:
    """Three files by name, the others as a number."""
    assert told("a.py", ["d", "c", "b", "a"]) == "a.py: a, b, c and 1 more"
    assert told("a.py", []) == "a.py: nothing more"


def test_changes_are_what_git_does_not_have_in_main(tmp_path: Path) -> None:
    """Commits of the branch, what is not committed, new files; both names of a file that was moved."""

    def git(*words: str) -> None:
        who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    for name in ("old", "moved", "edited", "staged"):
        (tmp_path / name).write_text(f"{name}\n" * 9)
    git("add", "-A")
    git("commit", "-qm", "first")
    assert changed(tmp_path) == set()
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    git("mv", "moved", "new name")
    git("commit", "-qm", "second")
    (tmp_path / "edited").write_text("other\n")
    (tmp_path / "staged").write_text("other\n")
    git("add", "staged")
    (tmp_path / "untracked é").touch()
    assert changed(tmp_path) == {"moved", "new name", "edited", "staged", "untracked é"}
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    git("commit", "-aqm", "third")
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert changed(tmp_path) == {"edited", "staged", "untracked é"}, "on main itself, the last commit"
