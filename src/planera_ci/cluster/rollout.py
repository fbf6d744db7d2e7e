"""Wait for workloads to roll out: watch, judge by the pure rules, and say what happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import anyio

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.watch import Live
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.readiness import Failure, State, describe, pods_of, state_of
from planera_ci.errors import RolloutError, last_lines

KINDS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("v1", "Pod"),
)

TRACKED = frozenset(kind for _, kind in KINDS) - {"ReplicaSet", "Pod"}
"""The kinds that a deployment waits for."""

Say = Callable[[str], None]
"""Takes a line of progress."""


async def rolled_out(
    cluster: Cluster, live: Live, keys: Iterable[Key], *, act: str, within: float, say: Say
) -> dict[Key, State]:
    """Return the states of all workloads once they are done; raise at the first that cannot be."""
    keys = tuple(keys)
    states: dict[Key, State] = {}
    with anyio.move_on_after(within):
        while True:
            for key in keys:
                state = _judge(live, key)
                if state != states.get(key):
                    say(describe(key, state))
                states[key] = state
                if state.failure:
                    raise await _error(cluster, key, state.failure, act)
            if all(state.done for state in states.values()):
                return states
            await live.change()
    key, state = next((key, state) for key, state in states.items() if not state.done)
    pods = pods_of(live.objects[key], live.of("Pod")) if key in live.objects else ()
    message = f"not ready after {within:.0f} s: {state.message}"
    raise await _error(cluster, key, Failure("slow", message, *_suspect(pods)), act)


def _judge(live: Live, key: Key) -> State:
    obj = live.objects.get(key)
    if obj is None:
        return State(False, "not seen yet")
    return state_of(obj, pods_of(obj, live.of("Pod")), live.of("ReplicaSet"))


def _suspect(pods: Iterable[Obj]) -> tuple[str, str]:
    for pod in pods:
        known = pod.get("status") or {}
        for status in (*(known.get("initContainerStatuses") or ()), *(known.get("containerStatuses") or ())):
            if not status.get("ready"):
                return pod["metadata"]["name"], status["name"]
    return "", ""


async def _error(cluster: Cluster, key: Key, failure: Failure, act: str) -> RolloutError:
    tail = await _log(cluster, key.namespace, failure) if failure.pod and failure.container else ""
    return RolloutError(
        act,
        f"{key}: {failure.reason}: {failure.message}",
        "the pods that ran before keep serving; correct the cause and deploy again",
        tail=last_lines(tail),
    )


async def _log(cluster: Cluster, namespace: str, failure: Failure) -> str:
    current = await cluster.log(namespace, failure.pod, failure.container)
    return current or await cluster.log(namespace, failure.pod, failure.container, previous=True)
