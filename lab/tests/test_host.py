"""Each unmet need of the machine is named with its remedy."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from planera_lab import host, packages
from planera_lab.pins import Pins
from planera_lab.settings import Lab, Ports


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        lab = Lab(tmp_path, tmp_path, Ports(http=port), tmp_path)
        (finding,) = host._ports(lab, Pins.load())
    assert not finding.met
    assert f"http {port}" in finding.seen
    assert "LAB_<NAME>_PORT" in finding.remedy


def test_missing_programs_are_named_by_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages.shutil, "which", lambda name: None if name in {"ip", "nsenter"} else f"/bin/{name}")
    assert set(packages.missing()) >= {"iproute2", "util-linux"}
    finding = next(iter(host._packages(Lab.from_environment(), Pins.load())))
    assert not finding.met
    assert "apt-get install --no-install-recommends iproute2" in finding.remedy


def test_a_home_in_memory_is_unfit() -> None:
    lab = Lab.from_environment({"LAB_HOME": "/dev/shm/lab"})
    finding = next(item for item in host._room(lab, Pins.load()) if item.need == "a plain file system")
    assert not finding.met
    assert "LAB_HOME" in finding.remedy


def test_a_look_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("no such file")

    monkeypatch.setattr(host, "_kernel", broken)
    findings = host.examine(Lab.from_environment(), Pins.load())
    assert [finding.seen for finding in findings if not finding.met] == ["no such file"]
