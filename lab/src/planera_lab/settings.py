"""Where the lab keeps its things and which ports it takes; read from the environment once."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from planera_lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGE = Path(__file__).resolve().parents[2]
INPUTS = PACKAGE / "inputs"

# Addresses inside the lab's own network namespace: every lab has the same, none of them is seen outside.
NODE_ADDRESS = "10.99.0.1"
GHCR_ADDRESS = "10.99.0.2"
MIRROR_ADDRESS = "10.99.0.3"
DNS_ADDRESS = "10.99.0.4"
WORKER_ADDRESS = "10.99.0.21"
MIRROR = f"{MIRROR_ADDRESS}:5000"
REGISTRY_USER = "planera"
# The name of Pebble, the authority that speaks ACME.
ACME_HOST = "acme.lab"

# A unix socket's path has room for 107 characters; the longest below the home is run/builder/socket/buildkitd.sock.
LONGEST_HOME = 70
LAST_PORT = 65535


@dataclass(frozen=True)
class Ports:
    """Ports on the host's loopback; the environment's LAB_<NAME>_PORT overrides one."""

    api: int = 6443
    http: int = 8080
    https: int = 8443
    registry: int = 5443

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Ports:
        """Read the ports, with the defaults for those that the environment does not name."""
        chosen: dict[str, int] = {}
        for field in fields(cls):
            name = f"LAB_{field.name.upper()}_PORT"
            text = environment.get(name, "")
            if not text:
                continue
            if not text.isdigit() or not 0 < int(text) <= LAST_PORT:
                raise LabError(f"read {name}: {text!r} is no port: give a number from 1 to 65535")
            chosen[field.name] = int(text)
        ports = cls(**chosen)
        if len(set(ports.as_dict().values())) != len(fields(cls)):
            raise LabError(f"read the ports: two are the same in {ports.as_dict()}: give each its own")
        return ports

    def as_dict(self) -> dict[str, int]:
        """Name and number of each port."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Lab:
    """One lab: a home folder for everything it writes, and its ports on the host's loopback."""

    home: Path
    cache: Path
    ports: Ports
    repository: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Lab:
        """Read the settings from LAB_HOME, LAB_CACHE (built parts, to share between labs) and LAB_<NAME>_PORT."""
        env = os.environ if environment is None else environment
        base = env.get("XDG_CACHE_HOME") or str(Path(env.get("HOME", "/root")) / ".cache")
        home = Path(env.get("LAB_HOME") or Path(base) / "planera-lab").absolute()
        if len(str(home)) > LONGEST_HOME or ":" in str(home) or "," in str(home) or " " in str(home):
            raise LabError(
                f"read LAB_HOME: {str(home)!r} cannot hold a lab: "
                f"give a path of at most {LONGEST_HOME} characters without ':', ',' or blanks"
            )
        cache = Path(env.get("LAB_CACHE") or home).absolute()
        return cls(home, cache, Ports.from_environment(env), PACKAGE.parent)

    @property
    def identity(self) -> str:
        """Name of this lab's cgroups: two labs on a machine must differ."""
        return "planera-lab-" + hashlib.sha256(str(self.home).encode()).hexdigest()[:8]

    @property
    def parts(self) -> Path:
        """Built parts, one folder each, named by a hash of what they were built from."""
        return self.cache / "parts"

    @property
    def run(self) -> Path:
        """What only a running lab needs: sockets, configuration, process numbers."""
        return self.home / "run"

    @property
    def state(self) -> Path:
        """What outlives `down`: the engine's cache, the registries, the cluster."""
        return self.home / "state"

    @property
    def logs(self) -> Path:
        """One folder of logs for each role, one file for each build."""
        return self.home / "logs"

    @property
    def secrets(self) -> Path:
        """Keys, certificates and passwords made for this lab."""
        return self.home / "state" / "secrets"

    @property
    def netns(self) -> Path:
        """The file that holds the lab's network namespace while it is up."""
        return self.run / "netns"

    @property
    def engine_socket(self) -> Path:
        """Where the Dagger CLI reaches the engine."""
        return self.run / "engine" / "socket" / "engine.sock"

    @property
    def builder_socket(self) -> Path:
        """Where buildctl reaches BuildKit's daemon, if it runs."""
        return self.run / "builder" / "socket" / "buildkitd.sock"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's way into the cluster, from the host."""
        return self.run / "kubeconfig"

    @property
    def registry_password(self) -> Path:
        """The password of user planera at the lab's ghcr.io."""
        return self.secrets / "registry-password"

    @property
    def ca(self) -> Path:
        """Certificate of the authority that signs for ghcr.io and planera.app in this lab."""
        return self.secrets / "lab-ca.crt"
