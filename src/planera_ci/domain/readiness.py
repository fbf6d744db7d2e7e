"""Whether a workload has rolled out, and if it cannot, why: one function for each kind.

Only what belongs to the wanted state is judged: a replica set, a pod or a condition that an earlier
rollout left behind neither fails a new one nor makes it look done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.pods import Failure, exited, hopeless, is_ready, pods_of, waits

_HASH = "pod-template-hash"
# Refusals to create a pod that pass: a webhook that restarts, an account that is just being made.
_PASSING = ("calling webhook", "internal error", "timeout", "timed out", "serviceaccount", "connection refused")


@dataclass(frozen=True)
class State:
    """How far a workload is: done, failed for a reason, or waiting with a message."""

    done: bool
    message: str
    failure: Failure | None = None


def state_of(obj: Obj, pods: Iterable[Obj], replica_sets: Iterable[Obj] = ()) -> State:
    """Derive the state of a workload from itself, its pods and its replica sets."""
    owned = tuple(pods)
    kind = obj["kind"]
    if kind == "Job":
        return _job(obj, owned)
    if kind in ("Deployment", "StatefulSet") and _unseen(obj):
        return State(False, "waiting for the controller to see it")
    if kind == "Deployment":
        return _deployment(obj, owned, tuple(replica_sets))
    if kind == "StatefulSet":
        return _stateful_set(obj, owned)
    return State(True, "applied")


def _unseen(obj: Obj) -> bool:
    """Tell whether the status is still that of an earlier generation."""
    return _count(obj, "observedGeneration") < int(obj["metadata"].get("generation", 0))


def _count(obj: Obj, field: str) -> int:
    return int((obj.get("status") or {}).get(field) or 0)


def _failed(failure: Failure) -> State:
    return State(False, failure.message, failure)


def _deployment(obj: Obj, pods: tuple[Obj, ...], replica_sets: tuple[Obj, ...]) -> State:
    wanted = int(obj["spec"].get("replicas", 1))
    total, updated, available = (_count(obj, f"{name}eplicas") for name in ("r", "updatedR", "availableR"))
    if total == updated == wanted and available >= wanted:
        return State(True, f"{available}/{wanted}")
    if obj["spec"].get("paused"):
        return _failed(Failure("config", f"it is paused: kubectl rollout resume deployment {obj['metadata']['name']}"))
    newest = _newest(obj, replica_sets)
    if newest is None:
        return State(False, f"0/{wanted} ready; no replica set yet")
    hashed = (newest["metadata"].get("labels") or {}).get(_HASH, "")
    mine = tuple(pod for pod in pods if (pod["metadata"].get("labels") or {}).get(_HASH) == hashed)
    failure = hopeless(mine) or _refused(newest) or _overdue(obj, newest)
    if failure:
        return _failed(failure)
    ready = sum(map(is_ready, mine))
    old = f"; {total - updated} of the old pods to go" if total > updated else ""
    return State(False, f"{ready}/{wanted} ready{waits(mine) or _denied(newest) or old}")


def _newest(obj: Obj, replica_sets: tuple[Obj, ...]) -> Obj | None:
    """Return the replica set of the current template, as the controller finds it: by comparison.

    The revision annotation is no guide: on the way back to an earlier template it points for a
    while to the replica set that is being left.
    """
    uid, template = obj["metadata"].get("uid"), _plain(obj["spec"].get("template") or {})
    same = [
        rs
        for rs in replica_sets
        if any(owner.get("uid") == uid for owner in rs["metadata"].get("ownerReferences") or ())
        and _plain(rs["spec"].get("template") or {}) == template
    ]
    return min(same, key=lambda rs: rs["metadata"].get("creationTimestamp") or "", default=None)


def _plain(template: Obj) -> Obj:
    """Return a pod template without the label that the controller adds to it."""
    meta = template.get("metadata") or {}
    labels = {name: value for name, value in (meta.get("labels") or {}).items() if name != _HASH}
    return {**template, "metadata": {**meta, "labels": labels}}


def _condition(obj: Obj, kind: str, status: str) -> dict[str, Any]:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind and c["status"] == status), {})


def _refused(newest: Obj) -> Failure | None:
    """Return why the API server refuses the pods of a replica set, unless that may pass."""
    condition = _condition(newest, "ReplicaFailure", "True")
    message = condition.get("message", "")
    if condition.get("reason") != "FailedCreate" or any(word in message.lower() for word in _PASSING):
        return None
    return Failure("quota" if "exceeded quota" in message else "admission", message)


def _denied(newest: Obj) -> str:
    message = _condition(newest, "ReplicaFailure", "True").get("message", "")
    return f"; no pod yet: {message}" if message else ""


def _overdue(obj: Obj, newest: Obj) -> Failure | None:
    """Return the progress deadline's end; the condition of an earlier rollout names another replica set."""
    condition = _condition(obj, "Progressing", "False")
    message = condition.get("message", "")
    if condition.get("reason") == "ProgressDeadlineExceeded" and f'"{newest["metadata"]["name"]}"' in message:
        return Failure("slow", message)
    return None


