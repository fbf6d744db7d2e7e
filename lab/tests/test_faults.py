"""Faults that are asked for: what they reach, and what they refuse."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from lab_command import call

from planera_lab import faults, gobuilds, lifecycle, supervision
from planera_lab.errors import LabError
from planera_lab.pins import Pins
from planera_lab.processes import words_of
from planera_lab.settings import INPUTS, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.from_environment({"LAB_HOME": str(tmp_path)})


def test_commands_are_words_behind_a_name() -> None:
    """Comments and empty lines are none, as for the supervisor."""
    text = "# why\n\nghcr docker-registry serve /etc/lab/ghcr.yml\ndns dnsmasq\n"
    assert supervision.commands(text) == {
        "ghcr": ("docker-registry", "serve", "/etc/lab/ghcr.yml"),
        "dns": ("dnsmasq",),
    }


def test_every_process_of_a_supervisor_can_be_reached_by_one_name() -> None:
    """A name that two roles have would reach one of them only."""
    commands = [supervision.commands((INPUTS / role / "processes").read_text()) for role in supervision.SUPERVISED]
    assert sorted(supervision.names()) == sorted(name for each in commands for name in each)
    assert supervision.names()["ghcr"] == "services"
    assert supervision.names()["apiserver"] == "node"


def test_the_engine_cannot_be_broken() -> None:
    """It would lose its cache."""
    assert "engine" not in faults.things()


def test_words_are_those_that_a_process_was_started_with() -> None:
    """A process that is gone has none."""
    words = (sys.executable, "-c", "print(flush=True); input()", "a b", "")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        assert words_of(process.pid) == words
        process.communicate(b"\n")
    assert words_of(process.pid) == ()
    assert words_of(os.getpid())


@pytest.mark.parametrize(
    ("action", "what", "said"),
    [
        ("503", "mirror", "503 mirror: only ghcr can answer that"),
        ("kill", "node", "kill the node: that is for a process: give one of stop, start, restart"),
        ("restart", "node", "restart the node: this lab was brought up without one"),
        ("stop", "ghcr", "reach ghcr: services does not run: start it with `lab/lab up`"),
        ("restart", "pebble", "reach pebble: acme does not run: start it with `lab/lab acme start`"),
    ],
)
def test_what_cannot_be_done_is_said(lab: Lab, action: str, what: str, said: str) -> None:
    """A sentence that names the way out, and nothing is touched."""
    with pytest.raises(LabError, match=said):
        faults.fault(lab, Pins.load(), action, what)


def test_a_fault_in_a_lab_that_is_down_says_how_to_start_it(tmp_path: Path) -> None:
    """It starts nothing by itself."""
    done = call("fault", "restart", "node", LAB_HOME=str(tmp_path))
    assert done.returncode == 1
    assert "start it with `lab/lab up`" in done.stderr


def test_what_is_unknown_is_answered_with_what_is_known() -> None:
    """A usage error, as of every other command."""
    done = call("fault", "stop", "engine")
    assert done.returncode == 2
    assert "'ghcr'" in done.stderr


def test_tools_are_built_on_demand_only() -> None:
    """`up` would spend minutes on what few need."""
    pins = Pins.load()
    tools = {program: make(pins) for program, make in gobuilds.TOOLS.items()}
    assert [tool.name for tool in tools.values()] == [{"buildctl": "buildkit"}.get(name, name) for name in tools]
    assert not {tool.key for tool in tools.values()} & {part.key for part in lifecycle.catalogue(pins)}
