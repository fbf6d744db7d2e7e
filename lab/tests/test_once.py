"""What is done once while the lab is up."""

from __future__ import annotations

from pathlib import Path

import pytest

from planera_lab import once
from planera_lab.errors import LabError
from planera_lab.settings import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab.from_environment({"LAB_HOME": str(tmp_path)})
    lab.run.mkdir()
    return lab


def test_it_is_done_again_when_its_content_changed_or_it_is_forgotten(lab: Lab) -> None:
    done: list[str] = []
    for content in ("a", "a", "b"):
        once.do(lab, "addons", content, lambda content=content: done.append(content))
    assert done == ["a", "b"]
    once.forget(lab, "addons")
    once.forget(lab, "addons")
    once.do(lab, "addons", "b", lambda: done.append("again"))
    assert done == ["a", "b", "again"]


def test_what_failed_is_not_done(lab: Lab) -> None:
    def fail() -> None:
        raise LabError("no API server")

    with pytest.raises(LabError, match="no API server"):
        once.do(lab, "addons", "a", fail)
    done: list[str] = []
    once.do(lab, "addons", "a", lambda: done.append("a"))
    assert done == ["a"]
