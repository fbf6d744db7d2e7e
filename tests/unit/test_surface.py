"""What a user of the module sees: every function and argument, its help and its cache policy."""

from __future__ import annotations

import enum
import inspect
import keyword
import re
from typing import Any

import pytest
from dagger.mod._utils import extract_enum_member_doc, get_doc

from planera_ci import choices
from planera_ci.main import PlaneraCi

MODULE: Any = vars(PlaneraCi)["__dagger_module__"]
MAIN = MODULE.get_object("PlaneraCi")
FUNCTIONS = {name: function for name, function in MAIN.functions.items() if name}
CONSTRUCTOR = MAIN.get_constructor()
ENUMS = [cls for cls in vars(choices).values() if isinstance(cls, enum.EnumMeta)]

INWARD = {"render", "image"}
"""Functions whose answer depends on their arguments alone, so that Dagger may keep it."""

RESERVED = frozenset(
    {"debug", "progress", "output", "json", "lock", "silent", "web", "cloud", "workdir"}
    | {"interactive", "verbose", "quiet", "mod"}
)
"""Names that the CLI takes for itself (`dagger call --help`)."""

LONGEST = 72
"""Characters of a first line: a cell of the table that `dagger functions` prints."""

ARGUMENTS = [
    pytest.param(name, parameter, id=f"{function}-{name}")
    for function, owner in [("constructor", CONSTRUCTOR), *FUNCTIONS.items()]
    for name, parameter in owner.parameters.items()
]


def test_functions_are_found() -> None:
    """The tests below look at something."""
    assert {"build", "image", "test", "smoke", "publish", "render", "plan", "deploy", "verify"} <= FUNCTIONS.keys()
    assert {"rollback", "status", "history", "logs", "evidence"} <= FUNCTIONS.keys()
    assert len(ARGUMENTS) > len(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_documented_by_an_imperative_line(name: str) -> None:
    """A function's help begins with one short sentence that says what it does."""
    first, *rest = (FUNCTIONS[name].doc or "").splitlines() or [""]
    assert re.fullmatch(r"[A-Z].*\.", first), first
    assert len(first) <= LONGEST, f"{len(first)} characters: {first}"
    verb = re.split(r"\W", first)[0]
    assert verb not in {"The", "A", "An", "This", "It"}, first
    assert not verb.endswith(("s", "ing")) or verb in {"Process", "Pass"}, first
    assert not rest or not rest[0].strip(), "a blank line follows the first"


@pytest.mark.parametrize(("name", "parameter"), ARGUMENTS)
def test_argument_is_documented(name: str, parameter: Any) -> None:
    """Each flag's help says what it is, beginning with a capital and without a full stop."""
    assert parameter.doc, name
    assert re.fullmatch(r"[A-Z].*[^.]", parameter.doc, re.DOTALL), parameter.doc


@pytest.mark.parametrize(("name", "parameter"), ARGUMENTS)
def test_argument_is_one_word_that_is_free(name: str, parameter: Any) -> None:
    """A default from .env needs a name of one word, and the CLI must not have taken it."""
    assert re.fullmatch(r"[a-z]+", name), name
    same = parameter.name == name or keyword.iskeyword(parameter.name)
    assert same, "the name is the same in Python and on the command line, unless Python has taken it"
    assert name not in RESERVED
    assert not keyword.iskeyword(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_outward_function_is_never_cached(name: str) -> None:
    """What touches a registry, a cluster or the clock is done each time that it is asked for."""
    if name in INWARD:
        assert FUNCTIONS[name].cache_policy is None, "a pure function keeps Dagger's default"
    else:
        assert FUNCTIONS[name].cache_policy == "never"


CHANGING = {"deploy": {"commit", "confirm", "release", "rollback"}, "rollback": {"to"}}
"""The verbs that change an environment, with the arguments of their own."""


@pytest.mark.parametrize("name", CHANGING)
def test_verbs_that_change_an_environment_share_their_arguments(name: str) -> None:
    """Who knows how one is told to wait, and how its report is shown, knows it of the other."""
    shared = {"env": ..., "within": 300, "wait": 300, "shown": choices.Format.TEXT}
    parameters = FUNCTIONS[name].parameters
    assert parameters.keys() == shared.keys() | CHANGING[name]
    given = inspect.signature(getattr(PlaneraCi, name)).parameters
    for argument, default in shared.items():
        assert given[argument].default == (inspect.Parameter.empty if default is ... else default), argument


def test_failed_deployment_is_rolled_back_unless_told_otherwise() -> None:
    """What nobody looks at puts itself in order; a rollback without a number goes to the last good revision."""
    assert inspect.signature(PlaneraCi.deploy).parameters["rollback"].default is True
    assert inspect.signature(PlaneraCi.rollback).parameters["to"].default == 0
    assert inspect.signature(PlaneraCi.evidence).parameters["revision"].default == 0


def test_every_verb_about_an_environment_names_it() -> None:
    """No verb that looks at or changes an environment has one by default."""
    for name in ("publish", "render", "plan", "deploy", "rollback", "verify", "status", "history", "logs", "evidence"):
        assert inspect.signature(getattr(PlaneraCi, name)).parameters["env"].default is inspect.Parameter.empty, name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_is_one_word(name: str) -> None:
    """A verb that a user says."""
    assert re.fullmatch(r"[a-z]+", name)


def test_module_and_its_types_are_documented() -> None:
    """The main object and each enum say what they are, and so does each member."""
    assert get_doc(PlaneraCi)
    assert ENUMS
    for cls in ENUMS:
        assert get_doc(cls), cls
        assert extract_enum_member_doc(cls).keys() == cls.__members__.keys()


def test_secrets_are_passed_as_secrets() -> None:
    """No argument that holds a credential is plain text."""
    assert "Secret" in str(FUNCTIONS["rotate"].parameters["value"].resolved_type)
    hidden = {"token", "kubeconfig", "jwt"}
    for name in hidden & CONSTRUCTOR.parameters.keys():
        assert "dagger.Secret" in str(CONSTRUCTOR.signature.parameters[name].annotation)
    assert hidden <= CONSTRUCTOR.parameters.keys()
