"""The lab's services role: the mirror of base images, the registry that answers as ghcr.io, the name server."""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from planera_lab import pki
from planera_lab.command import output
from planera_lab.layers import layer
from planera_lab.roles import SUPERVISE, Role
from planera_lab.rootfs import root
from planera_lab.settings import INPUTS, REGISTRY_USER

if TYPE_CHECKING:
    from planera_lab.parts import Part, Store
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab

NAME = "services"
UNAUTHORIZED = 401


def parts(pins: Pins) -> list[Part]:
    """Parts that the role runs from."""
    return [root(pins)]


def role(lab: Lab, pins: Pins, store: Store, nameservers: list[str]) -> Role:
    """Describe the role, with its certificate and password made at the first call."""
    (folder,) = (store.path(part) for part in parts(pins))
    pki.authority(lab.secrets, "lab-ca", "planera lab")
    pki.issue(lab.secrets, "lab-ca", "ghcr", "/CN=ghcr.io", ["ghcr.io", "localhost", "127.0.0.1"])
    password = pki.password(lab.registry_password)
    htpasswd = lab.secrets / "htpasswd"
    if not htpasswd.exists():
        # registry: only bcrypt; cost 5 since every request of a push checks it
        line = output(["chroot", folder, "htpasswd", "-nbBC", "5", REGISTRY_USER, password])
        pki.write_private(htpasswd, line.strip() + "\n")
    inputs = INPUTS / NAME
    etc = layer(
        lab,
        NAME,
        {
            "/etc/lab/processes": inputs / "processes",
            "/etc/lab/supervise.sh": INPUTS / "supervise.sh",
            "/etc/lab/mirror.yml": inputs / "mirror.yml",
            "/etc/lab/ghcr.yml": inputs / "ghcr.yml",
            "/etc/lab/dnsmasq.conf": inputs / "dnsmasq.conf",
            "/etc/lab/upstream.conf": "".join(f"nameserver {server}\n" for server in nameservers),
            "/etc/lab/htpasswd": htpasswd,
            "/etc/lab/ghcr.crt": lab.secrets / "ghcr.crt",
            "/etc/lab/ghcr.key": lab.secrets / "ghcr.key",
        },
    )
    return Role(NAME, (etc, folder), ((lab.state / "registry", "/var/lib/registry"),), SUPERVISE)


def ghcr_answer(lab: Lab, user: str | None = None, password: str | None = None) -> int:
    """Return the status with which the lab's ghcr.io answers the host; 0 if it does not answer."""
    context = ssl.create_default_context(cafile=str(lab.ca))
    request = urllib.request.Request(f"https://127.0.0.1:{lab.ports.registry}/v2/")
    if user is not None:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
