"""Root file systems from Debian packages, by mmdebstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planera_lab.command import run
from planera_lab.parts import Part

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from planera_lab.parts import Workshop
    from planera_lab.pins import Pins

LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")

# busybox-static and catatonit are here for the images made of one program, see images.py
PACKAGES = (
    "apache2-utils",
    "busybox-static",
    "ca-certificates",
    "catatonit",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "dnsmasq-base",
    "docker-registry",
    "e2fsprogs",
    "ethtool",
    "git",
    "iproute2",
    "iptables",
    "kmod",
    "mount",
    "nftables",
    "openssh-client",
    "passt",
    "pigz",
    "procps",
    "runc",
    "socat",
    "tini",
    "util-linux",
    "xz-utils",
)


def root(pins: Pins) -> Part:
    """Root file system that all roles share, read-only, each below a layer of its own: it is unpacked once."""
    chosen = {"suite": pins.suite, "packages": " ".join(PACKAGES)}

    def build(shop: Workshop) -> None:
        debootstrap(shop, shop.result, PACKAGES, pins)

    return Part("root", chosen, (), build)


def debootstrap(shop: Workshop, target: Path, packages: Sequence[str], pins: Pins, early: Sequence[str] = ()) -> None:
    """Install a minimal Debian and packages into a folder; `early` are shell lines run before the packages."""
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    hooks = [f"--essential-hook={line}" for line in early]
    include = f"--include={','.join(packages)}"
    run(["mmdebstrap", "--variant=minbase", include, *options, *hooks, pins.suite, target], shop.log)
    # mmdebstrap leaves the host's own there
    for name in ("etc/resolv.conf", "etc/hostname"):
        (target / name).unlink(missing_ok=True)
