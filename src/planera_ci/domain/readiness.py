"""Whether a workload has rolled out, and if it cannot, why: one function for each kind.

Only what belongs to the wanted state is judged: a replica set, a pod or a condition that an earlier
rollout left behind neither fails a new one nor makes it look done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from planera_ci.domain import replicasets as rs
from planera_ci.domain import symptom as sy
from planera_ci.domain.diagnosis import exited, symptoms
from planera_ci.domain.events import about, happened
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.moments import epoch, written
from planera_ci.domain.pods import ended, is_ready, waits
from planera_ci.domain.scene import Scene
from planera_ci.domain.symptom import NO_END, Failure, Symptom, due, judged

# Refusals to create a pod that pass: a webhook that restarts, an account or a quota that is just being made.
_PASSING = (
    "calling webhook",
    "internal error",
    "timeout",
    "timed out",
    "error looking up service account",
    "connection refused",
    "status unknown",
)
# A webhook's own word, whatever it is about.
_FINAL = "denied the request"
_QUOTA = re.compile(r"(exceeded|failed|insufficient) quota|status unknown for quota")


@dataclass(frozen=True)
class State:
    """How far a workload is: done, failed for a reason, or waiting with a message."""

    done: bool
    message: str
    failure: Failure | None = None
    symptoms: tuple[Symptom, ...] = ()
    due: float = NO_END
    """When the next trouble's grace ends."""
    blocked: str = ""
    """A pod of an earlier revision that will never be ready, and that the controller waits for."""
    at: float = 0.0
    """The cluster's timestamp of a state that is done."""


def state_of(obj: Obj, scene: Scene) -> State:
    """Derive the state of a workload from itself and the scene around it."""
    kind = obj["kind"]
    pods = scene.pods_of(obj)
    if kind == "Job":
        return _job(obj, pods, scene)
    if kind == "Pod":
        return _pod(obj, scene)
    if kind in _CONTROLLERS and _unseen(obj):
        return State(False, "waiting for the controller to see it")
    judge = _CONTROLLERS.get(kind)
    return judge(obj, pods, scene) if judge else State(True, "applied")


def _unseen(obj: Obj) -> bool:
    """Tell whether the status is still that of an earlier generation."""
    return _count(obj, "observedGeneration") < int(obj["metadata"].get("generation", 0))


def _count(obj: Obj, name: str) -> int:
    return int((obj.get("status") or {}).get(name) or 0)


def _failed(failure: Failure, found: tuple[Symptom, ...] = ()) -> State:
    return State(False, failure.message, failure, found)


def _done(obj: Obj, message: str) -> State:
    return State(True, message, at=written(obj))


def _grace(obj: Obj) -> float | None:
    """Return the grace that a workload asks for; one that is no number was refused before."""
    return sy.grace_of(obj["metadata"].get("annotations"))


def _waiting(obj: Obj, message: str, found: tuple[Symptom, ...], scene: Scene) -> State:
    """Judge the symptoms of a workload that is not done yet."""
    grace = _grace(obj)
    failure = judged(found, scene.firsts, scene.now, grace)
    if failure:
        return _failed(failure, found)
    return State(False, message, symptoms=found, due=due(found, scene.firsts, scene.now, grace))


def _deployment(obj: Obj, pods: tuple[Obj, ...], scene: Scene) -> State:
    wanted = int(obj["spec"].get("replicas", 1))
    total, updated, available = (_count(obj, f"{name}eplicas") for name in ("r", "updatedR", "availableR"))
    sets = scene.replica_sets_of(obj)
    newest = rs.newest(obj, sets)
    left = max(total - updated, rs.left(newest, sets, pods))
    if total == updated == wanted and available >= wanted and not left:
        return _done(obj, f"{available}/{wanted}")
    if obj["spec"].get("paused"):
        return _failed(Failure(sy.CONFIG, f"it is paused: kubectl rollout resume deployment {obj['metadata']['name']}"))
    if newest is None:
        return State(False, f"0/{wanted} ready; no replica set yet")
    mine = rs.pods_of(newest, pods)
    found = (*symptoms(mine, scene.index), *_refused(newest, scene))
    ready = sum(map(is_ready, mine))
    old = f"; {left} of the old pods to go" if left > 0 else ""
    brief = "; not for long enough to be available (minReadySeconds)" if ready > available else ""
    state = _waiting(obj, f"{ready}/{wanted} ready{waits(mine) or _denied(newest) or old or brief}", found, scene)
    overdue = None if state.failure else _overdue(obj, newest)
    return _failed(overdue, found) if overdue else state


