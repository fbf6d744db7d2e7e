"""The replica sets of a Deployment: which one it means now, whose pods are whose."""

from __future__ import annotations

from planera_ci.domain.manifests import Obj
from planera_ci.domain.pods import ended

_HASH = "pod-template-hash"


def newest(deployment: Obj, sets: tuple[Obj, ...]) -> Obj | None:
    """Return the replica set of the current template, as the controller finds it: by comparison.

    The revision annotation is no guide: on the way back to an earlier template it points for a
    while to the replica set that is being left.
    """
    template = _plain(deployment["spec"].get("template") or {})
    same = [each for each in sets if _plain(each["spec"].get("template") or {}) == template]
    return min(same, key=lambda each: each["metadata"].get("creationTimestamp") or "", default=None)


def pods_of(replica_set: Obj, pods: tuple[Obj, ...]) -> tuple[Obj, ...]:
    """Return the pods of a replica set, of those of its Deployment."""
    return tuple(pod for pod in pods if _hashed(pod) == _hashed(replica_set))


def left(current: Obj | None, sets: tuple[Obj, ...], pods: tuple[Obj, ...]) -> int:
    """Count the pods of earlier templates.

    The Deployment's status adds up what each replica set has counted, and one whose controller is busy may have made a
    pod that it has not counted yet: then a rollout claims to be done while that pod is still there.
    """
    earlier = {_hashed(each) for each in sets if current and each is not current}
    return sum(_hashed(pod) in earlier and not ended(pod) for pod in pods)


def _hashed(obj: Obj) -> str:
    return str((obj["metadata"].get("labels") or {}).get(_HASH, ""))


def _plain(template: Obj) -> Obj:
    """Return a pod template without the label that the controller adds to it."""
    meta = template.get("metadata") or {}
    labels = {name: value for name, value in (meta.get("labels") or {}).items() if name != _HASH}
    return {**template, "metadata": {**meta, "labels": labels}}
