"""Hold a load through a deployment, a rollback and a node's drain, and count: `python -m tests.downtime.bench`."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from tests import measured
from tests.downtime.load import RATE, Figures, load
from tests.downtime.shape import Production, production, second_node
from tests.downtime.table import markdown, table
from tests.e2e.harness import ROOT, run

DOCUMENT, RAW = ROOT / "docs/zero-downtime.md", ROOT / "docs/zero-downtime.json"
_QUIET, _TWO = 60.0, 2


def quiet(_: Production) -> None:
    """Let the load run on an application that nobody touches: what the others are compared with."""
    threading.Event().wait(_QUIET)


def deployment(made: Production) -> None:
    """Deploy a new version of both components."""
    made.change()
    made.app.deployed()


def rollback(made: Production) -> None:
    """Put the release before back."""
    outcome = made.app.call("rollback", "--env=staging")
    assert outcome.code == 0, outcome.err[-2000:]


def drain(made: Production) -> None:
    """Drain the node that serves without the database, wait until all serve elsewhere, and give it back."""
    nodes = made.nodes()
    chosen = {*nodes["backend"], *nodes["frontend"]} - {*nodes["postgres"]}
    assert chosen, f"no node but the database's has a pod of the application: {nodes}"
    node = min(chosen)
    try:
        run(["kubectl", "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s"])
        made.ready()
    finally:
        run(["kubectl", "uncordon", node])


PHASES: dict[str, Callable[[Production], None]] = {
    "quiet": quiet,
    "deployment": deployment,
    "rollback": rollback,
    "drain": drain,
}


def nodes() -> int:
    """Return how many nodes take pods."""
    found = json.loads(run(["kubectl", "get", "nodes", "-o", "json"]))["items"]
    return len([node for node in found if not node["spec"].get("unschedulable")])


def counted(made: Production, name: str, rate: int = RATE) -> Figures:
    """Return the figures of a phase: from before it until the last pod that it ended is gone."""
    with load(made.app, rate) as figures:
        PHASES[name](made)
        made.settled()
    return {"phase": name, "load_average": round(os.getloadavg()[0], 1), "nodes": nodes(), **figures}


def measured_drain(made: Production) -> Figures:
    """Return the figures of a drain, with another node to go to."""
    with second_node():
        if nodes() < _TWO:
            sys.stdout.write("drain: left out: this cluster has one node: add another one\n")
            return {}
        made.spread()
        return counted(made, "drain")


def about(words: list[str], phases: list[Figures]) -> Figures:
    """Return what one must know to repeat the measurement."""
    busy = [each["load_average"] for each in phases]
    figures = {"nodes": max(each["nodes"] for each in phases), "busy": [min(busy), max(busy)], "rate": RATE}
    return {**measured.about("tests.downtime.bench", words, "src", "k8s", "examples"), **figures}


def main(words: list[str]) -> int:
    """Measure, print the table, and write the document unless only a part was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.downtime.bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(PHASES), help="only this phase; writes no document")
    parser.add_argument("--plain", action="store_true", help="without the cookies, to compare; writes no document")
    options = parser.parse_args(words)
    phases: list[Figures] = []
    with tempfile.TemporaryDirectory() as folder:
        name = f"d{secrets.token_hex(3)}"
        with production(name, Path(folder) / "app", plain=options.plain, cli=True) as made:
            for phase in options.only or PHASES:
                found = measured_drain(made) if phase == "drain" else counted(made, phase)
                if found:
                    phases.append(found)
                    sys.stdout.write(json.dumps(found) + "\n")
                    sys.stdout.flush()
    sys.stdout.write(table(phases) + "\n")
    if not (options.only or options.plain):
        raw = {"about": about(words, phases), "phases": phases}
        RAW.write_text(json.dumps(raw, indent=2) + "\n")
        DOCUMENT.write_text(measured.inserted(DOCUMENT.read_text(), markdown(raw), "downtime"))
    return 1 if any(each["failed"] or each["mixed"] for each in phases) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
