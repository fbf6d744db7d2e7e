"""What pods and their events say about why they are not ready.

Reasons are those of the kubelet (Kubernetes API, ContainerStatus; pkg/kubelet/images/types.go), of
the scheduler and of the volume controllers. Each becomes a symptom: hopeless, or with a grace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from planera_ci.domain import symptom as sy
from planera_ci.domain.events import Index, about, happened, said, text_of
from planera_ci.domain.manifests import Obj
from planera_ci.domain.moments import epoch, written
from planera_ci.domain.pods import condition, ended, how_it_ended, is_ready, statuses, waiting
from planera_ci.domain.symptom import Failure, Symptom

_HOPELESS = {
    "InvalidImageName": sy.IMAGE,
    "ErrImageNeverPull": sy.IMAGE,
    "SignatureValidationFailed": sy.IMAGE,
    "CreateContainerConfigError": sy.CONFIG,
    "CreateContainerError": sy.CONFIG,
    "RunContainerError": sy.CONFIG,
}
# Messages of those reasons that a busy or freshly started node gives, and takes back.
_PASSING = (
    *("deadline exceeded", "timed out", "is reserved for", "not yet been read"),
    *("error while dialing", "error reading from server"),  # the runtime is being restarted
)
_PULL = frozenset({"ErrImagePull", "ImagePullBackOff"})
# Words only: the digits of a digest hold "401" or "403" often enough.
_PULL_HOPELESS = ("not found", "unauthorized", "denied", "forbidden", "manifest unknown")
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]*"$')
_MISSING = re.compile(r'(secret|configmap) "[^"]*" not found|references non-existent (config|secret) key')
_NO_CLASS = re.compile(r"storageclass\S* \S+ not found")
_VOLUMES = ("persistentvolumeclaim", "volume")
_CREATING = frozenset({"ContainerCreating", "PodInitializing"})
_FAILED_PULL = "Failed to pull image"
_GOOD_RUN = 600.0
_NOT_ITS_OWN = frozenset({"Unknown", "ContainerStatusUnknown"})
# A new node is on its way: cluster-autoscaler's and Karpenter's words.
_SCALING = frozenset({"TriggeredScaleUp", "Nominated"})
_PROBE_KILL = re.compile(r"^(?:Init c|C)ontainer (\S+) failed (liveness|startup) probe")


def symptoms(pods: Iterable[Obj], index: Index, *, crashes: bool = True) -> tuple[Symptom, ...]:
    """Return what keeps these pods from being ready, the hopeless first; pods that ended have none.

    A container counts as crashing when the kubelet says so (CrashLoopBackOff, from its second exit
    on): one that crashed before and runs now is starting. A Job counts its crashes itself.
    """
    unwell = (pod for pod in pods if not ended(pod) and not is_ready(pod))
    found = [s for pod in unwell for s in _of_pod(pod, index, crashes=crashes)]
    return tuple(sorted(found, key=lambda s: s.grace))


def _of_pod(pod: Obj, index: Index, *, crashes: bool) -> Iterator[Symptom]:
    mine = about(pod, index)
    unscheduled = _unscheduled(pod, mine, index)
    if unscheduled:
        yield unscheduled
        return
    for status in statuses(pod):
        found = (
            _stuck(pod, status)
            or _pull(pod, status, mine)
            or (_crashing(pod, status, mine) if crashes else None)
            or (_unready(pod, status, mine) if crashes else None)
        )
        if found:
            yield found
    unmounted = next((text for text in said(mine, "FailedMount") if _MISSING.search(text)), "")
    if unmounted and _creating(pod):
        name = pod["metadata"]["name"]
        yield _symptom(pod, sy.CONFIG, f"pod {name} cannot mount: {unmounted}", topic="mount")


def _symptom(pod: Obj, reason: str, message: str, container: str = "", *, topic: str, **more: Any) -> Symptom:
    meta = pod["metadata"]
    mark = "/".join((meta.get("uid", meta["name"]), container, topic))
    return Symptom(reason, message, meta["name"], container, mark, seen=written(pod), **more)


def _unscheduled(pod: Obj, mine: tuple[Obj, ...], index: Index) -> Symptom | None:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") != "False" or scheduled.get("reason") == "SchedulingGated":
        return None
    why = scheduled.get("message", "")
    name, grace = pod["metadata"]["name"], sy.SCHEDULING_GRACE
    text = f"pod {name} is not scheduled: {why}"
    if any(word in why.lower() for word in _VOLUMES):
        unbound = next(filter(_NO_CLASS.search, said(_about_claims(pod, index), "ProvisioningFailed")), "")
        text, grace = (f"{text} ({unbound})", 0.0) if unbound else (text, sy.VOLUME_GRACE)
    if any(event.get("reason") in _SCALING for event in mine):
        grace = sy.NO_END
    since = epoch(scheduled.get("lastTransitionTime"))
    return _symptom(pod, sy.SCHEDULING, text, topic="schedule", since=since, grace=grace)


def _stuck(pod: Obj, status: Mapping[str, Any]) -> Symptom | None:
    reason, message = waiting(status)
    if reason not in _HOPELESS or any(word in message.lower() for word in _PASSING):
        return None
    return _symptom(pod, _HOPELESS[reason], _text(pod, status, reason, message), status["name"], topic=reason)


def _pull(pod: Obj, status: Mapping[str, Any], mine: tuple[Obj, ...]) -> Symptom | None:
    """Return a failing pull: hopeless where the registry's answer says so, else a registry that may come back.

    The event comes before the status says so, by many seconds where an init container ran before.
    """
    reason, message = waiting(status)
    container, seen = status["name"], written(pod)
    if reason in _CREATING:
        failed = next((event for event in mine if _is_failed_pull(event, container)), None)
        if failed is None:
            return None
        reason, message, seen = "ErrImagePull", str(failed.get("message", "")), happened(failed)
    elif reason not in _PULL:
        return None
    hidden = not message or bool(_BACK_OFF.match(message))
    if hidden:
        image = status.get("image") or "\0"
        told = next((text for text in said(mine, "Failed") if image in text), "")
        message, hidden = told or message, not told
    text, words = _text(pod, status, reason, message), sy.plain(message)
    if any(word in words for word in _PULL_HOPELESS):
        # The kubelet may have pulled without the login that it could not read yet: a new Secret's first seconds.
        grace = sy.LOGIN_GRACE if any(said(mine, "FailedToRetrieveImagePullSecret")) else 0.0
        return replace(_symptom(pod, sy.IMAGE, text, container, topic="pull", grace=grace), seen=seen)
    return _symptom(pod, sy.REGISTRY, text, container, topic="pull", grace=sy.REGISTRY_GRACE, vague=hidden)


def _is_failed_pull(event: Obj, container: str) -> bool:
    where = str(event["involvedObject"].get("fieldPath", ""))
    text = str(event.get("message", ""))
    return event.get("reason") == "Failed" and text.startswith(_FAILED_PULL) and where.endswith(f"{{{container}}}")


def _crashing(pod: Obj, status: Mapping[str, Any], mine: tuple[Obj, ...]) -> Symptom | None:
    """Return a container that has ended twice: by itself, or because its liveness or startup probe had it killed."""
    if status.get("ready"):
        return None
    name, container = pod["metadata"]["name"], status["name"]
    held = _held_back(pod, status, mine)
    kills = [(e, m) for e in mine if e.get("reason") == "Killing" and (m := _PROBE_KILL.match(text_of(e)))]
    killed = [(event, match) for event, match in kills if match[1] == container]
    count = sum(int(event.get("count") or 1) for event, _ in killed)
    if held is None and count < 2:  # noqa: PLR2004
        return None
    exits = max(int(status.get("restartCount", 0)) + 1, 2) if held is not None else count
    if not killed and exits - _ended_by_the_node(mine) < 2:  # noqa: PLR2004
        return None
    times = "twice" if exits == 2 else f"{exits} times"  # noqa: PLR2004
    reason, text = sy.CRASH, f"exited {times}, last {how_it_ended(status)}"
    if killed:
        last, match = killed[0]
        probe = _unhealthy(mine, container, match[2])
        reason, text = sy.PROBE, f"was killed {times}: {match[0]}" + (f" ({probe})" if probe else "")
        held = happened(last) if held is None else held
    found = _symptom(pod, reason, f"pod {name} container {container} {text}", container, topic="crash")
    return replace(found, seen=held or 0.0)


def _ended_by_the_node(mine: tuple[Obj, ...]) -> int:
    """Return how often all of a pod's containers ended because the node, or the pod's sandbox, did."""
    return sum(int(event.get("count") or 1) for event in mine if event.get("reason") == "SandboxChanged")


def _held_back(pod: Obj, status: Mapping[str, Any], mine: tuple[Obj, ...]) -> float | None:
    """Return since when the kubelet holds a container back, which it does from its second end on.

    For a container beside init containers the event says so long before the status.
    """
    if waiting(status)[0] == "CrashLoopBackOff" or _ended_again(pod, status):
        return written(pod)
    told = next((event for event in mine if _is_held_back(event, status["name"])), None)
    running = "running" in (status.get("state") or {})
    return None if told is None or running else happened(told)


def _is_held_back(event: Obj, container: str) -> bool:
    text = f"Back-off restarting failed container {container} in pod"
    return event.get("reason") == "BackOff" and str(event.get("message", "")).startswith(text)


def _ended_again(pod: Obj, status: Mapping[str, Any]) -> bool:
    """Tell whether a container has ended for the second time; that the kubelet backs off follows a second later.

    A run of ten minutes counts as a good one, as it does for the kubelet; an end that the node's restart
    brought about (reason Unknown) is not the container's own.
    """
    now, before = ((status.get(field) or {}).get("terminated") or {} for field in ("state", "lastState"))
    if not now or not before or (pod.get("spec") or {}).get("restartPolicy") == "Never":
        return False
    if _is_init(pod, status) and now.get("exitCode") == 0:
        return False
    brief = epoch(now.get("finishedAt")) - epoch(now.get("startedAt")) < _GOOD_RUN
    return brief and not any(end.get("reason") in _NOT_ITS_OWN for end in (now, before))


def _unhealthy(mine: tuple[Obj, ...], container: str, probe: str) -> str:
    """Return what a container's probe said last."""
    own = (event for event in mine if f"{{{container}}}" in event["involvedObject"].get("fieldPath", ""))
    return next((text for text in said(own, "Unhealthy") if text.lower().startswith(probe)), "")


