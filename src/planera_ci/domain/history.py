"""The history of an environment: a record for each revision, kept in its own namespace.

A record is written before the first change and closed after the last, so that a run that was killed
leaves one that is still open. Nothing is removed from a cluster that no record names, and nothing is
rolled back to that no record calls good.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError

from planera_ci.domain.images import short
from planera_ci.domain.manifests import Key
from planera_ci.domain.rotation import RETIRED, base_of, settled_keys, told
from planera_ci.errors import ClusterError, HistoryError

SCHEMA = 2
KEPT = 10
"""How many revisions are kept; the last good one is, however old."""


class Outcome(StrEnum):
    """How a revision ended."""

    RUNNING = "running"
    """It is being deployed, or whoever did so was killed."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """It did not become what it should be, and is still there."""
    ROLLED_BACK = "rolled back"
    INTERRUPTED = "interrupted"
    """Whoever deployed it was killed; what was half done is undone or overwritten since."""


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
    """One revision: a release in an environment, and what came of it."""

    model_config = ConfigDict(frozen=True)
    schema_version: int = SCHEMA
    revision: int
    version: str
    outcome: Outcome = Outcome.RUNNING
    images: dict[str, str]
    inventory: tuple[Entry, ...]
    secrets: dict[str, int] = {}
    """For each key of the application's Secret, the revision that its value came with."""
    restores: int = 0
    """The revision whose release this one put back by hand."""
    rotates: str = ""
    """The key of the application's Secret that this revision was made to change; the release is the same."""
    reason: str = ""
    message: str = ""
    holder: str = ""
    run: str = ""
    started_at: str = ""
    ended_at: str = ""

    def keys(self) -> tuple[Key, ...]:
        """Return the inventory as keys."""
        return tuple(Key(e.api_version, e.kind, e.namespace, e.name) for e in self.inventory)

    def is_same_release(self, other: Record) -> bool:
        """Tell whether two revisions are the same release with the same secrets."""
        return (self.version, self.images, self.inventory, self.secrets) == (
            other.version,
            other.images,
            other.inventory,
            other.secrets,
        )

    def is_earlier_than(self, other: Record) -> bool:
        """Tell whether this is another release, and older: who goes back twice goes further back, not forth."""
        return self.revision < (other.restores or other.revision) and not self.is_same_release(other)


