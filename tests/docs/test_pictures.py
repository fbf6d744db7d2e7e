"""Pictures show what the code does, and can be read by those who do not see them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.docs import layers
from tests.docs.blocks import pages, read
from tests.steps import STEPS
from tests.texts import ROOT

_FOLDER = ROOT / "docs/pictures"
_SVG = "{http://www.w3.org/2000/svg}"


def test_layers_are_drawn_as_they_are_held() -> None:
    """The picture is the one that `python -m tests.docs.layers` writes."""
    assert layers.FILE.read_text(encoding="utf-8") == layers.drawn()


def test_rows_of_the_picture_import_downwards() -> None:
    """Each part stands above all that it may import."""
    found = layers.rows()
    row = {part: number for number, parts in enumerate(found) for part in parts}
    assert {part for part in layers.LAYERS if part} == row.keys()
    for part, number in row.items():
        assert all(number < row[below] for below in layers.LAYERS[part] - {part}), part


@pytest.mark.parametrize("step", STEPS)
def test_pipeline_shows_the_steps_of_a_deployment(step: str) -> None:
    """A step that the source times is named in the picture."""
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py"))
    assert f'.step("{step}"' in source
    shown = " ".join(ET.parse(_FOLDER / "pipeline.svg").getroot().itertext())
    assert re.search(rf"\b{step}\b", shown)


@pytest.mark.parametrize("picture", sorted(_FOLDER.glob("*.svg")), ids=lambda file: file.name)
def test_picture_can_be_read_by_everybody(picture: Path) -> None:
    """It has a title, a description, colours for both schemes, and a text in place of it wherever it is shown."""
    root = ET.parse(picture).getroot()
    assert root.findtext(f"{_SVG}title")
    assert root.findtext(f"{_SVG}desc")
    assert "prefers-color-scheme" in str(root.findtext(f"{_SVG}style"))
    shown = re.compile(rf"!\[([^\]]*)\]\([^)]*{picture.name}\)")
    texts = [found[1] for page in pages() for found in shown.finditer(read(page))]
    assert texts
    assert all(len(text) > 40 for text in texts)
