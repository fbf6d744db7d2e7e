"""What an environment's last good revision has proven, so that it need not be tried again.

A release is tried before it is published. Where the very images run already, and the manifests would have
them run in the same way, another try could only say the same; what is done to the cluster is done all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from planera_ci.domain.history import Record
from planera_ci.domain.manifests import Obj, unpinned
from planera_ci.domain.smoke import SmokePlan, smoke_plan


@dataclass(frozen=True)
class Proven:
    """A revision that was verified: its images, and how they are run. By default nothing is proven."""

    revision: int = 0
    images: Mapping[str, str] = field(default_factory=dict)
    """Each image as the manifests name it, and what it was pinned to."""
    plan: SmokePlan | None = None

    @classmethod
    def by(cls, record: Record, objs: tuple[Obj, ...], app: str) -> Proven:
        """Return what a good revision has proven, from its objects as they were applied."""
        return cls(record.revision, record.images, smoke_plan(unpinned(objs, record.images), app, ""))

    def has(self, name: str, reference: str) -> bool:
        """Tell whether an image ran in it."""
        return self.images.get(name) == reference

    def covers(self, pins: Mapping[str, str], objs: tuple[Obj, ...], app: str) -> bool:
        """Tell whether these images, run as these manifests say, are what it ran."""
        return self.plan is not None and self.images == pins and self.plan == smoke_plan(objs, app, "")
