"""What pods say about why they are not ready: beyond help, or still to be waited for.

Reasons are those of the kubelet (Kubernetes API, ContainerStatus; pkg/kubelet/images/types.go). One
that no waiting cures is a failure at once; any other may still come right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from planera_ci.domain.manifests import Obj

_HOPELESS = {
    "InvalidImageName": "image",
    "ErrImageNeverPull": "image",
    "SignatureValidationFailed": "image",
    "CreateContainerConfigError": "config",
    "CreateContainerError": "config",
    "RunContainerError": "config",
}
# Messages of those reasons that a busy or freshly started node gives, and takes back.
_PASSING = ("deadline exceeded", "timed out", "is reserved for", "not yet been read")
_PULL = frozenset({"ErrImagePull", "ImagePullBackOff"})
# Words only: the digits of a digest hold "401" or "403" often enough.
_PULL_HOPELESS = ("not found", "unauthorized", "denied", "forbidden", "manifest unknown")
_ENDED = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True)
class Failure:
    """Why a workload cannot become ready."""

    reason: str
    message: str
    pod: str = ""
    container: str = ""


def hopeless(pods: Iterable[Obj], *, crashes: bool = True) -> Failure | None:
    """Return the first reason among these pods that no waiting cures; pods that ended have none.

    A container counts as crashing when the kubelet says so (CrashLoopBackOff, from its second exit
    on): one that crashed before and runs now is starting. A Job counts its crashes itself.
    """
    for pod in pods:
        if (pod.get("status") or {}).get("phase") not in _ENDED:
            for status in statuses(pod):
                failure = _stuck(pod, status) or (_crashing(pod, status) if crashes else None)
                if failure:
                    return failure
    return None


def _stuck(pod: Obj, status: Mapping[str, Any]) -> Failure | None:
    name, container = pod["metadata"]["name"], status["name"]
    waiting = (status.get("state") or {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    text = f"pod {name} container {container} {reason}" + (f": {message}" if message else "")
    said = message.lower()
    if reason in _HOPELESS and not any(word in said for word in _PASSING):
        return Failure(_HOPELESS[reason], text, name, container)
    if reason in _PULL and any(word in said for word in _PULL_HOPELESS):
        return Failure("image", text, name, container)
    return None


def _crashing(pod: Obj, status: Mapping[str, Any]) -> Failure | None:
    waiting = (status.get("state") or {}).get("waiting") or {}
    if waiting.get("reason") != "CrashLoopBackOff":
        return None
    name, container = pod["metadata"]["name"], status["name"]
    exits = int(status.get("restartCount", 0)) + 1
    times = "twice" if exits == 2 else f"{exits} times"  # noqa: PLR2004
    message = f"pod {name} container {container} exited {times}, last {_ended(status)}"
    return Failure("crash", message, name, container)


def _ended(status: Mapping[str, Any]) -> str:
    """Say how a container's last run ended."""
    for field in ("state", "lastState"):
        ended = (status.get(field) or {}).get("terminated")
        if ended:
            why = ended.get("reason", "")
            extra = f" ({why})" if why not in ("", "Error", "Completed") else ""
            return f"with code {ended.get('exitCode')}{extra}"
    return "with an unknown code"


def exited(pod: Obj) -> Failure | None:
    """Return the container of a pod that ended with an error."""
    for status in statuses(pod):
        for field in ("state", "lastState"):
            if ((status.get(field) or {}).get("terminated") or {}).get("exitCode"):
                name, container = pod["metadata"]["name"], status["name"]
                return Failure("crash", f"pod {name} container {container} exited {_ended(status)}", name, container)
    return None


def is_ready(pod: Obj) -> bool:
    """Tell whether a pod takes part in serving."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def waits(pods: Iterable[Obj]) -> str:
    """Name what the first pod that is not ready waits for; begins as the rest of a sentence."""
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status") or {}
        if is_ready(pod) or status.get("phase") in _ENDED:
            continue
        for condition in status.get("conditions") or ():
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                return f"; pod {name} is not scheduled: {condition.get('message', '')}"
        for container in statuses(pod):
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason"):
                return f"; pod {name} waits: {waiting['reason']} {waiting.get('message', '')}".rstrip()
        return f"; pod {name} is {status.get('phase', 'Pending').lower()} and not ready"
    return ""


def statuses(pod: Obj) -> list[dict[str, Any]]:
    """Return the states of a pod's containers, init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def pods_of(obj: Obj, pods: Iterable[Obj]) -> tuple[Obj, ...]:
    """Select the pods that a workload's selector means, those on their way out left aside."""
    selector = (obj.get("spec") or {}).get("selector") or {}
    return tuple(
        pod
        for pod in pods
        if not pod["metadata"].get("deletionTimestamp") and selects(selector, pod["metadata"].get("labels") or {})
    )


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a label selector means an object with these labels; an empty one means none."""
    exact, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or ()
    if not exact and not expressions:
        return False
    return exact.items() <= labels.items() and all(_holds(expression, labels) for expression in expressions)


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or ()
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }.get(expression["operator"], False)
