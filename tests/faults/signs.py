"""When the cluster itself knew that a fault is one, read from its objects and not from planera-ci.

The timestamps are the cluster's: whole seconds, of the write or the change of state that decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

Obj = dict[str, Any]

_WAITING = {"image": {"ErrImagePull", "ImagePullBackOff"}, "config": {"CreateContainerConfigError"}}


def decided(reason: str, objs: Iterable[Obj], grace: float = 0) -> datetime | None:
    """Return the first moment at which these objects, in the order in which they were seen, show a hopeless state."""
    for obj in objs:
        if obj["kind"] in _SIGNS and (found := _SIGNS[obj["kind"]](reason, obj)):
            return _time(found) + timedelta(seconds=grace)
    return None


def _pod(reason: str, pod: Obj) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return ""
    if reason == "scheduling":
        return _transition(pod, "PodScheduled", "False")
    for container in _containers(pod):
        state, ended_before = container.get("state") or {}, "terminated" in (container.get("lastState") or {})
        if (state.get("waiting") or {}).get("reason") in _WAITING.get(reason, ()):
            return _written(pod)
        if reason == "crash" and ended_before and "running" not in state:
            return _written(pod)
        if reason == "probe" and "running" in state and container.get("started") and not container["ready"]:
            return _written(pod)
    return ""


def _job(reason: str, job: Obj) -> str:
    return _transition(job, "FailureTarget", "True") if reason in {"crash", "slow"} else ""


def _replica_set(reason: str, replica_set: Obj) -> str:
    return _transition(replica_set, "ReplicaFailure", "True") if reason in {"quota", "admission"} else ""


def _event(reason: str, event: Obj) -> str:
    """Read what events say first, or alone: a failed pull, a second end or kill, a missing storage class."""
    signs = {
        "killed": event["reason"] == "Killing" and "liveness" in event["message"] and event.get("count", 0) > 1,
        "volume": event["reason"] == "ProvisioningFailed",
        "image": event["reason"] == "Failed" and event["message"].startswith("Failed to pull image"),
        "crash": event["reason"] == "BackOff" and event["message"].startswith("Back-off restarting failed container"),
    }
    return str(event["lastTimestamp"]) if signs.get(reason) else ""


_SIGNS = {"Pod": _pod, "Job": _job, "ReplicaSet": _replica_set, "Event": _event}


def _containers(pod: Obj) -> Iterator[Obj]:
    for field in ("initContainerStatuses", "containerStatuses"):
        yield from (pod.get("status") or {}).get(field) or ()


def _transition(obj: Obj, kind: str, status: str) -> str:
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((c["lastTransitionTime"] for c in conditions if (c["type"], c["status"]) == (kind, status)), "")


def _written(pod: Obj) -> str:
    """Return when the kubelet last wrote a pod's status."""
    entries = pod["metadata"].get("managedFields") or ()
    return max(
        (e["time"] for e in entries if e["manager"] == "kubelet" and e.get("subresource") == "status"), default=""
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
