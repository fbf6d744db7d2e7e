"""Only processes that the lab started are ever ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from planera_lab import cgroups, roles
from planera_lab.processes import Process, members
from planera_lab.settings import Lab


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_a_process_is_told_by_number_and_start(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    assert process is not None
    assert process.alive
    process.signal(signal.SIGKILL)
    sleeper.wait()
    assert process.wait(1)


def test_a_recycled_number_is_not_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    assert process is not None
    stranger = Process(process.pid, process.started - 1)
    assert not stranger.alive
    stranger.signal(signal.SIGKILL)
    assert sleeper.poll() is None


def test_a_zombie_counts_as_ended(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert process is not None
    assert not process.alive


def test_children_are_found(sleeper: subprocess.Popen[bytes]) -> None:
    me = Process.of(os.getpid())
    assert me is not None
    assert sleeper.pid in {child.pid for child in me.children()}


def test_members_share_the_pid_namespace(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    assert process is not None
    assert (sleeper.pid, "sleep") in members(process)
    assert members(Process(2**22 + 1, 0)) == []


def test_a_record_of_a_dead_process_means_not_running(tmp_path: Path) -> None:
    lab = Lab.from_environment({"LAB_HOME": str(tmp_path)})
    assert roles.running(lab, "engine") is None
    lab.run.mkdir()
    for content in ("", "{}", '{"pid": 4194305, "started": 1}'):
        roles.record(lab, "engine").write_text(content)
        assert roles.running(lab, "engine") is None


@pytest.mark.parametrize(("unified", "version"), [(True, 2), (False, 1)])
def test_the_version_of_cgroups_is_found(tmp_path: Path, *, unified: bool, version: int) -> None:
    if unified:
        (tmp_path / "cgroup.controllers").touch()
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cgroup.procs").touch()
    assert cgroups.version(tmp_path) == version
    assert cgroups.hierarchies(tmp_path) == ([tmp_path] if unified else [tmp_path / "cpu"])
