"""What is asked through the Ingress before a deployment is called reachable."""

from __future__ import annotations

from typing import Any

import pytest

from planera_ci.domain.routes import Route, pages, routes
from planera_ci.domain.smoke import Probe, Request, Run

BACKEND = Run(
    "backend",
    "planera-backend",
    "Deployment",
    aliases=("backend",),
    readiness=Probe(8080, "/health"),
    requests=(Request("POST", "/api/tasks", 201, "{}"), Request("GET", "/api/tasks?all=1", 200)),
)
FRONTEND = Run("frontend", "planera-frontend", "Deployment", aliases=("frontend",), readiness=Probe(8080))


@pytest.mark.cases("routes/routes")
def test_routes_follow_from_ingress_and_probes(case: Any) -> None:
    """Each rule of an Ingress becomes a request that its service is known to answer."""
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"}}
    found = routes([ingress | {"spec": case["ingress"]}], [BACKEND, FRONTEND])
    assert [f"{route.url} {route.status or 'any'}" for route in found] == case["routes"]
    assert list(pages(found)) == case.get("pages", list(pages(found)))


@pytest.mark.cases("routes/accepts")
def test_answer_is_judged_by_its_status(case: Any) -> None:
    """A route knows which statuses prove that it is served."""
    route = Route("app.test", "/", tls=True, service="backend", status=case["wanted"])
    assert [status for status in case["accepted"] + case["refused"] if route.accepts(status)] == case["accepted"]
