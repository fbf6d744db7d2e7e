"""The words of a `dagger call` as the module's own function and arguments, with the types that they are given."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

import dagger
from dagger import dag

from planera_ci.main import PlaneraCi
from tests.e2e.paths import ROOT

MODULE: Any = vars(PlaneraCi)["__dagger_module__"]
_MAIN = MODULE.get_object("PlaneraCi")
_VERBS: dict[str, Any] = {name: function for name, function in _MAIN.functions.items() if name}
_CONSTRUCTOR = _MAIN.get_constructor()
_OUTPUT = ("-o", "--output")
_NOT_HERE = "cluster"
"""The tunnel to a cluster on the CLI's own machine: who is in the lab's network needs none."""


@dataclass(frozen=True)
class Call:
    """A verb with what stands before it, behind it, and where its result is to be written."""

    settings: Mapping[str, str]
    verb: str
    flags: Mapping[str, str]
    output: str = ""

    @classmethod
    def of(cls, words: tuple[str, ...]) -> Call:
        """Read the words that follow `dagger call`; what calls on with what a verb returns is the CLI's alone."""
        settings, rest = _flags(words)
        assert rest, f"no verb in {words}"
        flags, output = _flags(rest[1:])
        place = ""
        if output[:1] and output[0] in _OUTPUT:
            place, output = output[1], output[2:]
        assert not output, f"{output} is for the CLI"
        return cls(settings, rest[0], flags, place)

    def function(self) -> Any:
        """Return the verb as the module declares it."""
        assert self.verb in _VERBS, f"the module has no function {self.verb}"
        return _VERBS[self.verb]

    def module(self, usual: Mapping[str, str]) -> PlaneraCi:
        """Return the module's object, as its flags and a .env describe it."""
        given = {**usual, **self.settings}
        assert _NOT_HERE not in self.settings, "a tunnel is the CLI's"
        return PlaneraCi(**arguments(_CONSTRUCTOR, {name: text for name, text in given.items() if name != _NOT_HERE}))

    def given(self) -> dict[str, Any]:
        """Return the arguments of the verb."""
        return arguments(self.function(), self.flags)


def usual(dotenv: str) -> dict[str, str]:
    """Return what a .env sets of the module's arguments."""
    prefix = "PLANERA_CI_"
    lines = (line.partition("=") for line in dotenv.splitlines() if line.startswith(prefix))
    return {name.removeprefix(prefix).lower(): text.strip('"') for name, _, text in lines}


def arguments(function: Any, given: Mapping[str, str]) -> dict[str, Any]:
    """Return a function's arguments by the names that Python has for them."""
    by_name = {parameter.name: (python, parameter) for python, parameter in function.parameters.items()}
    unknown = given.keys() - by_name.keys()
    assert not unknown, f"unknown flags: {unknown}"
    found: dict[str, Any] = {}
    for name, (python, parameter) in by_name.items():
        if name in given:
            found[python] = _value(parameter.resolved_type, given[name])
        elif parameter.default_path:
            found[python] = _contextual(parameter)
    return found


def _flags(words: tuple[str, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the flags at the beginning, and what follows them."""
    flags: dict[str, str] = {}
    rest = list(words)
    while rest and rest[0].startswith("--") and not rest[0].startswith(_OUTPUT[1]):
        name, has_value, text = rest.pop(0).removeprefix("--").partition("=")
        flags[name] = text if has_value else "true"
    return flags, tuple(rest)


def _contextual(parameter: Any) -> Any:
    """Return what an argument is from the module's own repository."""
    folder = dag.host().directory(str(ROOT / parameter.default_path.strip("/")), exclude=list(parameter.ignore or ()))
    return folder.as_git() if parameter.resolved_type is dagger.GitRepository else folder


def _value(kind: Any, text: str) -> Any:
    """Return a word as the type that an argument has."""
    kinds = get_args(kind) or (kind,)
    if dagger.Directory in kinds:
        return dag.host().directory(str(Path(text).absolute()))
    if dagger.File in kinds:
        return dag.host().file(str(Path(text).absolute()))
    if dagger.Secret in kinds:
        return dag.secret(text)
    if any(get_origin(each) is list for each in kinds):
        return text.split(",")
    if isinstance(kind, enum.EnumMeta):
        return kind(text)
    return {"true": True, "false": False}[text] if kind is bool else kind(text)
