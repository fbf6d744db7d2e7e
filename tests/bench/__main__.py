"""Measure deployments by planera-ci, by a shell script and by Helm, side by side: `python -m tests.bench`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import measured
from tests.bench.cases import NAMES
from tests.bench.round import Round
from tests.bench.table import markdown
from tests.e2e.harness import ROOT, run
from tests.faults.peers import helm

DOCUMENT, RAW = ROOT / "docs/benchmarks.md", ROOT / "docs/benchmarks.json"
_ROUNDS = 3


def arguments_of(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="only this case; writes no document")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help=f"how often each case is measured ({_ROUNDS})")
    return parser.parse_args(words)


def about(words: list[str]) -> dict[str, Any]:
    """Return what one must know to repeat the measurement."""
    pins = tomllib.loads((ROOT / "lab/versions.toml").read_text())
    versions = {"helm": run([helm(), "version", "--short"]).strip()}
    versions["buildkit"] = pins["modules"]["github.com/moby/buildkit"]
    return {**measured.about("tests.bench", words, "src", "k8s", "examples"), **versions}


def rows(rounds: int, chosen: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Yield the rows of all rounds."""
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            this = Round(number, Path(folder), chosen)
            try:
                yield from this.rows()
            finally:
                this.remove()


def main(words: list[str]) -> int:
    """Measure, print the tables, and write the document unless only a part was asked for."""
    options = arguments_of(words)
    if options.rounds < 1:
        sys.stderr.write(f"measure {options.rounds} rounds: give 1 or more\n")
        return 2
    raw = {"about": about(words), "rows": list(rows(options.rounds, tuple(options.only or NAMES)))}
    text = markdown(raw)
    sys.stdout.write(text)
    if not options.only:
        RAW.write_text(json.dumps(raw, indent=1) + "\n")
        DOCUMENT.write_text(measured.inserted(DOCUMENT.read_text(), text, "bench"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
