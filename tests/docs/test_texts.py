"""What is true of the documents as texts; tests/unit/test_repository.py says the same of all other files."""

from __future__ import annotations

import re

import pytest

from tests.docs.files import documents
from tests.texts import MACHINE_PATH, ROOT, UNFINISHED, places


@pytest.mark.parametrize("pattern", [UNFINISHED, MACHINE_PATH], ids=["unfinished", "machine-path"])
def test_no_document_holds_what_belongs_elsewhere(pattern: re.Pattern[str]) -> None:
    """No reminder of work left over is kept in a document, and no path of the machine that it was written on."""
    assert not places(pattern, [*documents(), *sorted((ROOT / "docs").rglob("*.json"))])
