"""After an engine that ended in the middle of its work nobody waits for its cache to go; what fails is quoted."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from planera_lab import discard, engine, roles
from planera_lab.errors import LabError
from planera_lab.processes import Process
from planera_lab.settings import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.from_environment({"LAB_HOME": str(tmp_path / "home")})


def state(lab: Lab, note: str | None) -> Path:
    """Make what an engine leaves: its cache, and its note of how it ended."""
    folder = lab.state / engine.NAME
    (folder / "worker" / "snapshots").mkdir(parents=True)
    with sqlite3.connect(folder / "dagql-cache.db") as database:
        database.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")
        if note is not None:
            database.execute("INSERT INTO meta VALUES ('clean_shutdown', ?)", (note,))
    database.close()
    return folder


def await_removal(lab: Lab) -> None:
    deadline = time.monotonic() + 10
    while discard.folder(lab).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_state_with_the_engines_note_is_kept(lab: Lab) -> None:
    folder = state(lab, "1")
    engine.make_room(lab)
    assert (folder / "worker").is_dir()
    assert not discard.folder(lab).exists()


def test_a_first_start_has_nothing_to_set_aside(lab: Lab) -> None:
    engine.make_room(lab)
    assert not discard.folder(lab).exists()


@pytest.mark.parametrize("note", ["0", None])
def test_a_state_without_the_note_is_set_aside_and_deleted(
    lab: Lab, note: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = state(lab, note)
    engine.make_room(lab)
    assert not folder.exists()
    assert "begins with an empty cache" in capsys.readouterr().err
    discard.remove(lab)
    await_removal(lab)
    discard.stop(lab)
    assert not roles.record(lab, discard.NAME).exists()


@pytest.mark.parametrize("content", [b"", b"no database"])
def test_a_state_that_cannot_be_read_counts_as_unclean(lab: Lab, content: bytes) -> None:
    folder = state(lab, "1")
    (folder / "dagql-cache.db").write_bytes(content)
    assert not engine.ended_cleanly(folder)
    (folder / "dagql-cache.db").unlink()
    assert not engine.ended_cleanly(folder)


def test_a_deletion_that_was_ended_goes_on_the_next_time(lab: Lab) -> None:
    engine_state = state(lab, "0")
    discard.set_aside(lab, engine_state)
    me = Process.of(os.getpid())
    assert me is not None
    lab.run.mkdir(parents=True)
    roles.remember(lab, discard.NAME, me.pid)
    discard.remove(lab)
    assert list(discard.folder(lab).iterdir()), "one deletion at a time"
    roles.record(lab, discard.NAME).unlink()
    discard.remove(lab)
    await_removal(lab)


def test_what_runs_before_a_role_starts_does_so_only_then() -> None:
    """A role that runs as described is not touched."""
    role = roles.Role("engine", (), (), ())
    role.before()
    assert roles.Role("engine", (), (), (), before=role.before) == role


def test_a_role_that_does_not_answer_is_quoted(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own log, or the newest of the processes in it; whether it ended or was waited for in vain."""
    lab.logs.mkdir(parents=True)
    (lab.logs / "engine.log").write_text("cannot listen\n")
    with pytest.raises(
        LabError, match=r"start engine: its first process ended: see .*engine\.log, .*\n  cannot listen"
    ):
        roles.await_ready(lab, "engine", lambda: False)

    (lab.logs / "node.log").touch()
    (lab.logs / "node").mkdir()
    for age, name in enumerate(["kubelet", "etcd", "proxy", "scheduler"]):
        file = lab.logs / "node" / f"{name}.log"
        file.write_text(f"{name} failed\n")
        os.utime(file, (1000 - age, 1000 - age))
    monkeypatch.setattr(roles, "running", lambda *_: Process(1, 1))
    with pytest.raises(LabError, match="no answer within 0 s: see ") as caught:
        roles.await_ready(lab, "node", lambda: False, 0.0)
    for name in ("kubelet", "etcd", "proxy"):
        assert f"{name}.log, which ends with\n  {name} failed" in str(caught.value)
    assert "scheduler" not in str(caught.value)
