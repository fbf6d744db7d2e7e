"""The store of built parts: each is built once, in a folder that gets its final name only when complete."""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planera_lab.pins import key_of
from planera_lab.progress import say, step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from planera_lab.settings import Lab


@contextmanager
def exclusive(lock: Path, waiting_for: str = "") -> Iterator[None]:
    """Hold a lock that the kernel lets go when the process ends, however it ends; say what it waits for, if given."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting_for:
                say(f"waiting for another lab command that holds {waiting_for}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Workshop:
    """What a build may use: a folder for its result, a folder to work in, a log, and finished parts."""

    lab: Lab
    result: Path
    work: Path
    log: Path
    store: Store


@dataclass(frozen=True)
class Part:
    """Something to build once: the name, what decides its content, and how it is built."""

    name: str
    pins: Mapping[str, str]
    inputs: tuple[Path, ...]
    build: Callable[[Workshop], None]
    made_of: Part | None = None

    @property
    def key(self) -> str:
        """Folder name in the store."""
        return key_of(self.name, self.pins, self.inputs)


class Store:
    """Finds parts, and builds those that are missing."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def path(self, part: Part) -> Path:
        """Folder of a part, built or not."""
        return self._lab.parts / part.key

    def has(self, part: Part) -> bool:
        """Whether the part is there, complete."""
        return self.path(part).is_dir()

    def ensure(self, part: Part) -> Path:
        """Return the part's folder, building it first where it is missing."""
        path = self.path(part)
        if path.is_dir():
            return path
        with exclusive(self._lab.cache / "locks" / part.name, f"the build of {part.name}"):
            if not path.is_dir():
                self._build(part, path)
        return path

    def _build(self, part: Part, path: Path) -> None:
        work = self._lab.cache / "work" / part.name
        log = self._lab.cache / "logs" / f"build-{part.name}.log"
        shutil.rmtree(work, ignore_errors=True)
        log.unlink(missing_ok=True)
        result = work / "result"
        result.mkdir(parents=True)
        with step(f"build {part.name}"):
            part.build(Workshop(self._lab, result, work, log, self))
            self._lab.parts.mkdir(parents=True, exist_ok=True)
            result.rename(path)
        shutil.rmtree(work, ignore_errors=True)

    def prune(self, keep: Iterable[Part]) -> None:
        """Remove parts that no pin asks for any more; only while nothing runs from them."""
        wanted = {part.key for part in keep}
        if self._lab.parts.is_dir():
            for path in self._lab.parts.iterdir():
                if path.name not in wanted:
                    shutil.rmtree(path, ignore_errors=True)
