"""The words of a `dagger call` as the module's own function and arguments, with the types that they are given."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
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


class ForTheCli(Exception):
    """Words that the CLI alone can carry out, such as a call of what a verb returns."""


@dataclass(frozen=True)
class Place:
    """Where a call is typed: relative paths begin there, and a .env is looked for from there on upwards."""

    folder: Path
    module: Path = ROOT
    """The repository of the module, from which it takes what nobody gives it."""

    def path(self, text: str) -> str:
        """Return a path that is given as one that holds everywhere."""
        return str(self.folder / text)

    def usual(self) -> dict[str, str]:
        """Return what the nearest .env sets of the module's arguments."""
        files = (above / ".env" for above in (self.folder, *self.folder.parents))
        return next((usual(file.read_text()) for file in files if file.is_file()), {})


@dataclass(frozen=True)
class Call:
    """A verb with what stands before it, behind it, and where its result is to be written."""

    settings: Mapping[str, str]
    verb: str
    flags: Mapping[str, str]
    output: str = ""

    @classmethod
    def of(cls, words: Iterable[str]) -> Call:
        """Read the words that follow `dagger call`."""
        settings, rest = _flags(list(words), _CONSTRUCTOR)
        verb, *rest = rest or [""]
        if verb not in _VERBS or _NOT_HERE in settings:
            raise ForTheCli(verb)
        flags, rest = _flags(rest, _VERBS[verb])
        output = ""
        if rest[:1] and rest[0] in _OUTPUT:
            _, output, *rest = rest
        if rest:
            raise ForTheCli(*rest)
        return cls(settings, verb, flags, output)

    @property
    def method(self) -> str:
        """Return the name of the verb's method."""
        return str(_VERBS[self.verb].original_name)

    def module(self, place: Place) -> PlaneraCi:
        """Return the module's object, as its flags and a .env describe it."""
        given = {**place.usual(), **self.settings}
        given.pop(_NOT_HERE, "")
        return PlaneraCi(**_arguments(_CONSTRUCTOR, given, place))

    def given(self, place: Place) -> dict[str, Any]:
        """Return the arguments of the verb."""
        return _arguments(_VERBS[self.verb], self.flags, place)


def usual(dotenv: str) -> dict[str, str]:
    """Return what a .env sets of the module's arguments."""
    prefix = "PLANERA_CI_"
    lines = (line.partition("=") for line in dotenv.splitlines() if line.startswith(prefix))
    return {name.removeprefix(prefix).lower(): text.strip('"') for name, _, text in lines}


def _arguments(function: Any, given: Mapping[str, str], place: Place) -> dict[str, Any]:
    """Return a function's arguments by the names that Python has for them."""
    found: dict[str, Any] = {}
    for python, parameter in function.parameters.items():
        if parameter.name in given:
            found[python] = _value(parameter.resolved_type, given[parameter.name], place)
        elif parameter.default_path:
            found[python] = _contextual(parameter, place)
    return found


def _flags(words: list[str], function: Any) -> tuple[dict[str, str], list[str]]:
    """Return the flags at the beginning, and what follows them; one that is not known is the CLI's to refuse."""
    kinds = {parameter.name: parameter.resolved_type for parameter in function.parameters.values()}
    flags: dict[str, str] = {}
    while words and words[0].startswith("--") and words[0] not in _OUTPUT:
        name, has_value, text = words.pop(0).removeprefix("--").partition("=")
        if name not in kinds or (kinds[name] is int and text and not text.isdigit()):
            raise ForTheCli(name)
        if not has_value:
            text = "true" if kinds[name] is bool else words.pop(0)
        flags[name] = text
    return flags, words


def _contextual(parameter: Any, place: Place) -> Any:
    """Return what an argument is from the module's own repository."""
    path = place.module / parameter.default_path.strip("/")
    folder = dag.host().directory(str(path), exclude=list(parameter.ignore or ()))
    return folder.as_git() if parameter.resolved_type is dagger.GitRepository else folder


def _value(kind: Any, text: str, place: Place) -> Any:
    """Return a word as the type that an argument has."""
    kinds = get_args(kind) or (kind,)
    if dagger.Directory in kinds:
        return dag.host().directory(place.path(text))
    if dagger.File in kinds:
        return dag.host().file(place.path(text))
    if dagger.Secret in kinds:
        scheme, _, rest = text.partition("://")
        at_home = rest.startswith("~")
        return dag.secret(f"file://{place.path(rest)}" if scheme == "file" and not at_home else text)
    if any(get_origin(each) is list for each in kinds):
        return text.split(",")
    if isinstance(kind, enum.EnumMeta):
        return kind(text)
    return {"true": True, "false": False}[text] if kind is bool else kind(text)
