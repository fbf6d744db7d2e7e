"""What is written about the module's functions is what the module has."""

from __future__ import annotations

import re

import pytest

from tests.docs.reference import FILE, metadata, reference
from tests.texts import ROOT

FUNCTIONS, CONSTRUCTOR = metadata()
OWNERS = [("## Settings", CONSTRUCTOR), *((f"### {name}", function) for name, function in FUNCTIONS.items())]


def test_reference_is_what_the_module_says() -> None:
    """docs/reference.md is written again (`make reference`) whenever a function, an argument or its help changes."""
    assert FILE.read_text(encoding="utf-8") == reference(), "run `make reference`"


@pytest.mark.parametrize(("heading", "owner"), OWNERS, ids=[heading.split()[-1] for heading, _ in OWNERS])
def test_reference_leaves_nothing_out(heading: str, owner: object) -> None:
    """Each function has a section with its help, and there a line for each argument with its own."""
    section = reference().partition(f"\n{heading}\n")[2]
    section = re.split(r"^##", section, maxsplit=1, flags=re.MULTILINE)[0]
    for line in (owner.doc or "").splitlines() if heading.startswith("###") else ():
        assert line in section
    for parameter in owner.parameters.values():
        (row,) = re.findall(rf"^\| `--{parameter.name}` .*", section, re.MULTILINE)
        assert parameter.doc in row


def test_readme_names_every_function() -> None:
    """The README's table has each function of the module, and no other."""
    table = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Functions\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z]+)", table, re.MULTILINE)) == FUNCTIONS.keys()
