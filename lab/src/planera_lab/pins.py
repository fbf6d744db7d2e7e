"""The pins of versions.toml, and the hash that names a part after all it is built from."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import json
import textwrap
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planera_lab.errors import LabError
from planera_lab.settings import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Pins:
    """Everything that versions.toml says."""

    suite: str
    go_minimum: str
    wheels: Mapping[str, str]
    modules: Mapping[str, str]
    images: Mapping[str, str]

    @classmethod
    def load(cls, file: Path = PACKAGE / "versions.toml") -> Pins:
        """Read the file, with a sentence that names what is wrong in it."""
        try:
            data = tomllib.loads(file.read_text())
            return cls(
                suite=data["debian"]["suite"],
                go_minimum=data["go"]["minimum"],
                wheels=data["wheels"],
                modules=data["modules"],
                images=data["images"],
            )
        except (OSError, tomllib.TOMLDecodeError, KeyError) as exc:
            raise LabError(f"read the pins: {file.name}: {exc!r}: restore the file") from exc


def text_of_steps(function: Callable[..., object] | None) -> str:
    """Return what a build step does, without its layout and comments, as a pin: a changed step builds anew."""
    if function is None:
        return ""
    return ast.dump(ast.parse(textwrap.dedent(inspect.getsource(function))))


def version_of(text: str) -> tuple[int, ...]:
    """Compare versions as numbers: '1.26.8' and 'go1.26.8' are (1, 26, 8)."""
    numbers = text.strip().removeprefix("go").removeprefix("v").split("-")[0].split(".")
    return tuple(int(number) for number in numbers if number.isdigit())


def key_of(name: str, pins: Mapping[str, str], inputs: tuple[Path, ...], root: Path = PACKAGE) -> str:
    """Folder name of a part: its name and a hash of its pins and of the content of its input files.

    A command reads an input once: a file that is edited while it runs gives the next command another part.
    """
    return _key(name, tuple(sorted(pins.items())), inputs, root)


@functools.cache
def _key(name: str, pins: tuple[tuple[str, str], ...], inputs: tuple[Path, ...], root: Path) -> str:
    content = hashlib.sha256(json.dumps(dict(pins), sort_keys=True).encode())
    for file in sorted(_files(inputs)):
        content.update(f"\0{file.relative_to(root)}\0{file.stat().st_mode & 0o111}\0".encode())
        content.update(file.read_bytes())
    return f"{name}-{content.hexdigest()[:12]}"


def _files(inputs: Iterable[Path]) -> Iterable[Path]:
    for path in inputs:
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file())
        else:
            yield path
