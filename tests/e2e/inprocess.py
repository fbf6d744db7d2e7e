"""A verb of the module without the CLI: the module's own code in a process of the tests, at the real engine.

What the CLI adds (its flags' words, `.env`, exit codes, three starts of Python) has tests of its own; everything that a
verb does is the same here: engine, registry and cluster are asked by the same code over the same protocols.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio
import dagger
from dagger import dag
from dagger.mod._exceptions import FunctionError
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider

# What a verb imports when it is called: here all of it is there before the first one.
from planera_ci import deployment, job, rotation, verbs  # noqa: F401
from tests.e2e import surroundings
from tests.e2e.words import Call, Place

_RESOLVER = ("docker.io/library/busybox:1.37", "cat", "/etc/resolv.conf")
_SMOKE = {"deploy", "smoke", "publish", "ci"}
"""Verbs that ask services of the engine by their names."""


@dataclass(frozen=True)
class Order:
    """What to call, and the environment to call it in."""

    call: Call
    place: Place
    env: Mapping[str, str]


@dataclass(frozen=True)
class Ended:
    """How it ended, as the CLI tells it."""

    code: int
    out: str = ""


class _Progress(SpanProcessor):
    """Shows each span by its name when it begins, as the CLI's plain progress does."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the SDK's
        sys.stderr.write(f"{span.name}\n")
        sys.stderr.flush()


def carry_out(order: Order, progress: Connection, answer: Connection) -> None:
    """Call a verb; what it prints goes where the progress is read."""
    for number in (1, 2):
        os.dup2(progress.fileno(), number)
    progress.close()
    os.environ.clear()
    os.environ.update(order.env)
    os.environ.pop("DAGGER_MODULE", "")  # the session would load it
    with _folder() as folder:
        surroundings.enter(folder)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(_Progress())
        trace.set_tracer_provider(provider)
        dagger.Client.current_module = lambda _: _Here(Path.cwd())  # type: ignore[assignment,method-assign,return-value]
        ended = anyio.run(_called, order, folder)
    sys.stdout.flush()
    answer.send(ended)


@dataclass(frozen=True)
class _Here:
    """The files that a verb returns: of its container where the engine has started it, of this process here."""

    folder: Path

    def workdir(self, path: str) -> dagger.Directory:
        return dag.host().directory(str(self.folder / path))

    def workdir_file(self, path: str) -> dagger.File:
        return dag.host().file(str(self.folder / path))


@contextmanager
def _folder() -> Iterator[Path]:
    """Be in a folder of one's own, as a function is in its container's."""
    made = Path(tempfile.mkdtemp(prefix="planera-call-"))
    (made / "work").mkdir()
    os.chdir(made / "work")
    try:
        yield made
    finally:
        os.chdir("/")
        shutil.rmtree(made, ignore_errors=True)


async def _called(order: Order, folder: Path) -> Ended:
    os.environ["_EXPERIMENTAL_DAGGER_CLI_BIN"] = shutil.which("dagger") or ""
    call, place = order.call, order.place
    try:
        async with dagger.connection(dagger.Config(log_output=sys.stderr)), anyio.create_task_group() as group:
            if call.verb in _SMOKE:
                group.start_soon(_find_services, folder)
            result = await getattr(call.module(place), call.method)(**call.given(place))
            return Ended(0, await _shown(result, call.output and place.path(call.output)))
    except* (FunctionError, dagger.DaggerError) as group_of:
        error = _first(group_of)
        name = f"{type(error).__qualname__}: " if isinstance(error, FunctionError) else ""
        sys.stderr.write(f"Error: {name}{error}\n")
    return Ended(1)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _find_services(folder: Path) -> None:
    image, *command = _RESOLVER
    # Its answer differs from session to session, and must not be one that was kept.
    container = dag.container().from_(image).with_env_variable("SESSION", str(folder))
    surroundings.search(folder, await container.with_exec(command).stdout())


async def _shown(result: Any, output: str) -> str:
    """Return what the CLI prints of a result, or export it to where it is told to."""
    if isinstance(result, str):
        assert not output, "no test writes a text to a file"
        return result
    assert output, f"a {type(result).__name__} needs -o"
    await result.export(output)
    return ""
