"""Debian packages that the host needs, and installs where they are missing."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from planera_lab.command import output, run
from planera_lab.errors import LabError
from planera_lab.progress import step
from planera_lab.wheels import DEBIAN_PYTHON

if TYPE_CHECKING:
    from planera_lab.settings import Lab

# Programs that the lab calls on the host, and the Debian package of each.
PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "openssl": "openssl",
    "awk": "mawk",
    "tar": "tar",
    "gzip": "gzip",
}


def missing() -> list[str]:
    """Debian packages that the host lacks."""
    lacking = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if not Path("/etc/ssl/certs/ca-certificates.crt").exists():
        lacking.add("ca-certificates")
    if not has_pip():
        lacking.add("python3-pip")
    return sorted(lacking)


def has_pip() -> bool:
    """Whether some Python of the host can download wheels."""
    if importlib.util.find_spec("pip") is not None:
        return True
    try:
        output([DEBIAN_PYTHON, "-m", "pip", "--version"])
    except LabError:
        return False
    return True


def install(lab: Lab) -> None:
    """Install the packages that the host lacks."""
    lacking = missing()
    if not lacking:
        return
    log = lab.cache / "logs" / "apt.log"
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"install Debian packages: {' '.join(lacking)}"):
        run(["apt-get", "update", "--quiet"], log, env=quiet)
        run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *lacking], log, env=quiet)
