"""A release as something to bring an environment to: a new one, or an earlier one as it was applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from planera_ci.cluster.history import Archive
from planera_ci.cluster.secrets import decoded, is_made_by_hand, secret
from planera_ci.cluster.watch import Live
from planera_ci.domain.history import History, Record
from planera_ci.domain.manifests import Key, Obj, of_kind, rotated_keys, with_secret_versions
from planera_ci.domain.pods import condition


@dataclass(frozen=True)
class Target:
    """What an environment is to become."""

    version: str
    images: dict[str, str]
    """Each image as the manifests name it, and what it is pinned to."""
    objs: tuple[Obj, ...]
    """Every object of the manifests, images pinned."""
    own: tuple[Obj, ...]
    """The Secrets that the pipeline writes."""
    secrets: dict[str, int]
    """For each key of the application's Secret, the revision that its value came with."""
    inventory: tuple[Key, ...]
    """What the record names; Jobs of an earlier release belong to it and are not run again."""
    login: Key | None = None
    """The Secret that images are pulled with: a new token is no new release."""
    resting: tuple[Obj, ...] = ()
    """What belongs to the release and is left as it is: Jobs that ran, volumes that are there."""
    restores: int = 0
    rotates: str = ""
    """The key whose value this release is made for; all else is as it was."""
    notes: tuple[str, ...] = ()

    @property
    def everything(self) -> tuple[Obj, ...]:
        """Return all objects that are applied."""
        return (*self.objs, *self.own)

    def hidden(self) -> tuple[str, ...]:
        """Return the values of the Secrets, which nothing may show."""
        return hidden(self.own)


def hidden(objs: Iterable[Obj]) -> tuple[str, ...]:
    """Return the values of the Secrets among these objects."""
    values = (value for obj in objs if obj["kind"] == "Secret" for value in (obj.get("data") or {}).values())
    return tuple(text for value in values if (text := decoded(value)))


async def restored(archive: Archive, history: History, record: Record) -> Target:
    """Return an earlier release as it was applied, with its secret values, but for those that were rotated since."""
    versions = history.secrets_of(record)
    values = earlier(await archive.values(), versions)
    notes = [f"revision {record.revision} put back"]
    present = history.last.secrets if history.last else {}
    if versions:
        # Applied without them, the Secret would lose these keys.
        live = await archive.cluster.get(Key("v1", "Secret", archive.namespace, f"{archive.app}-secrets"))
        there = (live or {}).get("data") or {}
        lost = [key for key in versions if key not in values and key in there]
        values |= {key: there[key] for key in lost}
        values |= {key: there[key] for key in there if key not in values and is_made_by_hand(key)}
        versions |= {key: present[key] for key in lost if key in present}
        notes.extend(f"its value of {key} is not kept any more, the present one stays" for key in lost)
    target = await again(archive, record, versions, values, present)
    claims = [obj for obj in of_kind(target.objs, "PersistentVolumeClaim") if await archive.cluster.get(Key.of(obj))]
    return replace(
        target,
        objs=tuple(obj for obj in target.objs if obj not in claims),
        # A volume is the data's, not the release's: one that has grown since cannot shrink.
        resting=(*target.resting, *claims),
        restores=record.revision,
        notes=tuple(notes),
    )


async def again(
    archive: Archive, record: Record, versions: dict[str, int], values: Mapping[str, str], there: Mapping[str, int]
) -> Target:
    """Return a release as it was applied, with these secret values.

    Its Jobs are not run again, except one that puts into force another value than the one that is there.
    """
    name = f"{archive.app}-secrets"
    objs = with_secret_versions(await archive.objects(record), name, versions)
    resting = tuple(obj for obj in objs if obj["kind"] == "Job" and not to_run_again(obj, there, versions))
    return Target(
        version=record.version,
        images=record.images,
        objs=tuple(obj for obj in objs if obj not in resting),
        own=(secret(archive.namespace, name, "Opaque", values, archive.labels),) if values else (),
        secrets=versions,
        inventory=record.keys(),
        resting=resting,
    )


def to_run_again(job: Obj, there: Mapping[str, int], versions: Mapping[str, int]) -> bool:
    """Tell whether a Job has to put another value into force than the one that is there."""
    return any(there.get(key) != versions.get(key) for key in rotated_keys(job))


def earlier(stored: Mapping[str, str], versions: Mapping[str, int]) -> dict[str, str]:
    """Return the values that a revision had."""
    named = {key: f"{key}.{number}" for key, number in versions.items()}
    return {key: stored[name] for key, name in named.items() if name in stored}


def running_jobs(live: Live, keys: Iterable[Key]) -> tuple[Key, ...]:
    """Return the Jobs among these that have not ended."""
    found = ((key, live.get(key)) for key in keys if key.kind == "Job")
    return tuple(key for key, job in found if job is not None and not _over(job))


def _over(job: Obj) -> bool:
    return any(condition(job, kind).get("status") == "True" for kind in ("Complete", "Failed"))
