"""The node role: etcd, the control plane, containerd, the kubelet and kube-proxy, as one machine of a cluster."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING

from planera_lab import pki
from planera_lab.machine import Machine, kubeconfig
from planera_lab.settings import NODE_ADDRESS

if TYPE_CHECKING:
    from pathlib import Path

    from planera_lab.parts import Store
    from planera_lab.pins import Pins
    from planera_lab.roles import Role
    from planera_lab.settings import Lab

NAME = "node"
HOSTNAME = "lab"
MACHINE = Machine(NAME, HOSTNAME, NODE_ADDRESS)
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


def certificates(folder: Path) -> None:
    """Make the cluster's keys and certificates, unless they are there."""
    pki.authority(folder, "ca", "planera lab kubernetes")
    pki.authority(folder, "front-proxy-ca", "planera lab front proxy")
    pki.issue(folder, "ca", "apiserver", "/CN=kube-apiserver", API_NAMES)
    pki.issue(folder, "ca", "kubelet-server", f"/CN=system:node:{HOSTNAME}", [HOSTNAME, NODE_ADDRESS])
    for name, subject in CLIENTS.items():
        pki.issue(folder, "ca", name, subject)
    pki.service_account_keys(folder)


def role(lab: Lab, pins: Pins, store: Store) -> Role:
    """Describe the role, with its certificates made at the first call."""
    certificates(MACHINE.pki(lab))
    return MACHINE.role(lab, pins, store, CLIENTS)


def write_kubeconfig(lab: Lab) -> None:
    """Write the administrator's kubeconfig for the host."""
    pki.write_private(lab.kubeconfig, kubeconfig(MACHINE.pki(lab), "admin", lab.ports.api))


def api_ready(lab: Lab) -> bool:
    """Whether the API server says that it is ready, to the host."""
    folder = MACHINE.pki(lab)
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
