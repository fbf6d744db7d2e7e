"""Runs programs: output goes to a log file, and a failure names the file and shows its last lines."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from planera_lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TAIL_LINES = 15


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """Last lines of a log, indented to stand below a message."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return "  (no log)"
    return "\n".join("  " + line for line in text.splitlines()[-lines:]) or "  (empty)"


def run(
    command: Sequence[str | Path],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> None:
    """Run a program to its end, appending what it prints to the log."""
    words = [str(word) for word in command]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        sink.write(f"$ {shlex.join(words)}\n".encode())
        sink.flush()
        try:
            code = subprocess.run(
                words,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                check=False,
            ).returncode
        except FileNotFoundError as exc:
            raise LabError(f"run {words[0]}: it is not on this machine: `lab/lab doctor` names the package") from exc
    if code != 0:
        raise LabError(f"run {shlex.join(words)[:200]}: it ended with {code}: see {log}, which ends with\n{tail(log)}")


def output(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program and return what it printed."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as exc:
        raise LabError(f"run {words[0]}: it is not on this machine: `lab/lab doctor` names the package") from exc
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise LabError(f"run {shlex.join(words)[:200]}: it ended with {done.returncode}: {said}")
    return done.stdout
