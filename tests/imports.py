"""Follows the names of the repository's Python from unit to unit, and tells what somebody comes to who begins at some.

A name leads to the function or class that it was imported as, wherever it is imported; so a function that imports what
it needs is told from its neighbours in the same file. A method is come to when its class is, and a unit names it. What
is imported and not used counts for nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.units import TOP, Origin, Source, Unit

ROOTS = ("src/", "lab/src/", "lab/tests/", "")
"""Folders in which Python looks for the repository's modules."""
Node = tuple[str, str]
"""A file and a unit of it."""


@dataclass
class Reached:
    """What somebody comes to."""

    nodes: set[Node] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)

    @property
    def files(self) -> set[str]:
        """Return the files of which something is come to."""
        return {file for file, _ in self.nodes}


def _said(text: str) -> list[str]:
    """Return a text, or the words of one that is a command."""
    return text.split() if " call " in text else [text]


class Graph:
    """The units of some files, and what leads from one to another."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = {file: Source.read(text) for file, text in sources.items()}

    def reached(
        self, start: Iterable[Node], by_word: Mapping[str, Iterable[Node]], by_text: Mapping[str, Node]
    ) -> Reached:
        """Return what is come to from here; some units wait for a word, and some for a text of the tests."""
        found, words = Reached(), set[str]()
        waiting = defaultdict(list, {word: list(nodes) for word, nodes in by_word.items()})
        to_do = list(start)
        while to_do:
            node = to_do.pop()
            if node in found.nodes:
                continue
            found.nodes.add(node)
            file, name = node
            unit = self.sources[file].units[name]
            to_do.extend([(file, TOP), *self._named(file, unit)])
            for word, method in self._methods(node):
                waiting[word].append(method)
            words |= unit.words
            for word in words & waiting.keys():
                to_do.extend(waiting.pop(word))
            if not file.startswith("src/"):
                found.texts |= unit.texts
                to_do.extend(by_text[word] for text in unit.texts for word in _said(text) if word in by_text)
        return found

    def whole(self, file: str) -> list[Node]:
        """Return all units of a file."""
        return [(file, name) for name in self.sources[file].units]

    def _methods(self, node: Node) -> Iterator[tuple[str, Node]]:
        """Yield a class's methods with the word that leads to each."""
        file, name = node
        yield from ((word, (file, method)) for word, method in self.sources[file].methods.get(name, {}).items())

    def _named(self, file: str, unit: Unit) -> Iterator[Node]:
        """Yield what the names of a unit stand for."""
        source = self.sources[file]
        imports = {**source.units[TOP].imports, **unit.imports}
        for name in unit.names:
            if name in source.units:
                yield from self._symbol(file, name)
            elif name in imports:
                attributes = {attribute for of, attribute in unit.parts if of == name}
                yield from self._imported(imports[name], attributes, whole=name in unit.whole)

    def _imported(self, origin: Origin, attributes: Iterable[str], *, whole: bool) -> Iterator[Node]:
        """Yield what an imported name stands for: a module's parts, all of it, or a part of a module."""
        module = self._file(f"{origin.module}.{origin.symbol}" if origin.symbol else origin.module)
        if module:
            yield (module, TOP)
            if whole:
                yield from self.whole(module)
            for attribute in attributes:
                yield from self._symbol(module, attribute)
        elif origin.symbol and (file := self._file(origin.module)):
            yield from self._symbol(file, origin.symbol)

    def _symbol(self, file: str, name: str) -> Iterator[Node]:
        """Yield a part of a module, wherever that has it from; others may call any method of a class of theirs."""
        source = self.sources[file]
        yield (file, TOP)
        if name in source.units:
            yield (file, name)
            if any(not self._ours(file, base) for base in source.bases.get(name, ())):
                yield from ((file, method) for method in source.methods.get(name, {}).values())
        elif origin := source.units[TOP].imports.get(name):
            yield from self._imported(origin, (), whole=False)

    def _ours(self, file: str, base: str) -> bool:
        """Tell whether a base class is one of the repository's."""
        source, name = self.sources[file], base.partition(".")[0].partition("[")[0]
        origin = source.units[TOP].imports.get(name)
        return name in source.units or bool(origin and self._file(origin.module))

    def _file(self, module: str) -> str:
        """Return the file of a module, or nothing where it is not one of the repository's."""
        path = module.replace(".", "/")
        names = (f"{root}{path}{end}" for root in ROOTS for end in (".py", "/__init__.py"))
        return next((name for name in names if name in self.sources), "")
