"""The command that shows a failure once more: the step that failed, on the same commit, as a user types it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping

from planera_ci.errors import ApplicationTestError, BuildError, PlaneraError, SmokeError

_STEPS: Mapping[type[PlaneraError], str] = {BuildError: "build", ApplicationTestError: "test", SmokeError: "smoke"}
"""Verbs that do one step alone, without a registry and a cluster."""

_SMOKED = "smoke test "


def step_of(error: PlaneraError) -> str:
    """Return the verb that does alone what failed; nothing where there is none."""
    return _STEPS.get(type(error), "")


def commands(
    words: str, error: PlaneraError, verb: tuple[str, ...], environment: str, commit: str, known: Iterable[str]
) -> tuple[str, ...]:
    """Return the command that fails the same way, and for a container that can be run here one that leads into it."""
    at = f"{words} --at {commit}" if commit else words
    step = step_of(error)
    if not step:
        return (f"{at} {shlex.join(verb)}",)
    first = f"{at} {step} --env {environment}"
    name = error.act.removeprefix(_SMOKED) if step == "smoke" else ""
    if name not in known:
        return (first,)
    return (first, f"{at} inside --env {environment} --component {name} terminal")


def flags(given: Mapping[str, str]) -> str:
    """Return the module's own arguments as words of a command; what was not given is left out."""
    return "".join(f" --{name} {shlex.quote(value)}" for name, value in given.items() if value)