def _condition(obj: Obj, kind: str, status: str) -> dict[str, Any]:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind and c["status"] == status), {})


def _refused(newest: Obj, scene: Scene) -> tuple[Symptom, ...]:
    """Return why the API server refuses the pods of a replica set."""
    condition = _condition(newest, "ReplicaFailure", "True")
    if condition.get("reason") != "FailedCreate":
        return ()
    at = epoch(condition.get("lastTransitionTime"))
    return (_refusal(newest, condition.get("message", ""), scene, seen=at, since=at),)


def _refusal(owner: Obj, message: str, scene: Scene, *, seen: float, since: float = 0.0) -> Symptom:
    """Class a refusal to create a pod: it may pass where pods on their way out still count, or a webhook restarts.

    When the last of those pods is out, the controller has yet to try again: its word of before does not fail it.
    """
    mark = f"{owner['metadata'].get('uid', owner['metadata']['name'])}/create"
    words, first = sy.plain(message), scene.firsts.get(mark)
    exceeded = "exceeded quota" in words
    freed = scene.leaving or (first is not None and first.symptom.grace > 0)
    passing = freed if exceeded else _FINAL not in words and any(word in words for word in _PASSING)
    grace = sy.REFUSAL_GRACE if passing else 0.0
    reason = sy.QUOTA if _QUOTA.search(words) else sy.ADMISSION
    return Symptom(reason, message, mark=mark, since=since, seen=seen, grace=grace)


def _refused_by_event(obj: Obj, scene: Scene) -> tuple[Symptom, ...]:
    """Return why the pods of a controller without a condition for it are refused, said since it was last changed.

    An event that is repeated moves its time on, so that its first sight is when it began.
    """
    changed = written(obj, status=False)
    mine = about(obj, scene.index)
    fresh = (event for event in mine if event.get("reason") == "FailedCreate" and happened(event) > changed)
    return tuple(_refusal(obj, str(event.get("message", "")), scene, seen=happened(event)) for event in fresh)[:1]


def _denied(newest: Obj) -> str:
    message = _condition(newest, "ReplicaFailure", "True").get("message", "")
    return f"; no pod yet: {message}" if message else ""


def _overdue(obj: Obj, newest: Obj) -> Failure | None:
    """Return the progress deadline's end; the condition of an earlier rollout names another replica set."""
    condition = _condition(obj, "Progressing", "False")
    message = condition.get("message", "")
    if condition.get("reason") == "ProgressDeadlineExceeded" and f'"{newest["metadata"]["name"]}"' in message:
        return Failure(sy.SLOW, message, decided=epoch(condition.get("lastTransitionTime")))
    return None


def _stateful_set(obj: Obj, pods: tuple[Obj, ...], scene: Scene) -> State:
    spec, status = obj["spec"], obj.get("status") or {}
    wanted = int(spec.get("replicas", 1))
    strategy = spec.get("updateStrategy") or {}
    kept = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
    total, updated, available = (_count(obj, f"{name}eplicas") for name in ("r", "updatedR", "availableR"))
    revision = status.get("updateRevision")
    current = status.get("currentRevision") == revision or updated >= max(wanted - kept, 0)
    if total == wanted and available >= wanted and current:
        return _done(obj, f"{available}/{wanted}")
    mine, old = (tuple(pod for pod in pods if _is_of(pod, revision) is new) for new in (True, False))
    found = (*symptoms(mine, scene.index), *_refused_by_event(obj, scene))
    by_hand = "; updateStrategy OnDelete: delete the old pods" if strategy.get("type") == "OnDelete" else ""
    message = f"{sum(map(is_ready, mine))}/{wanted} ready{waits(mine) or waits(old) or by_hand}"
    state = _waiting(obj, message, found, scene)
    if state.failure or by_hand or spec.get("podManagementPolicy") == "Parallel":
        return state
    # The controller waits for every old pod to be ready before it replaces any, even one that never will be.
    troubles = symptoms(old, scene.index)
    stuck = judged(troubles, scene.firsts, scene.now, _grace(obj))
    ends = min(state.due, due(troubles, scene.firsts, scene.now, _grace(obj)))
    return replace(state, symptoms=(*found, *troubles), due=ends, blocked=stuck.pod if stuck else "")


