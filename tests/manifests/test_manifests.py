"""The manifests as they are applied: every field known to their Kubernetes, nothing left out that others would miss."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from planera_ci.domain import manifests as m
from tests.manifests.tools import ENVIRONMENTS, EXAMPLES, Judge, findings, rendered
from tests.manifests.traffic import selects

IGNORE = "kube-score/ignore"
"""Annotation that excepts one object from a check; its reason stands above it. What is excepted everywhere:"""
EXCEPTIONS = {
    # A digest names the same bytes wherever they are from, and a pod must start again while the registry is away.
    "container-image-pull-policy",
    # The memory is limited. A CPU that nobody else wants is no use to anybody; requests share it when it is wanted.
    "container-resources",
    # topologySpreadConstraints do it, and do not leave pods pending that a small cluster has no second node for.
    "deployment-has-host-podantiaffinity",
}
SIZES = {"staging": (1, "10Gi", "debug"), "production": (2, "20Gi", "info")}
FLAGS = ("--ignore-container-cpu-limit", *(f"--ignore-test={check}" for check in EXCEPTIONS - {"container-resources"}))
ALONE = {"staging": ("--min-replicas-deployment=1",), "production": ()}
"""Staging has one pod of each on purpose."""


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """Return kubeconform with the schemas of our Kubernetes."""
    return Judge.with_schemas(tmp_path_factory.mktemp("schemas"))


@pytest.mark.parametrize(
    ("application", "folder"),
    [
        *((".", folder) for name in ENVIRONMENTS for folder in (name, f"access/{name}")),
        *((example, folder) for example in EXAMPLES for folder in ("staging", "access/staging")),
    ],
)
def test_every_object_has_the_shape_of_its_kind(judge: Judge, application: str, folder: str) -> None:
    """Kubeconform holds each object against its kind's strict schema; none is skipped, none has an unknown field."""
    objs = rendered(folder, application)
    valid = {"valid": len(objs), "invalid": 0, "errors": 0, "skipped": 0}
    assert judge.verdict(objs) == {"resources": [], "summary": valid}


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", "spec.replica", 1),
        ("Deployment", "spec.replicas", "two"),
        ("StatefulSet", "spec.template.spec.containers.0.securityContext.readOnlyRootFileSystem", True),
        ("NetworkPolicy", "spec.ingres", []),
        ("PodDisruptionBudget", "spec.unhealthyPodEviction", "AlwaysAllow"),
        ("Ingress", "spec.rules.0.http.paths.0.backend.service.port.number", "http"),
        ("CronJob", "apiVersion", "batch/v1beta1"),
    ],
)
def test_what_is_misspelt_is_found(judge: Judge, kind: str, path: str, value: Any) -> None:
    """A field that its kind does not know, or of another type, at any depth, and a version that there is not."""
    objs = m.parse(yaml.safe_dump_all(m.of_kind(rendered("production"), kind)[-1:]), "copy")
    *steps, last = path.split(".")
    place: Any = objs[0]
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[last] = value
    summary = judge.verdict(objs)["summary"]
    assert (summary["valid"], summary["invalid"] + summary["errors"]) == (0, 1)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_is_left_out(environment: str) -> None:
    """kube-score finds nothing critical and warns of nothing, but for exceptions that have a reason."""
    objs = rendered(environment)
    strict = "--enable-optional-test=container-seccomp-profile"
    assert not findings(objs, strict, *FLAGS, *ALONE[environment])


@pytest.mark.parametrize("application", EXAMPLES)
def test_examples_leave_nothing_out_either(application: str) -> None:
    """kube-score has nothing against the examples, but that each image says itself which user it runs as."""
    objs = rendered("staging", application)
    strict = "--enable-optional-test=container-seccomp-profile"
    found = findings(objs, strict, "--ignore-test=container-security-context-user-group-id", *FLAGS, *ALONE["staging"])
    assert not found


def test_every_exception_is_needed() -> None:
    """Without the exceptions, each of them is found: what has been mended is no longer excepted."""
    objs = rendered("production")
    found = findings(objs, "--disable-ignore-checks-annotations")
    excepted = {(str(m.Key.of(obj)), check) for obj in objs for check in _ignored(obj)}
    assert {check for _, check in found - excepted} == EXCEPTIONS
    assert excepted <= found


def _ignored(obj: m.Obj) -> list[str]:
    notes = obj["metadata"].get("annotations", {})
    return [word.strip() for word in notes.get(IGNORE, "").split(",") if word.strip()]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_environments_have_their_sizes(environment: str) -> None:
    """Staging is small and talks much, production has two pods of each component; the database is one in both."""
    replicas, storage, level = SIZES[environment]
    objs = rendered(environment)
    found = {obj["metadata"]["name"]: obj["spec"]["replicas"] for obj in m.of_kind(objs, "Deployment", "StatefulSet")}
    assert found == {"backend": replicas, "frontend": replicas, "postgres": 1}
    (database,) = m.of_kind(objs, "StatefulSet")
    (claim,) = database["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == storage
    assert [obj["data"]["LOG_LEVEL"] for obj in m.of_kind(objs, "ConfigMap") if "LOG_LEVEL" in obj["data"]] == [level]


def test_environments_differ_where_they_must() -> None:
    """No host, namespace or issuer is left open by the base or shared by two environments, and each asks for TLS."""
    seen: list[set[str]] = []
    for environment in ENVIRONMENTS:
        (ingress,) = m.of_kind(rendered(environment), "Ingress")
        hosts = {rule["host"] for rule in ingress["spec"]["rules"]}
        assert hosts == {host for entry in ingress["spec"]["tls"] for host in entry["hosts"]}
        seen.append(hosts | {ingress["metadata"]["namespace"], *ingress["metadata"]["annotations"].values()})
        assert not any(name.endswith(".invalid") for name in seen[-1])
    assert not seen[0] & seen[1]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nodes_can_be_drained(environment: str) -> None:
    """Each workload has one budget, which always allows one pod to go, and a broken one at any time."""
    objs = rendered(environment)
    budgets = [budget["spec"] for budget in m.of_kind(objs, "PodDisruptionBudget")]
    for obj in m.of_kind(objs, "Deployment", "StatefulSet"):
        labels = obj["spec"]["template"]["metadata"]["labels"]
        (budget,) = (each for each in budgets if selects(each["selector"], labels))
        assert budget["maxUnavailable"] == 1, "minAvailable would hold a single pod for ever"
        assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
