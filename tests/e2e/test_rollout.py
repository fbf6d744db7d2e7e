"""A rollout that cannot succeed is told with its reason and log, and the version before keeps serving."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.harness import App
from tests.e2e.web import Web


def test_crash_in_the_cluster_names_pod_and_log_while_the_old_version_serves(make: Callable[[], App], web: Web) -> None:
    """What only fails in the cluster is judged by its pods; the pods that ran before keep answering."""
    app = make()
    app.deployed()
    before = app.pods("backend")
    # The kubelet's own address is a value that no smoke test has: only in a cluster is it set.
    app.edit(
        "k8s/base/backend.yaml",
        "          env:\n",
        "          env:\n            - name: NODE\n              valueFrom:\n"
        "                fieldRef:\n                  fieldPath: spec.nodeName\n",
    )
    start = app.source / "backend/planera_backend/__main__.py"
    start.write_text(
        "import os\nif os.environ.get('NODE'):\n    raise SystemExit('no chair for me at this node')\n"
        + start.read_text().replace("from __future__ import annotations\n", "")
    )
    app.commit("fails in the cluster")
    outcome = app.deploy("--within=120")
    assert outcome.code != 0
    assert "deployment/backend: crash" in outcome.message
    assert "no chair for me at this node" in outcome.message
    assert "Rolled back to revision 1" in outcome.message
    assert set(before) <= set(app.pods("backend"))
    assert web.get(app.api, "/health")[0] == 200
