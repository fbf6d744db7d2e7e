"""What is not the module's source does not make it another module: that would be installed anew, for seconds."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.harness import GIT, ROOT, run


def test_change_beside_the_source_leaves_the_module_as_it_is(tmp_path: Path) -> None:
    """A new file in examples, lab, tests, docs or k8s, and a commit, change nothing; one in src does."""
    clone = tmp_path / "planera-ci"
    run(["git", "clone", "-q", str(ROOT), str(clone)])
    first = _digest(clone)
    for folder in ("examples/planera", "lab", "tests", "docs", "k8s", ".github"):
        (clone / folder / "another").write_text("nothing of the module's\n")
    run(["git", "-C", str(clone), "add", "-A"])
    run([*GIT, "-C", str(clone), "commit", "-qm", "another"])
    assert _digest(clone) == first
    file = clone / "src/planera_ci/tasks.py"
    file.write_text(file.read_text() + "\n# one line more\n")
    assert _digest(clone) != first


def _digest(folder: Path) -> str:
    """Return what the engine knows a module by."""
    words = ["core", "module-source", f"--ref-string={folder}", "digest"]
    return run(["dagger", "--progress=plain", *words], folder).strip()
