"""Measure how plan, deploy and rollout grow: `python -m tests.bench.scale [--objects 10,100,1000] [--replicas 1,10]`.

The objects are a Deployment of one pod, its Service, and ConfigMaps of some 400 bytes each. Each size has a namespace
of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests import measured as machine
from tests.bench.growth import WHOLE, markdown, worse_than_linear
from tests.bench.scaled import LEAST, make_scaled, resize, room
from tests.e2e.harness import ROOT, App, Outcome

Facts = dict[str, Any]
DOCUMENT, RAW = ROOT / "docs/benchmarks.md", ROOT / "docs/scale.json"
OBJECTS, REPLICAS = (10, 100, 1000), (1, 10, 100)
_WITHIN = 500
_INSIDE = re.compile(r"PlaneraCi\.(?:plan|deploy)\b.* DONE \[(?:(\d+)m)?([\d.]+)s\]")


def measured(objects: Iterable[int] = OBJECTS, replicas: Iterable[int] = REPLICAS, rounds: int = 1) -> Facts:
    """Measure every size in turn, so many times; say on standard error what is measured, and what came of it."""
    objects, replicas = tuple(objects), tuple(replicas)
    raw: Facts = {"objects": [], "replicas": []}
    for number in range(rounds):
        for what, sizes, measure in (("objects", objects, of_objects), ("replicas", replicas, of_replicas)):
            for size in sizes:
                sys.stderr.write(f"round {number + 1}: {size} {what}\n")
                with tempfile.TemporaryDirectory() as name:
                    app = make_scaled(f"z{secrets.token_hex(3)}", Path(name))
                    try:
                        raw[what].append({"size": size, "cases": measure(app, size)})
                        sys.stderr.write(f"{json.dumps(raw[what][-1])}\n")
                    finally:
                        app.remove()
    return raw


def of_objects(app: App, count: int) -> Facts:
    """Measure a plan and deployments of so many objects."""
    resize(app, count, 1, "first")
    cases = {"plan, all new": planned(app), "deploy, first": deployed(app), "deploy, nothing changed": deployed(app)}
    resize(app, count, 1, "second")
    return {**cases, "plan, all changed": planned(app), "deploy, all changed": deployed(app)}


def of_replicas(app: App, count: int) -> Facts:
    """Measure a rollout of so many pods: as a whole, and what is our own part of it."""
    resize(app, LEAST, count, "first")
    outcome, report = _report(app)
    whole = {WHOLE: round(outcome.seconds, 1), "apply and rollout": _steps(report, "apply", "rollout")}
    own = {"verdict": report["verdict"]["seconds"], "verify": _steps(report, "verify")}
    return {"deploy": {**whole, **own, "memory": report["memory"], "cpu": report["cpu"]}}


def planned(app: App) -> Facts:
    """Plan; return what the call took, and what the function within it."""
    outcome = app.call("plan", "--env=staging")
    assert outcome.code == 0, outcome.err[-4000:]
    return {WHOLE: round(outcome.seconds, 1), "function": _inside(outcome)}


def deployed(app: App) -> Facts:
    """Deploy; return what the call, the function and the steps in the cluster took."""
    outcome, report = _report(app)
    steps = {name: _steps(report, name) for name in ("apply", "verify")}
    spent = {"memory": report["memory"], "cpu": report["cpu"]}
    return {WHOLE: round(outcome.seconds, 1), "function": _inside(outcome), **steps, **spent}


def _report(app: App) -> tuple[Outcome, Facts]:
    outcome = app.deploy("--shown=json", f"--within={_WITHIN}")
    return outcome, outcome.report()


def _steps(report: Facts, *names: str) -> float:
    return round(sum(step["seconds"] for step in report["steps"] if step["name"] in names), 3)


def _inside(outcome: Outcome) -> float:
    """Return the seconds that the progress gives for the function."""
    minutes, seconds = _INSIDE.findall(outcome.err)[-1]
    return 60 * int(minutes or 0) + float(seconds)


def sizes(text: str) -> tuple[int, ...]:
    """Read sizes of the command line, the smallest first."""
    numbers: list[int] = []
    with suppress(ValueError):
        numbers = [int(word) for word in text.split(",") if word]
    if (text and not numbers) or any(number < 1 for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers above 0, such as 10,100")
    return tuple(sorted(set(numbers)))


def arguments_of(words: list[str]) -> argparse.Namespace:
    """Read the command line; what cannot be measured is told before anything is."""
    parser = argparse.ArgumentParser("python -m tests.bench.scale", description="Measure how time and memory grow.")
    parser.add_argument("--objects", type=sizes, default=OBJECTS, help="sizes of manifests; '' for none")
    parser.add_argument("--replicas", type=sizes, default=REPLICAS, help="numbers of pods; '' for none")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args(words)
    if any(count < LEAST for count in options.objects):
        parser.error(f"--objects: {LEAST} objects are always there: a Deployment and a Service")
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    if "_EXPERIMENTAL_DAGGER_RUNNER_HOST" not in os.environ:
        parser.error("it needs the lab: lab/lab run -- python -m tests.bench.scale")
    if options.replicas and (free := room()) < options.replicas[-1]:
        parser.error(f"--replicas: the cluster's nodes have room for {free} more pods; take {free} for the most")
    return options


def _measured_on(about: Facts, rounds: int) -> str:
    return (
        f"Measured {about['date']}: planera-ci {about['planera-ci']}, Kubernetes {about['kubernetes']} (the lab: "
        f"one node), {about['cores']} cores, {about['memory']}; medians of {rounds} round{'s' if rounds > 1 else ''}. "
        + machine.again(about, RAW.name)
    )


def main(words: list[str]) -> int:
    """Measure, print figures, tables and what grows worse than linearly; write the document if it is all sizes."""
    options = arguments_of(words)
    raw = measured(options.objects, options.replicas, options.rounds)
    worse = worse_than_linear(raw)
    text = markdown(raw)
    sys.stdout.write(f"{json.dumps(raw)}\n\n{text}")
    if (options.objects, options.replicas) == (OBJECTS, REPLICAS):
        about = machine.about("tests.bench.scale", words, "src", "k8s", "examples")
        RAW.write_text(json.dumps({"about": about, **raw}, indent=1) + "\n")
        said = "".join(f"- worse than linear: {each}\n" for each in worse) or "Nothing grows worse than linearly.\n"
        DOCUMENT.write_text(
            machine.inserted(DOCUMENT.read_text(), f"{_measured_on(about, options.rounds)}\n\n{text}\n{said}", "scale")
        )
    sys.stdout.write("".join(f"worse than linear: {each}\n" for each in worse))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
