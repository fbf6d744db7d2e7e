"""Packs a folder as an OCI image of one layer; the same folder gives the same digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from planera_lab.command import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Runtime:
    """What an image says about how to run it."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    workdir: str = "/"
    ports: tuple[str, ...] = ()
    stop_signal: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def as_config(self) -> dict[str, object]:
        """Return the `config` object of the image."""
        config: dict[str, object] = {"WorkingDir": self.workdir}
        config["Env"] = [f"{name}={value}" for name, value in {"PATH": PATH, **self.environment}.items()]
        if self.entrypoint:
            config["Entrypoint"] = list(self.entrypoint)
        if self.command:
            config["Cmd"] = list(self.command)
        if self.user:
            config["User"] = self.user
        if self.ports:
            config["ExposedPorts"] = {port: {} for port in self.ports}
        if self.stop_signal:
            config["StopSignal"] = self.stop_signal
        return config


def pack(root: Path, runtime: Runtime, target: Path, log: Path) -> None:
    """Write manifest.json and blobs/<digest> for the folder; no time, owner's name or order leaks in."""
    blobs = target / "blobs"
    blobs.mkdir(parents=True)
    plain, packed = target / "layer.tar", target / "layer.tar.gz"
    settled = ["--sort=name", "--mtime=@0", "--numeric-owner", "--format=gnu"]
    empty = ["--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*", "--exclude=./tmp/*"]
    run(["tar", *settled, *empty, "-C", root, "-cf", plain, "."], log)
    run(["gzip", "--no-name", "-1", "--keep", plain], log)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": runtime.as_config(),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_sha256(plain)}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "planera lab"}],
    }
    plain.unlink()
    layer = {"mediaType": LAYER, "digest": f"sha256:{_sha256(packed)}", "size": packed.stat().st_size}
    packed.rename(blobs / str(layer["digest"]))
    content = json.dumps(config, sort_keys=True).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    (blobs / digest).write_bytes(content)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest, "size": len(content)},
        "layers": [layer],
    }
    (target / "manifest.json").write_text(json.dumps(manifest, sort_keys=True))


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
