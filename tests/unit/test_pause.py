"""How long a pod goes on serving, and how long a browser is sent to it: two settings that belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from planera_ci.domain import manifests as m

BASE = Path(__file__).parents[2] / "k8s/base"
COOKIE = "traefik.ingress.kubernetes.io/service.sticky.cookie"
TRAEFIK = 4
"""Seconds until Traefik knows that a pod is on its way out: it takes up changes every two."""
ENDING = 10
"""Seconds that requests under way may take after the pause."""


@pytest.mark.parametrize("component", ["backend", "frontend"])
def test_pod_serves_longer_than_a_cookie_leads_to_it(component: str) -> None:
    """A pod that is told to end pauses until no browser is sent to it, and then has time to finish."""
    objs = m.parse((BASE / f"{component}.yaml").read_text(encoding="utf-8"), component)
    service, deployment = (next(obj for obj in objs if obj["kind"] == kind) for kind in ("Service", "Deployment"))
    annotations = service["metadata"]["annotations"]
    pod = deployment["spec"]["template"]["spec"]
    pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert annotations[COOKIE] == "true"
    assert annotations[f"{COOKIE}.path"] in {"/assets", "/api/tasks"}, "a page must not be asked with the cookie"
    assert pause > int(annotations[f"{COOKIE}.maxage"]) + TRAEFIK
    assert pod["terminationGracePeriodSeconds"] > pause + ENDING
