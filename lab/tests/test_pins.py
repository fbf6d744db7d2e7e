"""Pins, and the names of the parts that follow from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from planera_lab import acme, lifecycle
from planera_lab import pins as pins_module
from planera_lab.errors import LabError
from planera_lab.pins import Pins, key_of, text_of_steps, version_of


def key(folder: Path, pins: dict[str, str] | None = None) -> str:
    """Key of a part made from one folder, past the memory of this process."""
    pins_module._key.cache_clear()
    return key_of("part", pins or {"a": "1"}, (folder,), folder.parent)


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "inputs"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("content")
    return folder


def test_the_same_pins_and_inputs_give_the_same_key(inputs: Path) -> None:
    assert key(inputs) == key(inputs)
    assert key(inputs, {"a": "1", "b": "2"}) == key(inputs, {"b": "2", "a": "1"})
    assert key(inputs).startswith("part-")


def test_another_version_gives_another_key(inputs: Path) -> None:
    assert key(inputs) != key(inputs, {"a": "2"})


@pytest.mark.parametrize("change", ["content", "name", "mode"])
def test_a_changed_input_gives_another_key(inputs: Path, change: str) -> None:
    before, file = key(inputs), inputs / "deep" / "file"
    if change == "content":
        file.write_text("other")
    elif change == "name":
        file.rename(file.with_name("renamed"))
    else:
        file.chmod(0o755)
    assert key(inputs) != before


def test_a_build_step_counts_without_its_layout() -> None:
    def one() -> int:
        return 1  # a comment

    first = text_of_steps(one)

    def one() -> int:
        return 1

    second = text_of_steps(one)

    def one() -> int:
        return 2

    assert first == second
    assert text_of_steps(one) != first
    assert text_of_steps(None) == ""


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.26.8", (1, 26, 8)), ("v0.21.8", (0, 21, 8)), ("1.26", (1, 26)), ("go1.27.0-rc1\n", (1, 27, 0))],
)
def test_versions_compare_as_numbers(text: str, version: tuple[int, ...]) -> None:
    assert version_of(text) == version


def test_the_file_of_pins_is_complete() -> None:
    pins = Pins.load()
    assert pins.suite == "trixie"
    parts = [*lifecycle.catalogue(pins), *acme.parts(pins)]
    assert set(pins.images) == {part.name.removeprefix("image-") for part in parts} & set(pins.images)


def test_a_broken_file_of_pins_is_named(tmp_path: Path) -> None:
    (tmp_path / "versions.toml").write_text("[debian]\n")
    with pytest.raises(LabError, match=r"versions.toml: .*suite"):
        Pins.load(tmp_path / "versions.toml")


def test_parts_for_the_engine_come_first() -> None:
    names = [part.name for part in lifecycle.catalogue(Pins.load())]
    assert names[0] == "dagger"
    assert len(names) == len(set(names))
    only_engine = [part.name for part in lifecycle.catalogue(Pins.load(), only_engine=True)]
    assert only_engine == names[: len(only_engine)]
    assert "kubernetes" not in only_engine
