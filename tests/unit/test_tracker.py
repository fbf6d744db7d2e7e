"""What follows a rollout leaves the machine to the rollout."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import anyio
from anyio.lowlevel import checkpoint
from tests.unit.test_client import KUBECONFIG

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.connection import connection
from planera_ci.cluster.rollout import Tracker
from planera_ci.cluster.watch import Live
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.moments import epoch

_PODS, _SECONDS = 300, 1.0


class _Timed(Tracker):
    """Counts the seconds of CPU that judging takes."""

    spent = longest = 0.0

    def _judged(self, *words: Any) -> Any:
        begun = time.thread_time()
        found = super()._judged(*words)
        one = time.thread_time() - begun
        self.spent, self.longest = self.spent + one, max(self.longest, one)
        return found


async def test_judging_takes_a_part_of_one_core_however_much_happens(like: Callable[[str], Obj]) -> None:
    """A namespace with hundreds of pods, in which something happens all the time, is not judged all the time."""
    live, rolling, pod = Live(), like("rolling"), like("pod-new")
    named = [{**pod, "metadata": {**pod["metadata"], "name": f"p{n}", "uid": f"p{n}"}} for n in range(_PODS)]
    live.replace("Deployment", [rolling])
    live.replace("ReplicaSet", [like("replicaset-new")])
    live.replace("Pod", named)
    cluster = Cluster(*connection(KUBECONFIG))
    tracker = _Timed(cluster, live, "deploy", lambda _line: None, str, cluster.now())

    async def happens() -> None:
        while True:
            live.take({"type": "MODIFIED", "object": named[0]})
            await checkpoint()

    # Just begun: what they wait for has a grace.
    cluster.ahead = epoch("2026-11-23T07:00:05Z") - time.time()
    begun = time.monotonic()
    with anyio.move_on_after(_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(happens)
            await tracker.rolled_out([Key.of(rolling)], 60)
    # The end comes when it comes on a busy machine, and no rest follows the last judgement.
    assert tracker.spent > 0
    assert tracker.spent - tracker.longest < 0.3 * (time.monotonic() - begun)
