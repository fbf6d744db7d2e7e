"""Draws the layers of the package as tests/unit/test_architecture.py holds them: `python -m tests.docs.layers`.

A part stands in the lowest row that is above all that it imports, so each row imports only from rows below it.
"""

from __future__ import annotations

from functools import cache

from tests.texts import ROOT
from tests.unit.test_architecture import LAYERS

FILE = ROOT / "docs/pictures/layers.svg"
_ROW, _BOX, _GAP, _LEFT, _LETTER = 50, 34, 10, 40, 8.6
_SAID = {
    "cluster": "alone imports kubernetes",
    "pipeline": "Dagger objects",
    "domain": "pure: no I/O, no clock",
    "main": "the verbs",
}
_FONT = 'font-family="system-ui, sans-serif"'
_STYLE = """\
.page{fill:#fff}.box{fill:#f3f5f8;stroke:#57606a}.line{stroke:#57606a;stroke-width:1.4}.tip{fill:#57606a}
text{fill:#1f2328;text-anchor:middle}.note{fill:#57606a;font-size:12px}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.box{fill:#21262d;stroke:#8b949e}.line{stroke:#8b949e}
.tip{fill:#8b949e}text{fill:#e6edf3}.note{fill:#9198a1}}"""


def rows() -> list[list[str]]:
    """Return the parts by rows, the highest row first."""
    parts = [part for part in LAYERS if part]
    heights = {part: _height(part) for part in parts}
    return [[part for part in parts if heights[part] == row] for row in range(max(heights.values()), -1, -1)]


@cache
def _height(part: str) -> int:
    return max((_height(below) + 1 for below in LAYERS[part] if below != part), default=0)


def drawn() -> str:
    """Return the picture."""
    found = [[(part, _box(part, row)) for part in row] for row in rows()]
    width, height = max(map(_wide, found)) + _LEFT + 20, _ROW * len(found) + 40
    told = "; ".join(", ".join(part for part, _ in row) for row in found)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="14" {_FONT} role="img">',
        "<title>The layers of planera_ci</title>",
        f"<desc>Each row imports only from rows below it. From the top: {told}.</desc>",
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}" rx="8"/>',
        f'<path class="line" d="M30 24V{height - 30}"/><path class="tip" d="M25 {height - 34}h10l-5 12z"/>',
        f'<text class="note" transform="translate(20 {height // 2}) rotate(-90)">imports</text>',
    ]
    for number, row in enumerate(found):
        lines.extend(_drawn_row(row, _LEFT + (width - _LEFT - 20 - _wide(row)) // 2, 20 + number * _ROW))
    return "\n".join([*lines, "</svg>", ""])


def _box(part: str, row: list[str]) -> tuple[int, str]:
    """Return the width of a part's box, and what is said of it; a row of many has no room for that."""
    said = _SAID.get(part, "") if len(row) < 4 else ""
    return round(len(part) * _LETTER + len(said) * 6.6 + 24 + 8 * bool(said)), said


def _wide(row: list[tuple[str, tuple[int, str]]]) -> int:
    return sum(width for _, (width, _) in row) + _GAP * (len(row) - 1)


def _drawn_row(row: list[tuple[str, tuple[int, str]]], left: int, top: int) -> list[str]:
    lines = []
    for part, (width, said) in row:
        note = f' <tspan class="note">{said}</tspan>' if said else ""
        lines.append(f'<rect class="box" x="{left}" y="{top}" width="{width}" height="{_BOX}" rx="5"/>')
        lines.append(f'<text x="{left + width // 2}" y="{top + 22}">{part}{note}</text>')
        left += width + _GAP
    return lines


if __name__ == "__main__":
    FILE.write_text(drawn(), encoding="utf-8")