def _stateful_set(obj: Obj, pods: tuple[Obj, ...]) -> State:
    spec, status = obj["spec"], obj.get("status") or {}
    wanted = int(spec.get("replicas", 1))
    strategy = spec.get("updateStrategy") or {}
    kept = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    total, updated, available = (_count(obj, f"{name}eplicas") for name in ("r", "updatedR", "availableR"))
    revision = status.get("updateRevision")
    current = status.get("currentRevision") == revision or updated >= max(wanted - kept, 0)
    if total == wanted and available >= wanted and current:
        return State(True, f"{available}/{wanted}")
    mine = tuple(p for p in pods if (p["metadata"].get("labels") or {}).get("controller-revision-hash") == revision)
    failure = hopeless(mine)
    if failure:
        return _failed(failure)
    old = tuple(pod for pod in pods if pod not in mine)
    blocked = hopeless(old) if spec.get("podManagementPolicy") != "Parallel" else None
    if blocked:
        advice = f"an earlier revision, kept until it is ready: kubectl delete pod {blocked.pod}"
        return _failed(Failure(blocked.reason, f"{blocked.message} ({advice})", blocked.pod, blocked.container))
    by_hand = "; updateStrategy OnDelete: delete the old pods" if strategy.get("type") == "OnDelete" else ""
    ready = sum(map(is_ready, mine))
    return State(False, f"{ready}/{wanted} ready{waits(mine) or waits(old) or by_hand}")


def _job(obj: Obj, pods: tuple[Obj, ...]) -> State:
    if _condition(obj, "Complete", "True"):
        return State(True, "completed")
    ended = _condition(obj, "Failed", "True") or _condition(obj, "FailureTarget", "True")
    if ended:
        return _failed(_job_failure(ended, pods))
    failure = hopeless(pods, crashes=False)
    if failure:
        return _failed(failure)
    if (obj.get("spec") or {}).get("suspend"):
        return State(False, "suspended")
    return State(False, f"running{waits(pods)}" if pods else "no pod yet")


def _job_failure(condition: dict[str, Any], pods: tuple[Obj, ...]) -> Failure:
    """Say how a Job's last pod ended; the Job itself says only that it gave up."""
    message = condition.get("message", "")
    last = max(pods, key=lambda pod: pod["metadata"].get("creationTimestamp") or "", default=None)
    crash = exited(last) if last else None
    if crash:
        return Failure("crash", f"{crash.message}; {message}", crash.pod, crash.container)
    return Failure("slow" if condition.get("reason") == "DeadlineExceeded" else "crash", message)


def describe(key: Key, state: State) -> str:
    """Say a workload's state in one line."""
    return f"{key.name} {state.message}"


__all__ = ["Failure", "State", "describe", "pods_of", "state_of"]
