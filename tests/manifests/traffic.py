"""What NetworkPolicies let through, by the rules of their API, between pods that are given as labels and ports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from planera_ci.domain.manifests import Obj


@dataclass(frozen=True)
class Pod:
    """As much of a pod as a policy looks at."""

    name: str
    namespace: str
    labels: Mapping[str, str]
    ports: Mapping[str, int] = field(default_factory=dict)


def allowed(policies: Iterable[Obj], source: Pod, target: Pod, port: int, protocol: str = "TCP") -> bool:
    """Tell whether the source may ask the target: both ends must allow it, and an end without a policy does."""
    policies = tuple(policies)
    return _lets(policies, "Egress", source, target, target, port, protocol) and _lets(
        policies, "Ingress", target, source, target, port, protocol
    )


def _lets(
    policies: tuple[Obj, ...], direction: str, own: Pod, peer: Pod, target: Pod, port: int, protocol: str
) -> bool:
    """Tell whether the policies of one end, in one direction, let a connection through."""
    bound = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == own.namespace
        and direction in policy["spec"]["policyTypes"]
        and selects(policy["spec"]["podSelector"], own.labels)
    ]
    rules = [rule for spec in bound for rule in spec.get(direction.lower(), ())]
    side = "from" if direction == "Ingress" else "to"
    return not bound or any(
        any(_is(peer, each, own.namespace) for each in rule[side])
        and any(_opens(each, target, port, protocol) for each in rule["ports"])
        for rule in rules
    )


def _is(pod: Pod, peer: Mapping[str, Any], namespace: str) -> bool:
    """Tell whether a pod is one that a rule names; who writes a rule of another sort extends this."""
    assert peer.keys() <= {"podSelector", "namespaceSelector"}, peer
    there = {"kubernetes.io/metadata.name": pod.namespace}
    near = selects(peer["namespaceSelector"], there) if "namespaceSelector" in peer else pod.namespace == namespace
    return near and selects(peer.get("podSelector", {}), pod.labels)


def _opens(each: Mapping[str, Any], target: Pod, port: int, protocol: str) -> bool:
    """Tell whether a rule's port is this one; a name is that of the target's port."""
    number = target.ports.get(each["port"]) if isinstance(each["port"], str) else each["port"]
    return (number, each.get("protocol", "TCP")) == (port, protocol)


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a label selector takes these labels."""
    wanted = selector.get("matchLabels", {})
    for each in selector.get("matchExpressions", ()):
        assert each["operator"] == "In", each
        if labels.get(each["key"]) not in each["values"]:
            return False
    return all(labels.get(key) == value for key, value in wanted.items())
