"""Addresses of what is deployed, and how to open them from this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from planera_lab.addons import kubectl

if TYPE_CHECKING:
    from planera_lab.pins import Pins
    from planera_lab.settings import Lab


def hosts(ingresses: str) -> list[str]:
    """Return the host names of a list of ingresses, as kubectl prints it."""
    found = {
        rule["host"]
        for item in json.loads(ingresses)["items"]
        for rule in item["spec"].get("rules", [])
        if "host" in rule
    }
    return sorted(found)


def describe(lab: Lab, pins: Pins) -> str:
    """Return a text that a person can follow; the machine's own name resolution stays untouched."""
    names = hosts(kubectl(lab, pins, "get", "ingress", "--all-namespaces", "--output=json"))
    if not names:
        return "nothing is deployed with an ingress yet\n"
    port = lab.ports.https
    lines = [f"https://{name}/" for name in names]
    rules = f"MAP *.planera.app 127.0.0.1:{port}"
    lines += [
        "",
        "These names are known inside the lab only. From this machine:",
        f"  curl --cacert {lab.ca} --connect-to ::127.0.0.1:{port} https://{names[-1]}/",
        f"  chromium --host-resolver-rules='{rules}' --ignore-certificate-errors https://{names[-1]}/",
    ]
    return "\n".join(lines) + "\n"
