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
# Without a wait for the disk after each package, as in any image that is built once and can be built again.
OPTIONS = ("--dpkgopt=force-unsafe-io", *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT))

# busybox-static and catatonit are here for the images made of one program, see images.py
PACKAGES = (
    "apache2-utils",
    "busybox-static",
    "ca-certificates",
    "catatonit",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "crun",
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


def minimal(pins: Pins) -> Part:
    """Debian's smallest root that can install packages, with their lists: every other root begins as its copy."""

    def build(shop: Workshop) -> None:
        lists = "--skip=cleanup/apt/lists"
        run(["mmdebstrap", "--variant=minbase", lists, *OPTIONS, pins.suite, shop.result], shop.log)
        forget_host(shop.result)

    return Part("minimal", {"suite": pins.suite, "options": " ".join(OPTIONS)}, (), build)


def root(pins: Pins) -> Part:
    """Root file system that all roles share, read-only, each below a layer of its own: it is unpacked once."""
    chosen = {"suite": pins.suite, "packages": " ".join(PACKAGES)}

    def build(shop: Workshop) -> None:
        debootstrap(shop, shop.result, PACKAGES, pins)

    return Part("root", chosen, (), build)


def debootstrap(shop: Workshop, target: Path, packages: Sequence[str], pins: Pins, early: Sequence[str] = ()) -> None:
    """Install a minimal Debian and packages into a folder; `early` are shell lines run before the packages."""
    begin = f'cp -a "{shop.store.ensure(minimal(pins))}/." "$1"'
    install = "apt-get install --yes --quiet --no-install-recommends"
    hooks = [f"--setup-hook={line}" for line in (begin, *early)]
    hooks.append(f'--customize-hook=DEBIAN_FRONTEND=noninteractive chroot "$1" {install} {" ".join(packages)}')
    # the copy is what the steps would make that are left out
    run(
        ["mmdebstrap", "--variant=custom", "--skip=check/empty,download", *OPTIONS, *hooks, pins.suite, target],
        shop.log,
    )
    forget_host(target)


def forget_host(folder: Path) -> None:
    """Take away what mmdebstrap copies from the host that it runs on."""
    for name in ("etc/resolv.conf", "etc/hostname"):
        (folder / name).unlink(missing_ok=True)
