"""Facts about pods: which a workload means, how their containers stand, whether they serve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from planera_ci.domain.manifests import Obj

_ENDED = frozenset({"Succeeded", "Failed"})


def ended(pod: Obj) -> bool:
    """Tell whether all of a pod's containers have ended for good."""
    return (pod.get("status") or {}).get("phase") in _ENDED


def is_ready(pod: Obj) -> bool:
    """Tell whether a pod takes part in serving."""
    return bool(condition(pod, "Ready").get("status") == "True")


def waits(pods: Iterable[Obj]) -> str:
    """Name what the first pod that is not ready waits for; begins as the rest of a sentence."""
    for pod in pods:
        name, status = pod["metadata"]["name"], pod.get("status") or {}
        if is_ready(pod) or ended(pod):
            continue
        scheduled = condition(pod, "PodScheduled")
        if scheduled.get("status") == "False":
            return f"; pod {name} is not scheduled: {scheduled.get('message', '')}"
        for container in statuses(pod):
            reason, message = waiting(container)
            if reason:
                return f"; pod {name} waits: {reason} {message}".rstrip()
        return f"; pod {name} is {status.get('phase', 'Pending').lower()} and not ready"
    return ""


def statuses(pod: Obj) -> list[dict[str, Any]]:
    """Return the states of a pod's containers, init containers first."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def waiting(status: Mapping[str, Any]) -> tuple[str, str]:
    """Return why a container waits, and what is said about it."""
    found = (status.get("state") or {}).get("waiting") or {}
    return found.get("reason", ""), found.get("message", "")


def condition(obj: Obj, kind: str) -> dict[str, Any]:
    """Return a condition of an object's status."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind), {})


def how_it_ended(status: Mapping[str, Any]) -> str:
    """Say how a container's last run ended."""
    for field in ("state", "lastState"):
        ended_so = (status.get(field) or {}).get("terminated")
        if ended_so:
            why = ended_so.get("reason", "")
            extra = f" ({why})" if why not in ("", "Error", "Completed") else ""
            return f"with code {ended_so.get('exitCode')}{extra}"
    return "with an unknown code"


def pods_of(obj: Obj, pods: Iterable[Obj], *, leaving: bool = False) -> tuple[Obj, ...]:
    """Select the pods that a workload's selector means, those on their way out left aside if they are not wanted."""
    selector = (obj.get("spec") or {}).get("selector") or {}
    return tuple(
        pod
        for pod in pods
        if (leaving or not pod["metadata"].get("deletionTimestamp"))
        and selects(selector, pod["metadata"].get("labels") or {})
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
