"""Copies of Go modules and what is changed in them: a place that moved upstream is an error, not a patch less."""

from __future__ import annotations

from pathlib import Path

import pytest

from planera_lab import gobuilds
from planera_lab.errors import LabError
from planera_lab.gosource import cut, replace_once
from planera_lab.pins import Pins


def test_a_patch_whose_place_moved_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "loader.go"
    file.write_text("return old\n")
    replace_once(file, "old", "new")
    assert file.read_text() == "return new\n"
    with pytest.raises(LabError, match=r"patch loader.go: the place to change is there 0 times"):
        replace_once(file, "old", "new")


def test_what_is_cut_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "loader.go"
    file.write_text('import (\n\t"aws"\n\t"context"\n\t"gcp"\n)\n')
    cut(file, r'^\t"(aws|gcp)"\n', times=2)
    assert file.read_text() == 'import (\n\t"context"\n)\n'
    with pytest.raises(LabError, match=r"patch loader.go: .* is there 0 times, not 1: adapt gotrims.py"):
        cut(file, r'^\t"aws"\n')


def test_what_is_cut_may_have_many_lines(tmp_path: Path) -> None:
    """The first line that ends the passage ends it."""
    file = tmp_path / "version.go"
    file.write_text("func A() {\n\tif x {\n\t}\n}\n\nfunc B() {\n}\n")
    cut(file, r"(?<=^func A\(\) \{\n).*?(?=^\})")
    assert file.read_text() == "func A() {\n}\n\nfunc B() {\n}\n"


def test_what_is_left_out_counts_for_the_name_of_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    pins = Pins.load()
    dagger, ingress = gobuilds.dagger(pins).key, gobuilds.ingress(pins).key

    def other(source: Path, own: Path) -> None:
        """Leave nothing out."""

    monkeypatch.setattr(gobuilds.gotrims, "dagger", other)
    assert gobuilds.dagger(pins).key != dagger
    assert gobuilds.ingress(pins).key == ingress
