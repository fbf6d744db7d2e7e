"""Chooses the tests that a change can reach: `python -m tests.reach [WHAT RUNS ANYWAY]`, for `make test CHANGED=1`.

It prints the test files, and on the standard error which change chose which. The choice follows the names in the
sources (tests/imports.py); a verb that a test calls by its name leads to that verb's function. It is made for work and
can miss something; the CI runs everything.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from tests.changes import changed
from tests.imports import Graph, Node, Reached
from tests.texts import ROOT
from tests.units import TOP, VERB

FOLDERS = ("tests/e2e/", "tests/faults/", "tests/downtime/test_downtime.py")
"""Folders, and a file, whose tests call the module by the names of its verbs."""
EVERY_VERB = {"tests/e2e/test_docs.py"}
OTHER_WORDS = {
    "tests/e2e/test_demo.py": ("access", "deploy"),
    "tests/e2e/test_workflows.py": ("ci",),
    "tests/e2e/test_workflow_templates.py": ("ci",),
}
"""Tests that call verbs without naming them: they type what documents show, run `make demo`, or run workflows."""
_VERBS = ("main", "looking", "keeping", "serving", "checking")
_EVERYTHING = {"pyproject.toml", "uv.lock", "Makefile", "dagger.json", "src/dagger_gen.py"}
_LAB = tuple(f"{folder}*" for folder in FOLDERS)
_BY_FOLDER = (
    (".github/", ("tests/workflows/*", "tests/e2e/test_workflow*", "tests/e2e/test_checks.py")),
    ("examples/workflows/", ("tests/workflows/*", "tests/e2e/test_workflow*")),
    ("examples/", (*_LAB, "tests/manifests/*")),
    ("k8s/", (*_LAB, "tests/manifests/*")),
    ("lab/", ("lab/tests/*",)),
    ("docs/", ("tests/docs/*",)),
)
_DOCUMENTS = ("tests/docs/*", "tests/e2e/test_docs.py")
_TEST = re.compile(r"(?:lab/)?tests/[\w/]*test_\w+\.py")
_NAMED = 3
"""Files that are named of those that a change chooses; the others are counted."""


def verbs(graph: Graph) -> dict[str, Node]:
    """Return the function of each verb."""
    found: dict[str, Node] = {}
    for file in (f"src/planera_ci/{name}.py" for name in _VERBS):
        names = graph.sources[file].decorators if file in graph.sources else {}
        found |= {name.rpartition(".")[2]: (file, name) for name, by in names.items() if VERB in by}
    return found


def reached(graph: Graph, test: str) -> Reached:
    """Return what a test file comes to, with the fixtures that it names, and the verbs if it calls the module."""
    start, fixtures = graph.whole(test), dict[str, list[Node]]()
    for folder in (path.as_posix() for path in PurePosixPath(test).parents):
        file = f"{folder}/conftest.py"
        for name in graph.sources[file].units if file in graph.sources else ():
            fixtures.setdefault(name, []).append((file, name))
            if name == TOP or name.startswith("pytest_"):
                start.append((file, name))
    called = verbs(graph) if test.startswith(FOLDERS) else {}
    start += [called[verb] for verb in (called if test in EVERY_VERB else OTHER_WORDS.get(test, ()))]
    return graph.reached(start, fixtures, called)


def chosen(path: str, known: Mapping[str, Reached], text: str = "") -> set[str]:
    """Return the test files that a change of a file can reach; `text` is what a document says."""
    if path in known:
        return {path}
    if path in _EVERYTHING:
        return set(known)
    if path.endswith(".md"):
        return _matching(known, _DOCUMENTS) | known.keys() & set(_TEST.findall(text))
    for folder, patterns in _BY_FOLDER:
        if path.startswith(folder):
            return _matching(known, patterns)
    return _by_name(path, known)


def _matching(known: Iterable[str], patterns: Iterable[str]) -> set[str]:
    return {test for test in known for pattern in patterns if fnmatch(test, pattern)}


def _by_name(path: str, known: Mapping[str, Reached]) -> set[str]:
    """Return the tests that come to a file of ours by the names in the sources."""
    if path.endswith("/conftest.py"):
        return _matching(known, (path.replace("conftest.py", "*"),))
    if path.endswith(".py"):
        return _importing(path, known)
    return _naming(path, known) if path.startswith("tests/") else set()


def _importing(path: str, known: Mapping[str, Reached]) -> set[str]:
    """Return the tests that come to a file; all of the lab where only what finds no names can use it."""
    found = {test for test, come_to in known.items() if path in come_to.files}
    if path.startswith("src/") and not any(test.startswith(FOLDERS) for test in found):
        found |= _matching(known, _LAB)
    return found


def _naming(path: str, known: Mapping[str, Reached]) -> set[str]:
    """Return the tests that name a file, or the folder beside the tests that it is in; all there where none does."""
    place = PurePosixPath(path)
    names = {place.name, place.stem, *place.parts[2:3]}
    found = {test for test, come_to in known.items() if names & {part for t in come_to.texts for part in t.split("/")}}
    return found or _matching(known, (f"{'/'.join(place.parts[:2])}/*",))


def read(root: Path) -> Graph:
    """Return the graph of the repository's own Python."""
    files = [file for folder in ("src", "tests", "lab") for file in sorted((root / folder).rglob("*.py"))]
    return Graph({file.relative_to(root).as_posix(): file.read_text(encoding="utf-8") for file in files})


def listed(graph: Graph) -> list[str]:
    """Return the test files."""
    return [file for file in graph.sources if _TEST.fullmatch(file)]


def told(path: str, found: Iterable[str]) -> str:
    """Return the line about what a change chose."""
    names = sorted(found)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{path}: {', '.join(names[:_NAMED]) or 'nothing more'}{more}"


def main(anyway: tuple[str, ...]) -> None:
    """Print what is chosen, and why."""
    graph, everything = read(ROOT), set[str]()
    known = {test: reached(graph, test) for test in listed(graph)}
    paths = sorted(changed(ROOT))
    for path in paths:
        document = ROOT / path
        text = document.read_text(encoding="utf-8") if path.endswith(".md") and document.exists() else ""
        found = {test for test in chosen(path, known, text) if not test.startswith(anyway)}
        everything |= found
        sys.stderr.write(f"{told(path, found)}\n")
    sys.stderr.write(f"{len(paths)} files changed; {len(everything)} test files besides {' '.join(anyway)}\n")
    sys.stdout.write("".join(f"{test}\n" for test in sorted(everything)))


if __name__ == "__main__":
    main(tuple(sys.argv[1:]))
