"""Each verb and each flag through the CLI, at least once: what it adds to the module's own code is tried here.

Most tests call a verb in a process of their own (tests/e2e/inprocess.py). The CLI reads the words, fills in a `.env`,
opens the tunnel to the cluster, starts the module in the engine, and passes on what it prints and how it ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.docs.blocks import Mark, commands
from tests.docs.calls import FUNCTIONS, SETTINGS, call_of
from tests.e2e import registry
from tests.e2e.harness import ROOT, App, Outcome
from tests.e2e.test_checks import CALLS as CHECKS
from tests.e2e.test_data import CALLS as DATA

_COMMIT = "0123abc0123abc0123abc0123abc0123abc0123a"
_CONTEXTUAL = {"example", "git", "stock"}
"""Settings that the module fills from its own repository: nobody gives them."""
_INWARD = {"version", "build", "test", "smoke", "image", "render"}
"""Verbs that touch neither the registry nor the cluster; they are typed before those that do."""
_WAITS = ("--within=120", "--wait=30")


@dataclass(frozen=True)
class Typed:
    """A call as it is typed, and what it must print."""

    words: tuple[str, ...]
    says: str
    settings: tuple[str, ...] = ()
    fails: bool = False
    env: dict[str, str] = field(default_factory=dict)
    output: str = ""
    """Name of a file or folder that the result is written to."""

    def __str__(self) -> str:
        """Name the call by its verb and what is special about it."""
        return " ".join((*self.settings, *self.words))[:60]


_CALLS = (
    Typed(("version",), "planera-ci "),
    Typed(("build", "--env=staging"), "backend, frontend built"),
    Typed(("test", "--env=staging"), "backend, frontend passed"),
    Typed(("smoke", "--env=staging", f"--commit={_COMMIT}"), "backend /health 200"),
    Typed(("image", "--component=backend", "user"), "10001:10001"),
    Typed(("render", "--env=staging", "contents"), "image: planera-backend", ("--at=HEAD",)),
    Typed(("publish", "--env=staging", f"--commit={_COMMIT}"), "ghcr.io/"),
    Typed(("plan", "--env=staging", f"--commit={_COMMIT}"), "0 unchanged, 0 removed"),
    Typed(
        ("deploy", "--env=staging", f"--commit={_COMMIT}", "--confirm=x", *_WAITS, "--rollback=false", "--shown=json"),
        '"outcome": "succeeded"',
        ("--name=planera", "--registry=ghcr.io", "--user=planera", "--run=https://ci.example/9", "--jwt=env://FIRST"),
        env={"FIRST": "a-first-signing-key-5c1d"},
    ),
    Typed(
        ("rotate", "--env=staging", "--secret=jwt-secret", "--value=env://NEW", "--drop", *_WAITS, "--shown=json"),
        "jwt-secret: the value before is dropped",
        env={"NEW": "a-second-signing-key-91be"},
    ),
    Typed(("logs", "--env=staging", "--component=backend", "--lines=1"), "==> backend-"),
    Typed(("backup", "--env=staging", "--kept=nightly-20200101T000000Z.tar"), "nightly-20200101T000000Z.tar", (), True),
    Typed(("rollback", "--env=staging", "--to=1", *_WAITS, "--shown=json"), "revision 1 put back"),
    Typed(("access", "--env=staging", "--hours=1"), "# deployer of", ("--kubeconfig=file://KUBECONFIG",)),
    Typed(
        ("plan", "--env=staging", "--release=9999999"),
        "read --release 9999999: staging is built for, nothing is promoted to it",
        fails=True,
    ),
    Typed(
        ("deploy", "--env=staging", "--release=9999999"),
        "read --release 9999999: staging is built for, nothing is promoted to it",
        fails=True,
    ),
    Typed(("rotate", "--env=production", "--secret=jwt-secret", "--confirm=no"), "rotate-production", (), True),
    Typed(
        ("inside", "--component=migrate", "--env=staging", f"--commit={_COMMIT}", "with-exec", "--args=id", "stdout"),
        "uid=10001",
    ),
    Typed(
        (
            *("ci", "--verb=rollback", "--env=staging", f"--commit={_COMMIT}", "--confirm=x", "--release=9999999"),
            *("--to=99", *_WAITS, "--again=dagger call", f"--repo={ROOT}/examples"),
        ),
        "",
        output="job",
    ),
)


@pytest.fixture(scope="module")
def own(make: Callable[[], App]) -> App:
    return make()


@pytest.mark.parametrize("typed", _CALLS, ids=str)
def test_call_prints_what_its_verb_does(own: App, typed: Typed) -> None:
    """In this order, as somebody works on an application: what one leaves the next one finds."""
    outcome = _run(own, typed)
    assert bool(outcome.code) is typed.fails, outcome.err[-3000:]
    assert typed.says in (outcome.err if typed.fails else outcome.out), outcome.out + outcome.err[-3000:]
    assert not typed.fails or "Error: planera-ci: " in outcome.err
    if typed.output:
        assert (own.folder / typed.output).exists()
    if typed.words[0] in _INWARD:
        assert not own.touched()
        assert not registry.has(own.repository("backend"))


def _run(app: App, typed: Typed) -> Outcome:
    given = {"HEAD": app.head(), "KUBECONFIG": os.environ["KUBECONFIG"]}
    words = [_filled(word, given) for word in typed.words]
    where = ("-o", str(app.folder / typed.output)) if typed.output else ()
    return app.typed(*words, *where, flags=tuple(_filled(word, given) for word in typed.settings), env=typed.env)


def _filled(word: str, given: dict[str, str]) -> str:
    name, _, value = word.partition("=")
    for key, text in given.items():
        value = value.replace(key, text) if value.endswith(key) else value
    return f"{name}={value}" if value else word


def test_run_that_deployed_is_named(own: App) -> None:
    """What --run gave is where others see who did it."""
    assert "https://ci.example/9" in json.dumps(own.get("configmaps"))


def test_folder_of_a_job_has_its_exit_code(own: App) -> None:
    """A revision that is not there fails the verb, and not the call."""
    assert (own.folder / "job/code").read_text() == "1\n"
    assert "there is no revision 99" in json.loads((own.folder / "job/report.json").read_text())["error"]


def test_no_verb_and_no_flag_is_left_out() -> None:
    """Of what the module declares everything is typed: here, where checks, backups and pages are tried."""
    pages = [call_of(each.text) for each in commands() if each.mark and each.mark.kind == Mark("run when", "").kind]
    typed = TYPED | {(call.function, flag) for call in pages if call for flag in ("", *call.flags)}
    assert {verb for verb, _ in typed} == set(FUNCTIONS)
    for verb, function in FUNCTIONS.items():
        declared = {"", *(parameter.name for parameter in function.parameters.values())}
        assert {(verb, flag) for flag in declared} <= typed, verb
    settings = set().union(*(_flags((*call.settings, *_ALWAYS)) for call in _CALLS))
    assert set(SETTINGS) - _CONTEXTUAL <= settings | {each for call in pages if call for each in call.settings}


def _flags(words: Iterable[str]) -> set[str]:
    return {word.removeprefix("--").partition("=")[0] for word in words if word.startswith("--")}


# Where the lab's .env stands in for a reader's own, that is how the last two come to a call.
_ALWAYS = (*App("any", Path()).flags, "--token=", "--cluster=")
TYPED = {
    (words[0], flag) for words in (*(call.words for call in _CALLS), *CHECKS, *DATA) for flag in ("", *_flags(words))
}
"""The verbs that are typed here, each with its flags; a page's call that has nothing else needs no CLI."""
