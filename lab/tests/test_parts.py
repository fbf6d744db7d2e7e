"""The store: a part is built once, and is there as a whole or not at all."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from planera_lab.command import run
from planera_lab.errors import LabError
from planera_lab.parts import Part, Store, Workshop, exclusive
from planera_lab.settings import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab.from_environment({"LAB_HOME": str(tmp_path)})


def test_a_part_is_built_once(lab: Lab) -> None:
    built: list[str] = []

    def build(shop: Workshop) -> None:
        built.append("once")
        (shop.result / "program").write_text("code")

    part = Part("part", {"version": "1"}, (), build)
    for _ in range(2):
        assert (Store(lab).ensure(part) / "program").read_text() == "code"
    assert built == ["once"]
    assert not (lab.cache / "work" / "part").exists()


def test_a_build_that_fails_leaves_no_part_and_can_be_repeated(lab: Lab) -> None:
    results = iter([False, True])

    def build(shop: Workshop) -> None:
        (shop.result / "half").write_text("half")
        run(["true" if next(results) else "false"], shop.log)

    part = Part("part", {}, (), build)
    with pytest.raises(LabError, match=r"it ended with 1: see .*build-part.log"):
        Store(lab).ensure(part)
    assert not Store(lab).has(part)
    assert Store(lab).ensure(part).is_dir()


def test_a_failure_shows_the_end_of_its_log(lab: Lab) -> None:
    log = lab.logs / "x.log"
    with pytest.raises(LabError, match=r"line 19$"):
        run(["sh", "-c", "for i in $(seq 19); do echo line $i; done; exit 3"], log)
    assert "line 1\n" in log.read_text()


def test_two_builds_of_one_part_do_not_collide(lab: Lab) -> None:
    built: list[float] = []

    def build(shop: Workshop) -> None:
        built.append(time.monotonic())
        time.sleep(0.2)
        (shop.result / "done").touch()

    part = Part("part", {}, (), build)
    threads = [threading.Thread(target=Store(lab).ensure, args=(part,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1


def test_prune_keeps_what_is_pinned(lab: Lab) -> None:
    part = Part("part", {"version": "2"}, (), lambda shop: (shop.result / "x").touch())
    old = Part("part", {"version": "1"}, (), lambda shop: (shop.result / "x").touch())
    store = Store(lab)
    store.ensure(part)
    store.ensure(old)
    store.prune([part])
    assert store.has(part)
    assert not store.has(old)


def test_a_lock_is_waited_for(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    released = threading.Event()

    def hold() -> None:
        with exclusive(lab.home / "lock", "this lab"):
            held.set()
            released.wait(5)

    held = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(5)
    threading.Timer(0.1, released.set).start()
    with exclusive(lab.home / "lock", "this lab"):
        assert released.is_set()
    thread.join()
    assert "waiting for another lab command that holds this lab" in capsys.readouterr().err
