"""A `dagger` for scripts that tests run: it has verbs called in a process of the tests, and all else by the CLI.

Workflows and pages are run as they stand; what the CLI adds to a call is tried where calls of the CLI are.
"""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.calls import called
from tests.e2e.paths import ROOT
from tests.e2e.words import ForTheCli, Place

_CLIENT = """#!{python} -IS
import json, os, socket, sys

with socket.socket(socket.AF_UNIX) as door:
    door.connect({door!r})
    stream = door.makefile("rw")
    stream.write(json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]) + "\\n")
    stream.flush()
    answer = json.loads(stream.readline())
if answer is None:
    os.execv({cli!r}, ["dagger", *sys.argv[1:]])
code, out, err = answer
sys.stderr.write(err)
sys.stdout.write(out)
sys.exit(code)
"""


@contextmanager
def served_in(folder: Path) -> Iterator[None]:
    """Have a folder hold this `dagger` while the block runs: scripts call it that find it on their PATH."""
    cli = shutil.which("dagger")
    assert cli, "the lab has a CLI"
    door, program = folder / "door", folder / "dagger"
    program.write_text(_CLIENT.format(python=sys.executable, door=str(door), cli=cli))
    program.chmod(0o755)
    with socketserver.ThreadingUnixStreamServer(str(door), _Asked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()


@contextmanager
def dagger_in_process(folder: Path) -> Iterator[None]:
    """Have all scripts that are run meanwhile call it."""
    path = os.environ["PATH"]
    with served_in(folder):
        os.environ["PATH"] = f"{folder}:{path}"
        try:
            yield
        finally:
            os.environ["PATH"] = path


class _Asked(socketserver.StreamRequestHandler):
    """One run of the program."""

    def handle(self) -> None:
        words, env, folder = json.loads(self.rfile.readline())
        self.wfile.write(json.dumps(_answer(words, env, Path(folder))).encode() + b"\n")


def _answer(words: list[str], env: dict[str, str], folder: Path) -> tuple[int, str, str] | None:
    """Return how a call ended and what it printed; nothing where the CLI has to carry it out."""
    try:
        verb = _verb(words)
        outcome = called(verb, {**env, **_OURS}, Place(folder, _module(folder, words[: -len(verb)], env)))
    except ForTheCli:
        return None
    return outcome.code, outcome.out, outcome.err


_OURS = {name: os.environ[name] for name in ("KUBECONFIG", "LAB_CA") if name in os.environ}
"""What leads into the lab's network, which a script's own environment need not have."""


def _verb(words: list[str]) -> list[str]:
    if "call" not in words:
        raise ForTheCli(*words)
    return words[words.index("call") + 1 :]


def _module(folder: Path, before: list[str], env: dict[str, Any]) -> Path:
    """Return the module's repository: the one that is named, or where the call is typed, or above."""
    if "-m" in before or "DAGGER_MODULE" in env:
        return ROOT
    return next(above for above in (folder, *folder.parents) if (above / "dagger.json").is_file())
