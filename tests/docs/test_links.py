"""Every link of every document leads somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.files import documents, fault, read
from tests.docs.markdown import Markdown, slug
from tests.texts import shown


def test_documents_are_found() -> None:
    """The tests below look at something."""
    assert {"README.md", "CONTRIBUTING.md", "docs/reference.md", "lab/README.md"} <= {*map(shown, documents())}
    assert sum(len([*read(file).links()]) for file in documents()) > 20


@pytest.mark.parametrize("file", documents(), ids=shown)
def test_every_link_leads_somewhere(file: Path) -> None:
    """A file or folder of the repository that is there, and a heading that the document has."""
    links = ((number, target, fault(file, target)) for number, target in read(file).links())
    assert not [f"{shown(file)}:{number}: {target} {wrong}" for number, target, wrong in links if wrong]


@pytest.mark.parametrize(
    ("target", "wrong"),
    [
        ("https://example.com/x", ""),
        ("b.md", ""),
        ("b.md#two-words", ""),
        ("#own", ""),
        ("folder/", ""),
        ("folder/../b.md", ""),
        ("c.md", "does not exist"),
        ("b.md#three", "has no such heading"),
        ("#two-words", "has no such heading"),
        ("script.sh#own", "has no such heading"),
        ("../outside.md", "leads out of the repository"),
        ("/b.md", "leads out of the repository"),
        ("[nowhere]", "has no definition"),
    ],
)
def test_broken_link_is_found(tmp_path: Path, target: str, wrong: str) -> None:
    """A missing file, a missing heading, a way out of the repository, a reference without a definition."""
    (tmp_path / "outside.md").touch()
    root = tmp_path / "repository"
    (root / "folder").mkdir(parents=True)
    (root / "a.md").write_text("# Own\n")
    (root / "b.md").write_text("# Two words\n")
    (root / "script.sh").touch()
    assert fault(root / "a.md", target, root) == wrong


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("[a](b.md) and ![c](d.png)", ["b.md", "d.png"]),
        ('[a](b.md "title"), [`code`](c.md#x)', ["b.md", "c.md#x"]),
        ("[![badge](e.svg)](f.md)", ["e.svg", "f.md"]),
        ("[a][one]\n\n[one]: g.md", ["g.md"]),
        ("[a][two]", ["[two]"]),
        ('<img src="h.png"> <a href="i.md">i</a>', ["h.png", "i.md"]),
        ("`[a](b.md)` and ``[c](`d`)``", []),
        ("```\n[a](b.md)\n```\n[c](d.md)", ["d.md"]),
        ("~~~~\n~~~\n[a](b.md)\n~~~~\n", []),
        ("text\n\n    [a](b.md)\n    [c](d.md)\n", []),
        ("- item\n\n    [a](b.md)\n", ["b.md"]),
        ("text\n    [a](b.md)\n", ["b.md"]),
    ],
)
def test_links_are_told_from_code(text: str, targets: list[str]) -> None:
    """Links, pictures, definitions and HTML count; code, fenced, indented or in a line, does not."""
    assert [target for _, target in Markdown(text).links()] == targets


def test_headings_have_the_anchors_that_github_gives_them() -> None:
    """Lower case, hyphens for blanks, no marks, a number for a name that was there; and names given by hand."""
    assert slug("What `a-b` does, in [two](x.md) Words!") == "what-a-b-does-in-two-words"
    text = '# One\n\n# One\n\n```\n# Code\n```\n\n## Déjà vu ##\n\n<a id="given"></a>\n'
    assert Markdown(text).anchors == {"one", "one-1", "déjà-vu", "given"}
