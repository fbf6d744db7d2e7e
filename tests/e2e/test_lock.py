"""One run at a time changes an environment; a dead one is followed by the next, which mends what it left."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.harness import App
from tests.e2e.web import Web


@pytest.fixture(scope="module")
def own(make: Callable[[], App]) -> App:
    """Deploy an application."""
    app = make()
    app.deployed()
    return app


def _hold(app: App, until: timedelta) -> None:
    """Let somebody else hold the lock; the lease ends so long from now."""
    renewed = (datetime.now(UTC) + until - timedelta(seconds=15)).isoformat(timespec="microseconds")
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": "planera-deploy",
            "namespace": app.namespace,
            "annotations": {"planera-ci/run": "https://ci.example/jobs/7", "planera-ci/doing": "deploy 0123abc"},
        },
        "spec": {
            "holderIdentity": "planera-ci-other",
            "leaseDurationSeconds": 15,
            "acquireTime": renewed.replace("+00:00", "Z"),
            "renewTime": renewed.replace("+00:00", "Z"),
        },
    }
    subprocess.run(
        ["kubectl", "apply", "--server-side", "--force-conflicts", "-f", "-"],
        input=json.dumps(lease),
        text=True,
        check=True,
        capture_output=True,
    )


def _written(app: App) -> dict[str, int]:
    """Return what a deployment writes: settings by name, workloads with the number of their last change."""
    return {o["metadata"]["name"]: o["metadata"].get("generation", 0) for o in app.get("deployments,configmaps")}


def test_deployment_that_waits_in_vain_says_for_whom_and_applies_nothing(own: App) -> None:
    """The message has the holder, where it is seen, what it does, and since when."""
    own.edit("k8s/staging/kustomization.yaml", "LOG_LEVEL=debug", "LOG_LEVEL=warning")
    before = _written(own)
    _hold(own, timedelta(hours=1))
    outcome = own.deploy("--wait=1")
    assert outcome.code != 0
    for words in ("planera-ci-other", "https://ci.example/jobs/7", "to deploy 0123abc", "Nothing was applied"):
        assert words in outcome.message, words
    assert _written(own) == before
    assert "lock" in own.call("status", "--env=staging").out


def test_lock_of_a_dead_run_is_taken_over_when_it_is_over(own: App) -> None:
    """Nobody has to free it by hand, and the deployment waits no longer than the lease lasts."""
    _hold(own, timedelta(seconds=12))
    outcome = own.deploy("--wait=60")
    assert outcome.code == 0, outcome.err[-3000:]
    assert "takes over the lock of planera-ci-other" in outcome.err
    lease = own.get("leases")[0]
    assert not lease["spec"].get("holderIdentity")


@pytest.mark.parametrize(
    ("mark", "level", "left"),
    [
        ("start postgres", "info", False),
        ("publish backend", "error", False),
        ("holds the lock", "info", False),
        ("deployment/backend updated", "error", True),
    ],
    ids=["smoke", "publish", "lock", "rollout"],
)
def test_call_killed_at_any_step_is_repaired_by_the_next(own: App, web: Web, mark: str, level: str, left: bool) -> None:  # noqa: FBT001
    """SIGKILL ends everything with no handler; the next call needs no human, and no request is refused."""
    settings = own.manifests / "staging/kustomization.yaml"
    settings.write_text(re.sub("LOG_LEVEL=.*", f"LOG_LEVEL={level}", settings.read_text()))
    # With the CLI goes the function's container; where most has been done by then, that is tried as well.
    kill = own.typed_and_killed if left else own.killed
    kill(mark, "deploy", "--env=staging")
    assert web.get(own.api, "/health")[0] == 200
    outcome = own.deploy()
    assert outcome.code == 0, outcome.err[-3000:]
    assert ("was left half done" in outcome.err) >= left, "the killed one went on by itself"
    assert not own.get("leases")[0]["spec"].get("holderIdentity")
