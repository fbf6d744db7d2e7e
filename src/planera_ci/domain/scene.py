"""What is known of a namespace at a moment, sorted once: a workload finds what is its own without a look at the rest.

Every event of a rollout is a moment, and every workload is judged at each of them. What one judgement looks
through must not grow with everything that is there, or a hundred workloads are told half a minute late.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from planera_ci.domain.events import Index, indexed
from planera_ci.domain.manifests import Obj
from planera_ci.domain.pods import pods_of
from planera_ci.domain.symptom import Firsts

Name = TypeVar("Name", str, tuple[str, str])


@dataclass(frozen=True)
class Scene:
    """What is known of the namespace at a moment, and of every trouble since its first sign."""

    pods: tuple[Obj, ...] = ()
    replica_sets: tuple[Obj, ...] = ()
    events: tuple[Obj, ...] = ()
    firsts: Firsts = field(default_factory=dict)
    now: float = 0.0

    @cached_property
    def index(self) -> Index:
        """Return the events by what they are about."""
        return indexed(self.events)

    def pods_of(self, obj: Obj, *, leaving: bool = False) -> tuple[Obj, ...]:
        """Select the pods that a workload's selector means: among those with its rarest label."""
        exact = ((obj.get("spec") or {}).get("selector") or {}).get("matchLabels") or {}
        near = min((self._labelled.get(label, ()) for label in exact.items()), key=len, default=self.pods)
        return pods_of(obj, near, leaving=leaving)

    def replica_sets_of(self, obj: Obj) -> tuple[Obj, ...]:
        """Select the replica sets that a deployment owns."""
        return self._owned.get(obj["metadata"].get("uid", ""), ())

    @cached_property
    def leaving(self) -> bool:
        """Tell whether some pod is on its way out."""
        return any(pod["metadata"].get("deletionTimestamp") for pod in self.pods)

    @cached_property
    def _labelled(self) -> dict[tuple[str, str], tuple[Obj, ...]]:
        return _grouped((label, pod) for pod in self.pods for label in (pod["metadata"].get("labels") or {}).items())

    @cached_property
    def _owned(self) -> dict[str, tuple[Obj, ...]]:
        return _grouped((uid, each) for each in self.replica_sets for uid in _owners(each))


def _owners(obj: Obj) -> set[str]:
    return {owner.get("uid", "") for owner in obj["metadata"].get("ownerReferences") or ()}


def _grouped(pairs: Iterable[tuple[Name, Obj]]) -> dict[Name, tuple[Obj, ...]]:
    found: dict[Name, list[Obj]] = {}
    for name, obj in pairs:
        found.setdefault(name, []).append(obj)
    return {name: tuple(objs) for name, objs in found.items()}
