"""Who may talk to whom: the policies of an environment, worked out for every pair of pods."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from planera_ci.domain import manifests as m
from tests.manifests.tools import ENVIRONMENTS, EXAMPLES, rendered
from tests.manifests.traffic import Pod, allowed

TRAFFIC: dict[str, dict[str, list[str]]] = yaml.safe_load(Path(__file__).with_name("traffic.yaml").read_text())


@pytest.mark.parametrize(
    ("application", "environment"),
    [*((".", environment) for environment in ENVIRONMENTS), *((example, "staging") for example in EXAMPLES)],
)
def test_only_these_connections_are_allowed(application: str, environment: str) -> None:
    """Of all pairs of pods, those of strangers included, and all ports, the policies let exactly these through."""
    objs = rendered(environment, application)
    policies = m.of_kind(objs, "NetworkPolicy")
    pods = [*_ours(objs), *_others(m.namespace_of(objs, environment))]
    inside = {pod.name for pod in pods if pod.namespace == m.namespace_of(objs, environment)}
    ports = {number for pod in pods for number in pod.ports.values()} | {22, 80, 443}
    found: dict[str, list[str]] = {}
    for source in pods:
        for target in pods:
            for port in sorted(ports):
                for protocol in ("TCP", "UDP"):
                    ours = {source.name, target.name} & inside
                    if ours and allowed(policies, source, target, port, protocol):
                        found.setdefault(source.name, []).append(f"{target.name} {port} {protocol}")
    assert {name: sorted(each) for name, each in found.items()} == {
        n: sorted(each) for n, each in TRAFFIC[application].items()
    }


def _ours(objs: tuple[m.Obj, ...]) -> Iterator[Pod]:
    """Yield a pod for each template of an environment."""
    for obj in objs:
        spec = m.pod_spec(obj)
        if spec:
            outer = obj["spec"]["jobTemplate"]["spec"] if obj["kind"] == "CronJob" else obj["spec"]
            ports = {
                port["name"]: port["containerPort"] for each in m.containers(obj) for port in each.get("ports", ())
            }
            labels = outer["template"]["metadata"]["labels"]
            yield Pod(obj["metadata"]["name"], obj["metadata"]["namespace"], labels, ports)


def _others(namespace: str) -> Iterator[Pod]:
    """Yield pods that no manifest of ours has: those that we know, and strangers anywhere."""
    solver = {"acme.cert-manager.io/http01-solver": "true"}
    traefik = {"app.kubernetes.io/name": "traefik"}
    yield Pod("acme-solver", namespace, solver, {"http": 8089})
    yield Pod("traefik", "kube-system", traefik)
    yield Pod("dns", "kube-system", {"k8s-app": "kube-dns"}, {"dns": 53})
    yield Pod("stranger-beside", namespace, {})
    yield Pod("stranger-in-the-system", "kube-system", {})
    yield Pod("false-traefik", "elsewhere", traefik)
    yield Pod("stranger", "elsewhere", {"app.kubernetes.io/name": "backend"}, {"http": 8000})
