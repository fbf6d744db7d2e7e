"""What every machine of the cluster runs, the first and the second: containerd, the kubelet and kube-proxy."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planera_lab import gobuilds
from planera_lab.layers import RESOLV_CONF, layer
from planera_lab.roles import SUPERVISE, Role
from planera_lab.rootfs import root
from planera_lab.settings import INPUTS, NODE_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from planera_lab.parts import Part, Store
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

# Inputs that all machines share stand with those of the first one.
SHARED = INPUTS / "node"
HOSTS = {
    "docker.io": "mirror-hosts.toml",
    "registry.k8s.io": "mirror-hosts.toml",
    "quay.io": "mirror-hosts.toml",
    "ghcr.io": "ghcr-hosts.toml",
}


@dataclass(frozen=True)
class Machine:
    """One machine: its role's name, its name in the cluster, its address in the lab."""

    name: str
    hostname: str
    address: str

    def pki(self, lab: Lab) -> Path:
        """Return the folder of its keys and certificates."""
        return lab.state / self.name / "pki"

    def role(self, lab: Lab, pins: Pins, store: Store, clients: Iterable[str], netns: Path | None = None) -> Role:
        """Describe the role; `clients` are the programs that get a kubeconfig."""
        kubernetes, debian = (store.path(part) for part in parts(pins))
        lower = (layer(lab, self.name, self._files(lab, clients)), debian)
        return Role(self.name, lower, self._binds(lab, kubernetes), SUPERVISE, shared=True, netns=netns)

    def _files(self, lab: Lab, clients: Iterable[str]) -> dict[str, Path | str | bytes]:
        own, pki_folder = INPUTS / self.name, self.pki(lab)
        identity = lab.identity if self.address == NODE_ADDRESS else f"{lab.identity}-{self.name}"
        files: dict[str, Path | str | bytes] = {
            "/etc/lab/processes": own / "processes",
            "/etc/lab/supervise.sh": INPUTS / "supervise.sh",
            "/etc/lab/proxy.sh": SHARED / "proxy.sh",
            "/etc/lab/lab-ca.crt": lab.ca,
            # containerd: after a 404 it asks once more, as any client would, and is then to be told 404 again
            "/etc/ssl/certs/lab-ca.pem": lab.ca,
            "/etc/containerd/config.toml": SHARED / "containerd.toml",
            "/etc/cni/net.d/10-lab.conflist": own / "10-lab.conflist",
            "/etc/kubernetes/kubelet.yaml": SHARED / "kubelet.yaml",
            "/etc/kubernetes/proxy.yaml": SHARED / "proxy.yaml",
            "/etc/resolv.conf": RESOLV_CONF,
            "/etc/machine-id": hashlib.sha256(identity.encode()).hexdigest()[:32] + "\n",
            "/etc/hosts": f"127.0.0.1 localhost\n{self.address} {self.hostname}\n",
        }
        files |= {f"/etc/containerd/certs.d/{host}/hosts.toml": SHARED / name for host, name in HOSTS.items()}
        server = "127.0.0.1" if self.address == NODE_ADDRESS else NODE_ADDRESS
        files |= {f"/etc/kubernetes/{name}.conf": kubeconfig(pki_folder, name, 6443, server) for name in clients}
        return files | {
            f"/etc/kubernetes/pki/{path.name}": path
            for path in sorted(pki_folder.iterdir())
            if path.suffix in {".crt", ".key", ".pub"}
        }

    def _binds(self, lab: Lab, kubernetes: Path) -> tuple[tuple[Path, str], ...]:
        state = lab.state / self.name
        return (
            (kubernetes, "/opt/kubernetes"),
            (state / "etcd", "/var/lib/etcd"),
            (state / "kubelet", "/var/lib/kubelet"),
            (state / "containerd", "/var/lib/containerd"),
            (state / "volumes", "/opt/local-path-provisioner"),
            (state / "pod-logs", "/var/log/pods"),
            # /proc/sys is read-only for a role, the host's settings are not the lab's to change: the kubelet, which
            # insists on some of them, finds what it wants to find
            *((file, f"/proc/sys/{file.name.replace('.', '/')}") for file in sorted((SHARED / "sys").iterdir())),
        )


def parts(pins: Pins) -> list[Part]:
    """Parts that a machine runs from."""
    return [gobuilds.kubernetes(pins), root(pins)]


def kubeconfig(folder: Path, client: str, port: int, server: str = "127.0.0.1") -> str:
    """Return a kubeconfig with everything in it: it is handed on as a file of its own."""

    def embedded(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    cluster = {"server": f"https://{server}:{port}", "certificate-authority-data": embedded("ca.crt")}
    user = {"client-certificate-data": embedded(f"{client}.crt"), "client-key-data": embedded(f"{client}.key")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": client, "user": user}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": client}}],
        "current-context": "lab",
    }
    return json.dumps(config, indent=2) + "\n"
