"""What a CI job shows of a verb, and the command that it prints: the same failure, whatever lies in the folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.calls import Outcome, called
from tests.e2e.harness import ROOT, App, dagger

_CRASH = "import os\n\nif os.environ.get({name!r}):\n    raise KeyError('no chair for me here')\n\n"
_MAIN = "backend/planera_backend/__main__.py"


@dataclass(frozen=True)
class Job:
    """The folder that a job leaves."""

    folder: Path

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.read("report.json"))
        return found


def _job(app: App, folder: Path, *words: str) -> Job:
    """Have a verb done as a CI job does."""
    again = shlex.join(["dagger", "-m", str(ROOT), "call", *app.flags[:2], app.flags[3]])
    outcome = app.call("ci", *words, f"--again={again}", "-o", str(folder))
    assert outcome.code == 0, outcome.err[-3000:]
    return Job(folder)


def _typed(command: str) -> Outcome:
    """Run a printed command as a person does who copies it."""
    return dagger(*_words(command))


def _words(command: str) -> list[str]:
    words = shlex.split(command)
    assert words[:3] == ["dagger", "-m", str(ROOT)]
    return words[3:]


def _crashes_where(app: App, name: str) -> str:
    """Let the backend crash where a variable is set, and return the commit."""
    file = app.source / _MAIN
    head, _, rest = file.read_text().partition("import asyncio\n")
    assert rest, "the example begins otherwise now"
    file.write_text(f"{head}{_CRASH.format(name=name)}import asyncio\n{rest}")
    return app.commit("crash")


def _sentence(text: str) -> str:
    """Return the sentence of an error, without what differs from run to run: times, names of pods, revisions."""
    found = re.findall(r"^Error: (?:planera-ci: )?(.*?)(?: \[traceparent.*)?$", text, re.MULTILINE)
    assert found, text[-2000:]
    return re.sub(r"[0-9.]+ s\b|backend-\w+-\w+|revision \d+", "…", found[-1])


@pytest.fixture(scope="module")
def good(make: Callable[[], App], tmp_path_factory: pytest.TempPathFactory) -> tuple[App, Job]:
    """Deploy a good release by a job."""
    app = make()
    return app, _job(app, tmp_path_factory.mktemp("good") / "job", "--verb=deploy", "--env=staging")


def test_failure_before_the_cluster_is_shown_again_from_its_commit(app: App, tmp_path: Path) -> None:
    """The job fails, says where, and the command that it prints fails alike although the folder has moved on."""
    commit = _crashes_where(app, "PLANERA_CI_SMOKE")
    job = _job(app, tmp_path / "job", "--verb=deploy", "--env=staging")
    assert job.read("code") == "1\n"
    step, inside = job.report["again"]
    assert f"--at {commit} smoke --env staging" in step
    assert not app.touched()
    assert f"file={_MAIN},line=" in job.read("annotations")
    assert "KeyError: 'no chair for me here'" in job.read("summary.md")
    assert step in job.read("summary.md")
    assert step in job.read("report.txt")
    assert "outcome=failed\n" in job.read("outputs")

    (app.source / "backend/Dockerfile").write_text("FROM nothing-like-it\n")  # somebody works on
    same = _typed(step)
    assert same.code == 1
    assert _sentence(same.err) == _sentence(job.read("report.txt"))

    assert inside.endswith(" inside --env staging --component backend terminal")
    shown = _typed(inside.replace(" terminal", " with-exec --args=python,-m,planera_backend.migrate combined-output"))
    assert shown.code == 0, shown.err[-3000:]
    assert "schema at 002: 0 applied, 2 were there" in shown.out, "the database runs beside it, and is migrated"


def test_job_of_a_good_release_shows_what_was_done(good: tuple[App, Job]) -> None:
    """Its summary has the steps, the digests, the address and the plan; its outputs have what other jobs need."""
    app, job = good
    assert job.read("code") == "0\n", job.read("report.txt")
    assert f"url=https://{app.host}" in job.read("outputs")
    assert "outcome=succeeded\n" in job.read("outputs")
    for part in ("| build |", "| verify |", "@sha256:", f"<https://{app.host}", "deployment/backend (create)"):
        assert part in job.read("summary.md")


def test_backup_is_a_file_of_the_job(good: tuple[App, Job], tmp_path: Path) -> None:
    """A scheduled job leaves the database's backup beside its report."""
    job = _job(good[0], tmp_path / "job", "--verb=backup", "--env=staging")
    assert job.read("code") == "0\n", job.read("report.txt")
    listed = subprocess.run(["tar", "-tf", job.folder / "backup.tar"], capture_output=True, text=True, check=True)
    assert "database.dump" in listed.stdout
    assert "fetch" in job.read("summary.md")


def test_failure_in_the_cluster_is_shown_again_with_the_same_images(good: tuple[App, Job], tmp_path: Path) -> None:
    """After a good release one that crashes in the cluster alone: evidence, rollback, and the same verdict again."""
    app, _ = good
    commit = _crashes_where(app, "KUBERNETES_SERVICE_HOST")
    bad = _job(app, tmp_path / "bad", "--verb=deploy", "--env=staging")
    assert bad.read("code") == "1\n"
    report, (again, *_) = bad.report, bad.report["again"]
    assert report["verdict"]["reason"] == "crash"
    assert report["rollback"]["verified"]
    assert "KeyError: 'no chair for me here'" in bad.read("annotations")
    assert f"file={_MAIN},line=" in bad.read("annotations")
    assert {"verdict.txt", "events.txt", "logs"} <= {path.name for path in (bad.folder / "evidence").iterdir()}
    assert f"--at {commit} deploy --env staging" in again

    app.commit("somebody works on")
    call, *words = _words(again)
    assert call == "call"
    same = called(words, os.environ)
    assert same.code == 1
    assert _sentence(same.err) == _sentence(bad.read("report.txt"))
    folder = tmp_path / "evidence"
    assert app.call("evidence", "--env=staging", "-o", str(folder)).code == 0
    assert json.loads((folder / "report.json").read_text())["images"] == report["images"]


def test_settings_that_cannot_be_read_are_a_result_too(app: App, tmp_path: Path) -> None:
    """Whatever is wrong, the job has a report; a mistake in planera.toml is one."""
    (app.source / "planera.toml").write_text('nmae = "planera"\n')
    job = _job(app, tmp_path / "job", "--verb=deploy", "--env=staging")
    assert job.read("code") == "1\n"
    assert "read planera.toml: nmae: this key is not known" in job.read("annotations")
    assert "read planera.toml: nmae" in job.read("summary.md")
    assert not app.touched()
