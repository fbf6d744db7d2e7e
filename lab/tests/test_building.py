"""What is built beside what, and what only when it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from planera_lab import acme, building, gobuilds, golang, lifecycle
from planera_lab.errors import LabError
from planera_lab.parts import Part, Store, Workshop
from planera_lab.pins import Pins
from planera_lab.settings import Lab


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(Lab.from_environment({"LAB_HOME": str(tmp_path)}))


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gobuilds, "NAMES", ("one", "two", "three"))


def nothing(_: Workshop) -> None:
    """Build an empty part."""


def part(name: str, build: Callable[[Workshop], None] = nothing, made_of: Part | None = None) -> Part:
    return Part(name, {}, (), build, made_of)


def test_two_programs_and_one_root_are_built_at_the_same_time(store: Store) -> None:
    """Each of them ends only when all three have begun."""
    met = threading.Barrier(3)

    def meet(_: Workshop) -> None:
        met.wait(10)

    parts = [*(part(name, meet) for name in ("one", "two", "root")), part("three"), part("other-root")]
    building.build(store, parts)
    assert all(store.has(each) for each in parts)


def test_an_image_is_packed_as_soon_as_its_program_is_there(store: Store) -> None:
    """The other program ends only after that."""
    packed = threading.Event()

    def slow(_: Workshop) -> None:
        assert packed.wait(10)

    one = part("one")
    image = part("image-one", lambda _: packed.set(), made_of=one)
    building.build(store, [one, part("two", slow), image])
    assert store.has(image)


def test_an_image_of_a_program_that_is_there_already_is_packed(store: Store) -> None:
    one = part("one")
    store.ensure(one)
    image = part("image-one", made_of=one)
    building.build(store, [one, image])
    assert store.has(image)


def test_after_a_build_that_failed_nothing_else_is_begun_and_the_rest_is_built_the_next_time(store: Store) -> None:
    begun = threading.Event()

    def fail(_: Workshop) -> None:
        begun.wait(10)
        raise LabError("no such module")

    def slow(_: Workshop) -> None:
        begun.set()

    def never(_: Workshop) -> None:
        pytest.fail("begun after the failure")

    with pytest.raises(LabError, match="no such module"):
        building.build(store, [part("root", fail), part("one", slow), part("other-root", never)])
    assert store.has(part("one"))
    assert not store.has(part("root"))
    building.build(store, [part("root"), part("one", never), part("other-root")])
    assert store.has(part("other-root"))


def test_nothing_that_issues_certificates_is_built_by_up() -> None:
    """The lab's own certificate serves without; it takes minutes that few need."""
    pins = Pins.load()
    own = {part.key for part in acme.parts(pins)} - {part.key for part in lifecycle.catalogue(pins)}
    names = {key.rpartition("-")[0] for key in own}
    assert names == {"pebble", "cert-manager", "image-cert-manager", "image-acmesolver"}


@pytest.mark.parametrize(("gib", "collector"), [(6, None), (24, "off")])
def test_compilers_keep_their_garbage_where_the_memory_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gib: int, collector: str | None
) -> None:
    lab = Lab.from_environment({"LAB_HOME": str(tmp_path)})
    monkeypatch.setattr(golang, "memory_gib", lambda: gib)
    monkeypatch.setattr(golang, "machine_go", lambda _: Path("/bin/true"))
    assert golang.Go(lab, Pins.load(), Store(lab)).environment.get("GOGC") == collector


@pytest.mark.parametrize(("gib", "growth"), [(6, ""), (24, "400")])
def test_what_runs_collects_its_garbage_less_often_where_the_memory_has_room(
    monkeypatch: pytest.MonkeyPatch, gib: int, growth: str
) -> None:
    monkeypatch.setattr(golang, "memory_gib", lambda: gib)
    assert golang.growth() == growth
