"""The commands, where no lab is up: a sentence that stands alone, and an exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lab_command import call

from planera_lab import acme, worker
from planera_lab.errors import LabError
from planera_lab.pins import Pins
from planera_lab.settings import Lab


@pytest.mark.parametrize("words", [("env",), ("run", "--", "true"), ("urls",)])
def test_using_a_lab_that_is_down_says_how_to_start_it(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = call(*words, LAB_HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("lab: use the lab: engine, services of ")
    assert "start it with `lab/lab up`" in done.stderr


def test_status_of_a_lab_that_is_down(tmp_path: Path) -> None:
    done = call("status", LAB_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "engine    does not run" in done.stdout
    status = json.loads(call("status", "--json", LAB_HOME=str(tmp_path)).stdout)
    assert status["up"] is False
    assert set(status["roles"]) == {"pasta", "services", "engine", "node"}


def test_a_setting_that_is_wrong_is_named(tmp_path: Path) -> None:
    done = call("status", LAB_HOME=str(tmp_path), LAB_HTTPS_PORT="many")
    assert done.returncode == 1
    assert "LAB_HTTPS_PORT: 'many' is no port" in done.stderr


def test_down_and_purge_of_nothing_leave_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert call("down", LAB_HOME=str(home)).returncode == 0
    (home / "go" / "mod" / "module").mkdir(parents=True)
    (home / "go" / "mod" / "module" / "file").touch()
    (home / "go" / "mod" / "module").chmod(0o555)
    assert call("down", "--purge", LAB_HOME=str(home)).returncode == 0
    assert not home.exists()


def test_a_worker_without_a_cluster_says_what_starts_one(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="start the worker: there is no cluster to join: `lab/lab up` starts it"):
        worker.act(Lab.from_environment({"LAB_HOME": str(tmp_path)}), Pins.load(), "start")


@pytest.mark.parametrize("action", acme.ACTIONS)
def test_an_authority_without_a_cluster_says_what_starts_one(tmp_path: Path, action: str) -> None:
    """Who orders from it, cert-manager, runs in the cluster."""
    with pytest.raises(LabError, match=f"{action} acme: there is no cluster for cert-manager: `lab/lab up` starts it"):
        acme.act(Lab.from_environment({"LAB_HOME": str(tmp_path)}), Pins.load(), action)
