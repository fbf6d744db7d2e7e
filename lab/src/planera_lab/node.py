"""The node role: etcd, the control plane, containerd, the kubelet and kube-proxy, as one machine of a cluster."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
from typing import TYPE_CHECKING

from planera_lab import gobuilds, pki
from planera_lab.layers import RESOLV_CONF, layer
from planera_lab.roles import Role
from planera_lab.rootfs import NODE_PACKAGES, root
from planera_lab.settings import INPUTS, NODE_ADDRESS

if TYPE_CHECKING:
    from pathlib import Path

    from planera_lab.parts import Part, Store
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

NAME = "node"
HOSTNAME = "lab"
API_NAMES = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "127.0.0.1",
    "10.96.0.1",
    NODE_ADDRESS,
]
# Who each program is to the API server: kubeconfig, certificate, subject.
CLIENTS = {
    "admin": "/O=system:masters/CN=lab-admin",
    "controller-manager": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
    "kubelet": f"/O=system:nodes/CN=system:node:{HOSTNAME}",
    "proxy": "/CN=system:kube-proxy",
    "apiserver-kubelet-client": "/O=system:masters/CN=kube-apiserver-kubelet-client",
}
HOSTS = {
    "docker.io": "mirror-hosts.toml",
    "registry.k8s.io": "mirror-hosts.toml",
    "quay.io": "mirror-hosts.toml",
    "ghcr.io": "ghcr-hosts.toml",
}


def parts(pins: Pins) -> list[Part]:
    """Parts that the role runs from."""
    return [gobuilds.kubernetes(pins), root(NAME, NODE_PACKAGES, pins)]


def certificates(folder: Path) -> None:
    """Make the cluster's keys and certificates, unless they are there."""
    pki.authority(folder, "ca", "planera lab kubernetes")
    pki.authority(folder, "front-proxy-ca", "planera lab front proxy")
    pki.issue(folder, "ca", "apiserver", "/CN=kube-apiserver", API_NAMES)
    pki.issue(folder, "ca", "kubelet-server", f"/CN=system:node:{HOSTNAME}", [HOSTNAME, NODE_ADDRESS])
    for name, subject in CLIENTS.items():
        pki.issue(folder, "ca", name, subject)
    pki.service_account_keys(folder)


def kubeconfig(folder: Path, client: str, port: int) -> str:
    """Return a kubeconfig with everything in it: it is handed on as a file of its own."""

    def embedded(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    cluster = {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": embedded("ca.crt")}
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


def role(lab: Lab, pins: Pins, store: Store) -> Role:
    """Describe the role, with its certificates made at the first call."""
    kubernetes, debian = (store.path(part) for part in parts(pins))
    pki_folder = lab.state / NAME / "pki"
    certificates(pki_folder)
    inputs = INPUTS / NAME
    files: dict[str, Path | str | bytes] = {
        "/etc/lab/processes": inputs / "processes",
        "/etc/lab/supervise.sh": INPUTS / "supervise.sh",
        "/etc/lab/lab-ca.crt": lab.ca,
        # containerd: after a 404 it asks once more, as any client would, and is then to be told 404 again
        "/etc/ssl/certs/lab-ca.pem": lab.ca,
        "/etc/containerd/config.toml": inputs / "containerd.toml",
        "/etc/cni/net.d/10-lab.conflist": inputs / "10-lab.conflist",
        "/etc/kubernetes/kubelet.yaml": inputs / "kubelet.yaml",
        "/etc/kubernetes/proxy.yaml": inputs / "proxy.yaml",
        "/etc/resolv.conf": RESOLV_CONF,
        "/etc/machine-id": hashlib.sha256(lab.identity.encode()).hexdigest()[:32] + "\n",
        "/etc/hosts": f"127.0.0.1 localhost\n{NODE_ADDRESS} {HOSTNAME}\n",
    }
    files |= {f"/etc/containerd/certs.d/{host}/hosts.toml": inputs / name for host, name in HOSTS.items()}
    files |= {f"/etc/kubernetes/{name}.conf": kubeconfig(pki_folder, name, 6443) for name in CLIENTS}
    files |= {
        f"/etc/kubernetes/pki/{path.name}": path
        for path in sorted(pki_folder.iterdir())
        if path.suffix in {".crt", ".key", ".pub"}
    }
    state = lab.state / NAME
    binds = (
        (kubernetes, "/opt/kubernetes"),
        (state / "etcd", "/var/lib/etcd"),
        (state / "kubelet", "/var/lib/kubelet"),
        (state / "containerd", "/var/lib/containerd"),
        (state / "volumes", "/opt/local-path-provisioner"),
        (state / "pod-logs", "/var/log/pods"),
        # /proc/sys is read-only for a role, the host's settings are not the lab's to change: the kubelet, which
        # insists on some of them, finds what it wants to find
        *((file, f"/proc/sys/{file.name.replace('.', '/')}") for file in sorted((inputs / "sys").iterdir())),
    )
    command = ("tini", "-g", "--", "sh", "/etc/lab/supervise.sh", "/etc/lab/processes", "/var/log/lab")
    return Role(NAME, (layer(lab, NAME, files), debian), binds, command, shared=True)


def write_kubeconfig(lab: Lab) -> None:
    """Write the administrator's kubeconfig for the host."""
    pki.write_private(lab.kubeconfig, kubeconfig(lab.state / NAME / "pki", "admin", lab.ports.api))


def api_ready(lab: Lab) -> bool:
    """Whether the API server says that it is ready, to the host."""
    folder = lab.state / NAME / "pki"
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    connection = http.client.HTTPSConnection("127.0.0.1", lab.ports.api, context=context, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
