"""What `lab/lab acme` does to a cluster, held against one that only notes what it is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from planera_lab import acme, addons, roles
from planera_lab.pins import Pins
from planera_lab.processes import Process
from planera_lab.settings import Lab

PINS = Pins.load()
CHALLENGE = {"metadata": {"name": "web-1", "namespace": "shop"}}


class Cluster:
    """Answers by what is asked for, and keeps each command."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.told: list[str] = []

    def kubectl(self, _: Lab, __: Pins, *words: str | Path) -> str:
        self.told.append(" ".join(map(str, words)))
        return next((answer for start, answer in self.answers.items() if self.told[-1].startswith(start)), "")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.from_environment({"LAB_HOME": str(tmp_path)})


def cluster(monkeypatch: pytest.MonkeyPatch, answers: dict[str, str]) -> Cluster:
    made = Cluster(answers)
    monkeypatch.setattr(addons, "kubectl", made.kubectl)
    return made


@pytest.mark.parametrize(("found", "started"), [("deployment.apps/cert-manager\n", 1), ("", 0)])
def test_up_starts_it_beside_a_cluster_that_has_it(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, found: str, started: int
) -> None:
    cluster(monkeypatch, {"get deployment cert-manager": found})
    starts: list[Lab] = []
    monkeypatch.setattr(acme, "start", lambda lab, _: starts.append(lab))
    acme.resume(lab, PINS)
    assert len(starts) == started


def test_stop_lets_go_what_is_being_validated(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the controller, which would take it up again."""
    found = {"get crd": "crd\n", f"get {acme.CHALLENGES}": json.dumps({"items": [CHALLENGE]})}
    seen = cluster(monkeypatch, found)
    acme.stop(lab, PINS)
    gone = next(index for index, told in enumerate(seen.told) if told.startswith("delete deployment cert-manager"))
    after = [told for told in seen.told[gone + 1 :] if not told.startswith("get ")]
    assert [told.split(" --")[0] for told in after] == [
        f"patch {acme.CHALLENGES} web-1",
        f"delete {acme.CHALLENGES} web-1",
    ]
    assert all("--namespace=shop" in told for told in after)


def test_stop_in_a_cluster_that_never_had_it_looks_for_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = cluster(monkeypatch, {})
    acme.stop(lab, PINS)
    assert not [told for told in seen.told if told.startswith(f"get {acme.CHALLENGES}")]


@pytest.mark.parametrize(
    ("line", "listens"),
    [
        ("0: 0400630A:36B0 00000000:0000 0A 00000000:00000000", True),
        ("0: 0400630A:36B0 0100630A:9C40 01 00000000:00000000", False),
        ("0: 0400630A:3A98 00000000:0000 0A 00000000:00000000", False),
    ],
)
def test_pebble_listens_when_the_kernels_table_says_so(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, *, listens: bool
) -> None:
    """Another's port, and a connection that is open, are not it."""
    monkeypatch.setattr(roles, "init_of", lambda *_: Process.of(os.getpid()))
    monkeypatch.setattr(acme, "PROC", tmp_path)
    table = tmp_path / str(os.getpid()) / "net" / "tcp"
    table.parent.mkdir(parents=True)
    table.write_text(f"  sl  local_address rem_address   st\n   {line}\n")
    assert acme.listens(lab) is listens


def test_pebble_that_does_not_run_does_not_listen(lab: Lab) -> None:
    assert acme.listens(lab) is False
