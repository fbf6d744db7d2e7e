"""How the rendered manifests say that each component is run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from planera_ci.domain.smoke import Probe, Request, SecretKey, requests, smoke_plan
from planera_ci.errors import ManifestError

Refusal = Callable[[type[Exception]], AbstractContextManager[object]]


def test_whole_application_is_read_from_its_manifests(like: Callable[[str], Any]) -> None:
    """Third-party services run first, then jobs, then components in the order of their needs."""
    plan = smoke_plan(like("shop")["objects"], "planera", "a1b2c3d")
    assert [run.name for run in plan.services] == ["database"]
    assert [run.name for run in plan.jobs] == ["migrate"]
    assert [[run.name for run in group] for group in plan.components] == [["backend"], ["frontend"]]
    database, migrate, backend = plan.services[0], plan.jobs[0], plan.components[0][0]
    assert database.image == "postgres:17.6"
    assert database.readiness == Probe(command=("pg_isready", "-U", "planera"), seconds=30)
    assert database.aliases == ("database",)
    assert database.scratch == ("/var/run/postgresql",)
    assert dict(database.secrets) == {"POSTGRES_PASSWORD": SecretKey("planera-secrets", "database-password")}
    assert migrate.command == ("python", "-m", "planera_backend.migrate")
    assert dict(migrate.env) == {"LOG_LEVEL": "debug", "DATABASE_HOST": "database"}
    assert dict(backend.env) == {"LOG_LEVEL": "info", "DATABASE_HOST": "database", "VERSION": "a1b2c3d"}
    assert backend.readiness == Probe(8080, "/health", seconds=15)
    assert [str(request) for request in backend.requests] == ["POST /api/tasks", "GET /api/tasks"]


def test_component_is_chosen_among_a_pods_containers(like: Callable[[str], Any]) -> None:
    """A sidecar that stands before the component does not take its place."""
    backend = smoke_plan(like("shop")["objects"], "planera", "").components[0][0]
    assert backend.image == "planera-backend"


@pytest.mark.cases("smoke/run")
def test_container_runs_as_its_manifest_says(case: Any, refusal: Refusal) -> None:
    """Environment, command, ports, names, scratch folders and probe come from the manifest, or it is refused."""
    with refusal(ManifestError):
        [[run]] = smoke_plan(_objects(case), "planera", "a1b2c3d").components
        assert dict(run.env) == case.get("env", {})
        assert {name: f"{key.secret}/{key.key}" for name, key in run.secrets} == case.get("secrets", {})
        assert list(run.command) == case.get("command", [])
        assert list(run.args) == case.get("args", [])
        assert list(run.ports) == case.get("ports", [])
        assert list(run.aliases) == case.get("aliases", [])
        assert list(run.scratch) == case.get("scratch", [])
        assert run.readiness == _probe(case.get("probe"))


@pytest.mark.cases("smoke/inside")
def test_component_tells_inside_what_no_port_tells(case: Any) -> None:
    """A worker counts as started by its own command, or by running on; what has a port is asked there."""
    [[run]] = smoke_plan(_objects(case), "planera", "a1b2c3d").components
    assert run.told_inside == _probe(case["inside"])


def _probe(wanted: Any) -> Probe | None:
    return Probe(**wanted | {"command": tuple(wanted.get("command", ()))}) if wanted else None


def _objects(case: Any) -> list[Any]:
    """Return one Deployment around a case's container, with the ConfigMaps and Services it is given."""
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "backend", "namespace": "planera-staging", "annotations": case.get("annotations", {})},
        "spec": {
            "template": {
                "metadata": case.get("template", {"labels": {"app": "backend"}}),
                "spec": {
                    "containers": [{"name": "api", "image": "planera-backend", **case["container"]}],
                    "volumes": case.get("volumes", []),
                },
            }
        },
    }
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": each["name"]}, "data": each["data"]}
        for each in case.get("config", [])
    ]
    services = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": each["name"]}, "spec": each["spec"]}
        for each in case.get("services", [])
    ]
    return [*maps, *services, deployment]


@pytest.mark.cases("smoke/requests")
def test_smoke_annotation_is_read(case: Any, refusal: Refusal) -> None:
    """Requests are read line by line; a line that is none is shown and refused."""
    with refusal(ManifestError):
        assert list(requests(case["text"], "deployment/backend")) == [Request(**each) for each in case["requests"]]


@pytest.mark.cases("smoke/order")
def test_components_start_after_what_they_need(case: Any, refusal: Refusal) -> None:
    """The needs annotation orders components; what cannot be ordered is refused."""
    objs = [_workload("StatefulSet", "database", "postgres:17", "")]
    objs += [_workload("Deployment", name, f"planera-{name}", needs) for name, needs in case["needs"].items()]
    with refusal(ManifestError):
        plan = smoke_plan(objs, "planera", "")
        assert [[run.name for run in group] for group in plan.components] == case["groups"]


def _workload(kind: str, name: str, image: str, needs: str) -> Any:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "annotations": {"planera-ci/needs": needs}},
        "spec": {"template": {"spec": {"containers": [{"name": name, "image": image}]}}},
    }