@dataclass(frozen=True)
class History:
    """All revisions that are kept, the oldest first."""

    records: tuple[Record, ...] = ()

    @classmethod
    def of(cls, records: Iterable[Record]) -> History:
        """Order records; one that was never closed, and is not the newest, was interrupted."""
        ordered = sorted(records, key=lambda record: record.revision)
        interrupted = {"outcome": Outcome.INTERRUPTED}
        closed = (r.model_copy(update=interrupted) if r.outcome is Outcome.RUNNING else r for r in ordered[:-1])
        return cls((*closed, *ordered[-1:]))

    def and_then(self, record: Record) -> History:
        """Return the history with the revision that is being deployed."""
        return History((*(r for r in self.records if r.revision != record.revision), record))

    @property
    def last(self) -> Record | None:
        """Return the newest revision."""
        return self.records[-1] if self.records else None

    @property
    def good(self) -> Record | None:
        """Return the newest revision that was deployed and verified."""
        return next((r for r in reversed(self.records) if r.outcome is Outcome.SUCCEEDED), None)

    @property
    def unfinished(self) -> Record | None:
        """Return the newest revision if its deployment never ended."""
        return self.last if self.last and self.last.outcome is Outcome.RUNNING else None

    @property
    def next_revision(self) -> int:
        """Return the number of the next revision."""
        return self.last.revision + 1 if self.last else 1

    def inventory(self) -> tuple[Key, ...]:
        """Return every object that may be there: the good revision's, and what later ones may have left."""
        good = self.good
        since = (r for r in self.records if good is None or r.revision >= good.revision)
        return tuple(sorted(set().union(*(record.keys() for record in since))))

    def surplus(self) -> tuple[Record, ...]:
        """Return the revisions to forget: all but the newest, and never the good one."""
        good = self.good
        return tuple(r for r in self.records[:-KEPT] if good is None or r.revision != good.revision)

    def find(self, revision: int, act: str) -> Record:
        """Return a revision by its number."""
        found = next((r for r in self.records if r.revision == revision), None)
        if found is None:
            numbers = ", ".join(str(r.revision) for r in self.records)
            remedy = f"choose one of {numbers}" if numbers else "deploy first"
            raise HistoryError(act, f"there is no revision {revision}", remedy)
        return found

    def to_restore(self, revision: int, act: str) -> Record:
        """Return the revision to go back to: the one asked for, or the last good one before what is there now."""
        good = self.good
        if revision:
            found = self.find(revision, act)
            if found.outcome is not Outcome.SUCCEEDED:
                raise HistoryError(
                    act, f"revision {revision} never was good: {found.outcome}", "choose one that history shows as good"
                )
            return found
        if good is not None and good is not self.last and self.left_behind:
            return good
        before = [
            record
            for record, now in zip(self.records, self.restorable, strict=True)
            if record.outcome is Outcome.SUCCEEDED and good and now.is_earlier_than(good)
        ]
        if not before:
            raise HistoryError(
                act, "there is no earlier good revision", "name one with --to, or deploy the commit that you want"
            )
        return before[-1]

    def secrets_of(self, record: Record) -> dict[str, int]:
        """Return the values that a revision is put back with; of a key that was rotated since, the rotation's."""
        found = dict(record.secrets)
        for later in self.records:
            known = later.revision > record.revision and base_of(later.rotates) in record.secrets
            if known and later.outcome is Outcome.SUCCEEDED:
                for key in settled_keys(later.rotates):
                    found.pop(key, None)
                    found |= {key: later.secrets[key]} if key in later.secrets else {}
        return found

    @property
    def restorable(self) -> tuple[Record, ...]:
        """Return all revisions, each with the values that it would be put back with."""
        return tuple(r.model_copy(update={"secrets": self.secrets_of(r)}) for r in self.records)

    @property
    def left_behind(self) -> bool:
        """Tell whether the newest revision is still there although it is not good."""
        return self.last is not None and self.last.outcome in (Outcome.FAILED, Outcome.RUNNING)

    def json(self) -> str:
        """Show every revision as programs read it, the newest first."""
        return json.dumps([r.model_dump(mode="json", exclude={"inventory"}) for r in reversed(self.records)], indent=2)

    def text(self) -> str:
        """Show every revision in a line, the newest first."""
        return "\n".join(_line(record, record is self.good) for record in reversed(self.records))


def _line(record: Record, is_good: bool) -> str:  # noqa: FBT001
    mark = "*" if is_good else " "
    restored = f"  revision {record.restores} put back" if record.restores else ""
    rotated = f"  {told(record.rotates, there=record.rotates in record.secrets)}" if record.rotates else ""
    first = record.message.partition("\n")[0]
    why = f"  {record.reason}: {first}" if record.reason else ""
    by = f"  {record.run or record.holder}".rstrip()
    head = f"{mark} {record.revision:>4}  {record.started_at:<24}  {short(record.version):<14}  {record.outcome:<11}"
    return f"{head}{by}{restored}{rotated}{why}".rstrip()


def entries(keys: Iterable[Key]) -> tuple[Entry, ...]:
    """Return keys as a record keeps them."""
    return tuple(
        Entry(api_version=k.api_version, kind=k.kind, namespace=k.namespace, name=k.name) for k in sorted(keys)
    )


def secret_versions(wanted: Mapping[str, str], stored: Mapping[str, str], revision: int) -> dict[str, int]:
    """Return for each key of a Secret the revision that its value came with; `stored` maps KEY.REVISION to values."""
    found: dict[str, int] = {}
    for key, value in wanted.items():
        same = (
            int(number)
            for name, old in stored.items()
            if (parts := name.rpartition("."))[0] == key and (number := parts[2]).isdigit() and old == value
        )
        found[key] = max(same, default=revision)
    return found


def values_to_keep(
    wanted: Mapping[str, str], versions: Mapping[str, int], stored: Mapping[str, str], records: Iterable[Record]
) -> dict[str, str]:
    """Return the values that some revision which is kept may be rolled back to, this one's among them."""
    return {**values_named(stored, records), **{f"{key}.{versions[key]}": value for key, value in wanted.items()}}


def values_named(stored: Mapping[str, str], records: Iterable[Record]) -> dict[str, str]:
    """Return those of the stored values that some revision names, and the marks of those that none may have again."""
    named = {f"{key}.{number}" for record in records for key, number in record.secrets.items()}
    return {name: value for name, value in stored.items() if name in named or name.endswith(RETIRED)}


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
            "delete it: the history goes on without it, and no workload is touched by that",
        ) from error
