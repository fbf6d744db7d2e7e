"""What every measurement of this repository tells beside its figures, and how its table comes into a document."""

from __future__ import annotations

import json
import os
import platform
import shlex
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.e2e.harness import run

Facts = dict[str, Any]


def about(module: str, words: Iterable[str], *paths: str) -> Facts:
    """Return what one must know to repeat a measurement; `paths` are those whose changes would matter."""
    versions = json.loads(run(["kubectl", "version", "-o", "json"]))
    memory = next(line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line)
    dirty = " with changes" if run(["git", "status", "--porcelain", "--", *paths]).strip() else ""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "planera-ci": run(["git", "rev-parse", "--short", "HEAD"]).strip() + dirty,
        "dagger": run(["dagger", "version"]).split()[1],
        "kubernetes": versions["serverVersion"]["gitVersion"],
        "kubectl": versions["clientVersion"]["gitVersion"],
        "cores": os.cpu_count(),
        "memory": f"{int(memory) / 1024**2:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "command": shlex.join(["lab/lab", "run", "--", ".venv/bin/python", "-m", module, *words]),
    }


def inserted(document: str, text: str, name: str) -> str:
    """Put a table between its marks, and leave the prose around it as it is."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if begin not in document:
        document = f"{document}\n{begin}\n{end}\n"
    before, _, rest = document.partition(begin)
    return f"{before}{begin}\n{text}{end}{rest.partition(end)[2]}"


def table(head: list[str], lines: Iterable[list[str]], figures: str = "---") -> str:
    """Return a table in Markdown; `figures` is how all columns but the first are aligned."""
    rule = ["---", *[figures] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, rule, *lines])


def again(about: Facts, raw: str) -> str:
    """Return how a measurement is repeated, and where its raw figures are."""
    return f"To repeat it: `{about['command']}`. The raw figures: [{raw}]({raw})."