def _unready(pod: Obj, status: Mapping[str, Any], mine: tuple[Obj, ...]) -> Symptom | None:
    """Return a container that runs without being ready; while its startup probe runs, that probe is the bound."""
    running = (status.get("state") or {}).get("running")
    if running is None or status.get("ready") or status.get("started") is False or _is_init(pod, status):
        return None
    name, container = pod["metadata"]["name"], status["name"]
    told = _unhealthy(mine, container, "readiness")
    text = f"pod {name} container {container} runs but is not ready" + (f": {told}" if told else "")
    if "startupProbe" in _spec_of(pod, container):
        return _symptom(pod, sy.PROBE, text, container, topic="ready", grace=sy.STARTED_GRACE)
    turned = epoch(condition(pod, "Ready").get("lastTransitionTime"))
    since = max(epoch(running.get("startedAt")), turned)
    return _symptom(pod, sy.PROBE, text, container, topic="ready", since=since, grace=sy.STARTING_GRACE)


def _text(pod: Obj, status: Mapping[str, Any], reason: str, message: str) -> str:
    return f"pod {pod['metadata']['name']} container {status['name']} {reason}" + (f": {message}" if message else "")


def _spec_of(pod: Obj, container: str) -> dict[str, Any]:
    return next((c for c in (pod.get("spec") or {}).get("containers") or () if c["name"] == container), {})


def _is_init(pod: Obj, status: Mapping[str, Any]) -> bool:
    return status in ((pod.get("status") or {}).get("initContainerStatuses") or ())


def _creating(pod: Obj) -> bool:
    return any(waiting(status)[0] in _CREATING for status in statuses(pod))


def _about_claims(pod: Obj, index: Index) -> tuple[Obj, ...]:
    """Select the events about the volumes that a pod claims."""
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    claims = ((v.get("persistentVolumeClaim") or {}).get("claimName", "") for v in volumes)
    return tuple(event for claim in claims for event in index.get(("PersistentVolumeClaim", claim), ()))


def exited(pod: Obj) -> Failure | None:
    """Return the container of a pod that ended with an error, and only else one whose run before did."""
    for field in ("state", "lastState"):
        for status in statuses(pod):
            run = {"state": status.get(field)}
            if ((run["state"] or {}).get("terminated") or {}).get("exitCode"):
                name, container = pod["metadata"]["name"], status["name"]
                text = f"pod {name} container {container} exited {how_it_ended(run)}"
                return Failure(sy.CRASH, text, name, container, written(pod))
    return None
