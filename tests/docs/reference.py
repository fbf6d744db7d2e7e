"""Writes docs/reference.md from what the module tells Dagger of itself: `make reference`.

The SDK turns decorated classes into functions, arguments and types, which `dagger call --help` shows; the same
objects are read here, so that no engine is needed.
"""

from __future__ import annotations

import enum
import inspect
import json
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagger
from dagger.mod._utils import extract_enum_member_doc, get_doc

from planera_ci.main import PlaneraCi
from tests.texts import ROOT

FILE = ROOT / "docs/reference.md"
GROUPS = {
    "Build and try": ("build", "image", "test", "smoke", "render"),
    "Release and deploy": ("publish", "plan", "deploy", "rollback", "rotate"),
    "Look": ("verify", "status", "history", "evidence", "logs", "inside", "version"),
    "Take data out and put them back": ("backup", "restore"),
    "Give access": ("access",),
    "Serve a CI, and this repository": ("ci", "checks"),
}
"""The functions in the order of the README's table, under what they are for."""

_HEAD = """\
# Reference

Every function, argument and choice of the module. `make reference` writes this file from the module itself, and the
checks fail where the two differ. What the functions are good for says the [README](../README.md#functions).

<!-- page not run: these are forms of commands, no commands -->

    dagger call [SETTINGS] FUNCTION [ARGUMENTS]

What a function returns as a file or a folder is saved by `-o PATH`.
"""
_SETTINGS = """\
## Settings

They stand before the function. Each may stand in a `.env` instead, as `PLANERA_CI_` and its name in capital letters:
[.env.example](../.env.example). A secret is an address: `env://NAME`, `file://PATH` or `cmd://COMMAND`.
"""
_TAKES = {
    str: "text",
    int: "number",
    bool: "true or false",
    list[str]: "texts, by commas",
    dagger.Directory: "folder",
    dagger.File: "file",
    dagger.Container: "container",
    dagger.GitRepository: "git repository",
    dagger.Secret: "secret",
    dagger.Service: "service",
}


def metadata() -> tuple[Mapping[str, Any], Any]:
    """Return the module's functions and its constructor, as the SDK gives them to the engine."""
    main = vars(PlaneraCi)["__dagger_module__"].get_object("PlaneraCi")
    return {name: function for name, function in main.functions.items() if name}, main.get_constructor()


def reference() -> str:
    """Return the whole document."""
    functions, constructor = metadata()
    known = [name for names in GROUPS.values() for name in names]
    wrong = sorted(functions.keys() ^ set(known))
    if wrong:
        raise LookupError(f"put {', '.join(wrong)} into GROUPS of tests/docs/reference.py, or take it out")
    parts = [_HEAD, _contents(functions), _SETTINGS, _table(constructor.parameters.values())]
    for group, names in GROUPS.items():
        parts.append(f"## {group}\n")
        parts.extend(_function(name, functions[name]) for name in names)
    owners = [constructor, *functions.values()]
    parts.append("## Choices\n")
    parts.extend(_choice(cls) for cls in _choices(owners))
    return "\n".join(parts)


def _contents(functions: Mapping[str, Any]) -> str:
    rows = []
    for group, names in GROUPS.items():
        rows.append(f"| **{group}** | |")
        rows.extend(f"| [`{name}`](#{name}) | {_first(functions[name].doc)} |" for name in names)
    return "\n".join(["| function | does |", "|---|---|", *rows, ""])


def _function(name: str, function: Any) -> str:
    first, _, rest = inspect.cleandoc(function.doc).partition("\n\n")
    parameters = tuple(function.parameters.values())
    needed = "".join(f" --{each.name} {each.name.upper()}" for each in parameters if not _optional(each))
    parts = [f"### {name}\n", f"{first}\n", f"    dagger call {name}{needed}\n"]
    if rest:
        parts.append(f"{rest}\n")
    if parameters:
        parts.append(_table(parameters))
    kept = "" if function.cache_policy == "never" else " The engine may keep the answer to the same arguments."
    returned = _takes(function.return_type)
    parts.append(f"Returns {'text' if returned == 'text' else f'a {returned}'}.{kept}\n")
    return "\n".join(parts)


def _table(parameters: Iterable[Any]) -> str:
    rows = [
        f"| `--{each.name}` | {_takes(each.resolved_type)} | {_default(each)} | {_cell(each.doc)} |"
        for each in parameters
    ]
    return "\n".join(["| argument | takes | default | |", "|---|---|---|---|", *rows, ""])


def _optional(parameter: Any) -> bool:
    return bool(parameter.is_optional or parameter.default_path)


def _default(parameter: Any) -> str:
    """Return what is used where an argument is not given."""
    if parameter.default_path:
        return f"`{parameter.default_path}` of this repository"
    if not parameter.is_optional:
        return "must be given"
    default = parameter.signature.default
    if isinstance(default, enum.Enum):
        default = default.value
    if default in (None, "", inspect.Parameter.empty):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _takes(hint: Any) -> str:
    """Return a type as the command line takes it."""
    hint = _bare(hint)
    if isinstance(hint, enum.EnumMeta):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return _TAKES[hint]


def _bare(hint: Any) -> Any:
    """Return a type without the nothing that it may be instead."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        (hint,) = (each for each in typing.get_args(hint) if each is not types.NoneType)
    return hint


def _choices(owners: Iterable[Any]) -> Iterator[enum.EnumMeta]:
    hints = [_bare(each.resolved_type) for owner in owners for each in owner.parameters.values()]
    yield from dict.fromkeys(hint for hint in hints if isinstance(hint, enum.EnumMeta))


def _choice(cls: enum.EnumMeta) -> str:
    docs = extract_enum_member_doc(cls)
    rows = [f"| `{member.value}` | {_cell(docs[name].description)} |" for name, member in cls.__members__.items()]
    return "\n".join([f"### {cls.__name__}\n", f"{get_doc(cls)}\n", "| choice | |", "|---|---|", *rows, ""])


def _first(doc: str) -> str:
    return _cell(doc.partition("\n")[0].removesuffix("."))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(reference(), encoding="utf-8")
