"""The lock of an environment as a Lease (Kubernetes API, coordination.k8s.io/v1): who holds it, until when.

Times are the API server's, so that two machines whose clocks differ agree on when a lease is over.
"""

from __future__ import annotations

from dataclasses import dataclass

from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.moments import epoch, stamp

SECONDS = 15
"""How long a holder that shows no sign of life is believed to live."""
RENEW_SECONDS = 4.0

API_VERSION, KIND = "coordination.k8s.io/v1", "Lease"
_RUN, _DOING = "planera-ci/run", "planera-ci/doing"


@dataclass(frozen=True)
class Holder:
    """Who holds the lock: a name of its own for each run, where that run is seen, and what it does."""

    name: str
    run: str = ""
    doing: str = ""

    def __str__(self) -> str:
        return " ".join(
            filter(None, [self.name, f"({self.run})" if self.run else "", self.doing and f"to {self.doing}"])
        )


@dataclass(frozen=True)
class Held:
    """A lease that somebody holds."""

    holder: Holder
    since: float
    renewed: float
    ends: float

    def over(self, now: float) -> bool:
        """Tell whether its holder has not been heard of for too long."""
        return now >= self.ends

    def text(self, now: float) -> str:
        """Say who holds it, since when, and when it was last renewed."""
        return f"{self.holder} since {stamp(self.since)[11:19]} UTC, last heard of {now - self.renewed:.0f} s ago"


def key_of(namespace: str, app: str) -> Key:
    """Return where the lock of an application's environment is."""
    return Key(API_VERSION, KIND, namespace, f"{app}-deploy")


def held(lease: Obj | None) -> Held | None:
    """Read who holds a lease; nothing where it is free."""
    spec = (lease or {}).get("spec") or {}
    name = spec.get("holderIdentity")
    if not name:
        return None
    notes = ((lease or {}).get("metadata") or {}).get("annotations") or {}
    renewed = epoch(spec.get("renewTime"))
    ends = renewed + float(spec.get("leaseDurationSeconds") or SECONDS)
    return Held(Holder(name, notes.get(_RUN, ""), notes.get(_DOING, "")), epoch(spec.get("acquireTime")), renewed, ends)


def taken(key: Key, lease: Obj | None, holder: Holder, now: float) -> Obj:
    """Return the lease as its new holder writes it: on top of the one it has seen, so that only one can win."""
    spec = (lease or {}).get("spec") or {}
    before = spec.get("leaseTransitions") or 0
    return {
        "apiVersion": key.api_version,
        "kind": key.kind,
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "resourceVersion": (lease or {"metadata": {}})["metadata"].get("resourceVersion", ""),
            "annotations": {_RUN: holder.run, _DOING: holder.doing},
        },
        "spec": {
            "holderIdentity": holder.name,
            "leaseDurationSeconds": SECONDS,
            "acquireTime": _micro(now),
            "renewTime": _micro(now),
            "leaseTransitions": before + 1,
        },
    }


def renewed(lease: Obj, now: float) -> Obj:
    """Return the lease with a new sign of life."""
    return {**lease, "spec": {**lease["spec"], "renewTime": _micro(now)}}


def freed(lease: Obj) -> Obj:
    """Return the lease as its holder leaves it."""
    return {**lease, "spec": {**lease["spec"], "holderIdentity": ""}}


def _micro(seconds: float) -> str:
    """Show a time as the API's MicroTime wants it: with six digits and a Z."""
    return stamp(seconds).replace("+00:00", "000Z")
