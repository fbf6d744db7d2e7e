"""The record of a deployment, kept in the environment's own namespace.

It is what `status` tells, what the next deployment compares with ("was 9f8e7d6"), and the
inventory that pruning reads: nothing is removed that a record does not name.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from planera_ci.domain.manifests import Key
from planera_ci.errors import ClusterError

SCHEMA = 1


class Entry(BaseModel):
    """One applied object."""

    model_config = ConfigDict(frozen=True)
    api_version: str
    kind: str
    namespace: str
    name: str


class _Versioned(BaseModel):
    """What every version's record holds, read before anything else."""

    schema_version: int = SCHEMA


class Record(BaseModel):
    """One deployment of a release in an environment."""

    model_config = ConfigDict(frozen=True)
    schema_version: int = SCHEMA
    revision: int
    version: str
    images: dict[str, str]
    inventory: tuple[Entry, ...]
    deployed_at: str = ""

    def keys(self) -> tuple[Key, ...]:
        """Return the inventory as keys."""
        return tuple(Key(e.api_version, e.kind, e.namespace, e.name) for e in self.inventory)


def record_of(previous: Record | None, version: str, images: dict[str, str], keys: tuple[Key, ...]) -> Record:
    """Return the record of a deployment: the previous one itself where nothing differs."""
    inventory = tuple(
        Entry(api_version=k.api_version, kind=k.kind, namespace=k.namespace, name=k.name) for k in sorted(keys)
    )
    if previous and previous.version == version and previous.images == images and previous.inventory == inventory:
        return previous
    revision = previous.revision + 1 if previous else 1
    return Record(revision=revision, version=version, images=images, inventory=inventory)


def read(text: str, where: str) -> Record:
    """Read a record; one that a newer version wrote, or that someone edited, is refused."""
    act = f"read the deployment record {where}"
    try:
        if _Versioned.model_validate_json(text).schema_version > SCHEMA:
            raise ClusterError(act, "a newer version of planera-ci wrote it", "use that version or a newer one")
        return Record.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise ClusterError(
            act,
            ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]])),
            "delete it to start a new history; no workload is touched by that",
        ) from error