def _is_of(pod: Obj, revision: str | None) -> bool:
    return (pod["metadata"].get("labels") or {}).get("controller-revision-hash") == revision


def _daemon_set(obj: Obj, pods: tuple[Obj, ...], scene: Scene) -> State:
    wanted, updated, available = (
        _count(obj, name) for name in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
    )
    if (obj["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return State(True, "applied; its pods change when they are deleted")
    if updated == wanted and available >= wanted:
        return _done(obj, f"{available}/{wanted}")
    template = (obj["metadata"].get("annotations") or {}).get("deprecated.daemonset.template.generation")
    mine = tuple(p for p in pods if (p["metadata"].get("labels") or {}).get("pod-template-generation") == template)
    found = (*symptoms(mine, scene.index), *_refused_by_event(obj, scene))
    return _waiting(obj, f"{sum(map(is_ready, mine))}/{wanted} ready{waits(mine)}", found, scene)


def _job(obj: Obj, pods: tuple[Obj, ...], scene: Scene) -> State:
    finished = _condition(obj, "Complete", "True")
    if finished:
        return State(True, "completed", at=epoch(finished.get("lastTransitionTime")))
    over = _condition(obj, "Failed", "True") or _condition(obj, "FailureTarget", "True")
    if over:
        return _failed(_job_failure(over, scene.pods_of(obj, leaving=True)))
    found = (*symptoms(pods, scene.index, crashes=False), *_refused_by_event(obj, scene))
    if (obj.get("spec") or {}).get("suspend"):
        return State(False, "suspended")
    runs = any((pod.get("status") or {}).get("phase") == "Running" for pod in pods)
    return _waiting(obj, "running" if runs else f"started{waits(pods)}" if pods else "no pod yet", found, scene)


def _job_failure(condition: dict[str, Any], pods: tuple[Obj, ...]) -> Failure:
    """Say how a Job's last pod ended; the Job itself says only that it gave up.

    One that ran out of time was at work until its Job had it ended: how it ended then says nothing, its log does.
    """
    message, at = condition.get("message", ""), epoch(condition.get("lastTransitionTime"))
    late = condition.get("reason") == "DeadlineExceeded"
    last = max(pods, key=lambda pod: pod["metadata"].get("creationTimestamp") or "", default=None)
    crash = exited(last) if last and not late else None
    if crash:
        return replace(crash, message=f"{crash.message}; {message}", decided=at)
    found = Failure(sy.SLOW if late else sy.CRASH, message, decided=at)
    return replace(found, pod=last["metadata"]["name"], container=_first_of(last)) if last else found


def _first_of(pod: Obj) -> str:
    return next((str(container["name"]) for container in (pod.get("spec") or {}).get("containers") or ()), "")


def _pod(obj: Obj, scene: Scene) -> State:
    """Judge a pod that nothing restarts; it is ready when its work is done, however long that takes."""
    if ended(obj):
        failure = exited(obj) or Failure(sy.SLOW, (obj.get("status") or {}).get("message") or "it has ended")
        return _failed(failure)
    if is_ready(obj):
        return _done(obj, "ready")
    runs = (obj.get("status") or {}).get("phase") == "Running"
    found = symptoms((obj,), scene.index, crashes=False)
    return _waiting(obj, "at work" if runs else f"started{waits((obj,))}", found, scene)


_CONTROLLERS = {"Deployment": _deployment, "StatefulSet": _stateful_set, "DaemonSet": _daemon_set}


def describe(key: Key, state: State) -> str:
    """Say a workload's state in one line."""
    return f"{key.name} {state.message}"
