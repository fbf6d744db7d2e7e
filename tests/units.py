"""Reads a file of Python as units - functions, methods, classes - with the names, words and texts that each has.

Nothing is imported or run. tests/imports.py follows the names from unit to unit.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

TOP = ""
"""The unit of what a file runs when it is imported."""
VERB = "function"
"""The decorator of what a call names by a text: no attribute leads there, since many have such a name."""
_FOUND_BY_NAME = {"property", "cached_property", "classmethod", "staticmethod", "override", "check", "cache", VERB}
"""Decorators of methods that run only where somebody names them."""
_HARMLESS = {"object", "Protocol", "Generic", "NamedTuple", "Exception", "Enum", "StrEnum", "str", "ABC"}
"""Bases that call no method of theirs by another name."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Origin:
    """What a name was imported from."""

    module: str
    symbol: str = ""


@dataclass
class Unit:
    """What one piece of a file has in it."""

    names: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    """Names that are used as they are, not for one attribute."""
    parts: set[tuple[str, str]] = field(default_factory=set)
    """Names with the attribute that is read of them."""
    words: set[str] = field(default_factory=set)
    """Attributes and parameters: methods and fixtures are found by these."""
    texts: set[str] = field(default_factory=set)
    imports: dict[str, Origin] = field(default_factory=dict)


class _Reader(ast.NodeVisitor):
    """Fills a unit. Texts that are compared, looked up, or in a set name nothing that is called."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def visit_Name(self, node: ast.Name) -> None:
        self._unit.names.add(node.id)
        self._unit.whole.add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._unit.words.add(node.attr)
        if isinstance(node.value, ast.Name):
            self._unit.names.add(node.value.id)
            self._unit.parts.add((node.value.id, node.attr))
        else:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        self._unit.words.add(node.arg)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._unit.texts.add(node.value)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._unit.imports[alias.asname or alias.name.partition(".")[0]] = Origin(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self._unit.imports[alias.asname or alias.name] = Origin(node.module or "", alias.name)

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Set(self, node: ast.Set) -> None:
        self._all(node.elts, texts=False)

    def visit_Compare(self, node: ast.Compare) -> None:
        self._all([node.left, *node.comparators], texts=False)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        self._all([node.slice], texts=False)

    def visit_Dict(self, node: ast.Dict) -> None:
        self._all(filter(None, node.keys), texts=False)
        self._all(node.values, texts=True)

    def _all(self, nodes: Iterable[ast.expr], *, texts: bool) -> None:
        for node in nodes:
            if texts or not isinstance(node, ast.Constant):
                self.visit(node)


@dataclass
class Source:
    """A file as units: `f`, `C`, and `C.m` for a method that runs where its name is used."""

    units: dict[str, Unit]
    bases: dict[str, tuple[str, ...]]
    """The bases of each class whose methods others may call by names of their own."""
    methods: dict[str, dict[str, str]]
    """The units of each class's methods by the word that leads to them."""
    decorators: dict[str, frozenset[str]]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a file's text."""
        source = cls({TOP: Unit()}, {}, defaultdict(dict), {})
        for node in ast.parse(text).body:
            if isinstance(node, Function):
                source._function(node.name, node)
            elif isinstance(node, ast.ClassDef):
                source._class(node)
            else:
                _Reader(source.units[TOP]).visit(node)
        return source

    def _function(self, name: str, node: Function) -> None:
        self.units[name] = Unit()
        self.decorators[name] = frozenset(map(_shown, node.decorator_list))
        _Reader(self.units[name]).generic_visit(node)

    def _class(self, node: ast.ClassDef) -> None:
        unit = self.units[node.name] = Unit()
        reader = _Reader(unit)
        for part in (*node.bases, *node.keywords, *node.decorator_list):
            reader.visit(part)
        self.bases[node.name] = tuple(ast.unparse(base) for base in node.bases if _shown(base) not in _HARMLESS)
        for part in node.body:
            if not isinstance(part, Function):
                reader.visit(part)
            elif part.name.startswith("__") or not {*map(_shown, part.decorator_list)} <= _FOUND_BY_NAME:
                reader.generic_visit(part)
            else:
                name = f"{node.name}.{part.name}"
                self._function(name, part)
                if VERB not in self.decorators[name]:
                    self.methods[node.name][part.name] = name


def _shown(node: ast.expr) -> str:
    """Return the last name of a decorator or base, without its arguments."""
    if isinstance(node, ast.Call | ast.Subscript):
        return _shown(node.func if isinstance(node, ast.Call) else node.value)
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)
