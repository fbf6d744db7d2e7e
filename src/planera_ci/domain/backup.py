"""What a backup is, and how it becomes the database again: names, phrases, checks, pods and SQL.

A restore fills a database of its own and then exchanges the names of the two in one transaction, so
that at every moment either the old one is in place, untouched, or the new one, complete.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from planera_ci.domain.images import is_logical
from planera_ci.domain.manifests import Key, Obj, containers, of_kind
from planera_ci.domain.plan import Action, Plan
from planera_ci.domain.stages import demand
from planera_ci.errors import ConfigError

CRONJOB = "backup"
"""The CronJob whose pods know how to reach the database and how to make a backup."""

HELD = "/scratch/backup.tar"
DUMP, ABOUT, SUMS = "database.dump", "backup.json", "SHA256SUMS"
MEMBERS = (ABOUT, SUMS, DUMP)
"""What a backup holds, in this order."""

MAGIC = b"PGDMP"
"""How every dump in Postgres' custom format begins."""

_FORMAT = 1
_DATABASE = "DATABASE_NAME"
_LONGEST_NAME = 63
"""Bytes of a name in Postgres."""
_SECONDS = 7200
_STAMP = "%Y%m%dt%H%M%Sz"
# Waits itself: a probe that says no is an event each time.
_READY = ("sh", "-c", "until test -f /scratch/ready; do sleep 0.2; done")
_SUM = re.compile(r"([0-9a-f]{64}) [ *](\S+)")
_KEPT = re.compile(r"[a-z]+-[0-9TZ]+\.tar")


@dataclass(frozen=True)
class About:
    """What a backup says about itself."""

    database: str
    postgres: str
    time: str
    version: str = ""
    """The commits that the application's components were built from."""

    def text(self) -> str:
        """Say it in one line."""
        of = f", of {self.version}" if self.version else ""
        return f"{self.database} on Postgres {self.postgres}, {self.time}{of}"


def check_restore(act: str, environment: str, given: str) -> None:
    """Refuse where the exact phrase was not typed; every environment asks for it: data is what is lost."""
    demand(act, given, f"restore-{environment}", f"restore --env {environment} --from FILE")


def check_kept(act: str, name: str) -> None:
    """Refuse what cannot be the name of a backup that is kept in the cluster."""
    if name and not _KEPT.fullmatch(name):
        raise ConfigError(act, f'--kept "{name}" is no name of a backup', "give one as nightly-20260131T021700Z.tar")


def sums(text: str) -> dict[str, str]:
    """Read the checksums of a backup, by the members' names."""
    return {match[2]: match[1] for line in text.splitlines() if (match := _SUM.fullmatch(line.strip()))}


def fault_of(names: Iterable[str], wanted: Mapping[str, str], found: Mapping[str, str], start: bytes) -> str:
    """Return what is wrong with a backup, from its members, its checksums, those of its content, the dump's start."""
    if tuple(names) != MEMBERS:
        return f"it holds {', '.join(names) or 'nothing'} instead of {', '.join(MEMBERS)}"
    for name in (ABOUT, DUMP):
        if name not in wanted:
            return f"{SUMS} has no checksum of {name}"
        if wanted[name] != found[name]:
            return f"the checksum of {name} is wrong: the file is damaged"
    return "" if start.startswith(MAGIC) else f"{DUMP} is no dump of pg_dump -Fc"


def about(text: str) -> About:
    """Read what a backup says about itself; raise ValueError where that cannot be used."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        raise ValueError(f"{ABOUT} is not of format {_FORMAT}")
    words = {name: data.get(name, "") for name in ("database", "postgres", "time", "version")}
    if not all(isinstance(word, str) for word in words.values()) or not words["database"]:
        raise ValueError(f"{ABOUT} does not name the database")
    return About(**words)


def file_name(app: str, environment: str, seconds: float) -> str:
    """Return a name for a backup that is taken out of the cluster."""
    return f"{app}-{environment}-{_moment(seconds)}.tar"


def half_made(database: str, seconds: float) -> str:
    """Return the name under which a database is restored, until it is complete."""
    return _name(database, "restore", seconds)


def former(database: str, seconds: float) -> str:
    """Return the name that the former database has after a restore."""
    return _name(database, "before", seconds)


def _name(database: str, word: str, seconds: float) -> str:
    ending = f"_{word}_{_moment(seconds)}"
    return database.encode()[: _LONGEST_NAME - len(ending)].decode(errors="ignore") + ending


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_STAMP)


def template(objs: Iterable[Obj], act: str) -> Obj:
    """Return the CronJob that makes backups."""
    found = next((obj for obj in of_kind(objs, "CronJob") if obj["metadata"]["name"] == CRONJOB), None)
    if found is None:
        raise ConfigError(
            act, f"there is no CronJob {CRONJOB}", f"add it to the manifests, as in k8s/base/{CRONJOB}.yaml, and deploy"
        )
    return found


def pod(cronjob: Obj, name: str, labels: Mapping[str, str], *, holds: bool, claims: bool = False) -> Obj:
    """Return a short-lived pod of the CronJob's template, which makes a backup and holds it, or just waits.

    The volume of the kept backups is left out unless it is asked for: a full or lost one must not be in the way.
    """
    inner = copy.deepcopy(cronjob["spec"]["jobTemplate"]["spec"]["template"])
    spec = inner["spec"] | {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": _SECONDS,
        "terminationGracePeriodSeconds": 1,
    }
    main = spec["containers"][0]
    if holds:
        main["args"] = ["hold"]
        main["readinessProbe"] = {"exec": {"command": list(_READY)}, "timeoutSeconds": _SECONDS}
    else:
        main["command"], main["args"] = ["sleep"], ["infinity"]
    if not claims:
        spec["volumes"] = [_plain(volume) for volume in spec.get("volumes") or ()]
    meta = inner.get("metadata") or {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": cronjob["metadata"]["namespace"],
            "labels": {**(meta.get("labels") or {}), **labels},
            "annotations": dict(meta.get("annotations") or {}),
        },
        "spec": spec,
    }


def _plain(volume: Obj) -> Obj:
    return {"name": volume["name"], "emptyDir": {}} if "persistentVolumeClaim" in volume else volume


def one_off(cronjob: Obj, name: str, labels: Mapping[str, str]) -> Obj:
    """Return the CronJob's Job as one that is run now, before a migration, and kept apart from the nightly ones."""
    inner = copy.deepcopy(cronjob["spec"]["jobTemplate"])
    spec = inner["spec"] | {"ttlSecondsAfterFinished": 24 * 3600}
    spec["template"]["spec"]["containers"][0]["args"] = ["keep", "deploy"]
    own = {**((inner.get("metadata") or {}).get("labels") or {}), **labels}
    meta = {"name": name, "namespace": cronjob["metadata"]["namespace"], "labels": own}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}


def migrations(objs: Iterable[Obj], images: Mapping[str, str]) -> tuple[Obj, ...]:
    """Return the Jobs of a release that run one of its components, by the images that it was pinned to."""
    own = {pin for image, pin in images.items() if is_logical(image)}
    return tuple(obj for obj in of_kind(objs, "Job") if any(c.get("image") in own for c in containers(obj)))


def migrates(objs: Iterable[Obj], images: Mapping[str, str], planned: Plan) -> bool:
    """Tell whether a release's migrations are about to run: one that has not changed is not run again."""
    due = {change.key for change in planned.only(Action.CREATE, Action.REPLACE)}
    return any(Key.of(obj) in due for obj in migrations(objs, images))


def check_migrations(act: str, jobs: Iterable[Obj], objs: Iterable[Obj]) -> None:
    """Refuse a migration that does not say by DATABASE_NAME where it works: it would work on the database in use."""
    maps = {obj["metadata"]["name"] for obj in of_kind(objs, "ConfigMap") if _DATABASE in (obj.get("data") or {})}
    for job in jobs:
        for container in containers(job):
            named = any(entry["name"] == _DATABASE for entry in container.get("env") or ())
            whole = [source for source in container.get("envFrom") or () if not source.get("prefix")]
            refs = [(source.get("configMapRef") or {}).get("name") for source in whole]
            if not (named or any(ref in maps for ref in refs)):
                raise ConfigError(
                    act,
                    f"container {container['name']} of job {job['metadata']['name']} takes no variable {_DATABASE}, by "
                    "which it would be told to migrate the restored database before that is used",
                    f"have it connect to the database that {_DATABASE} names, and deploy that; nothing was touched",
                )


def migration(original: Obj, database: str) -> Obj:
    """Return a release's Job as one that runs against another database, before that takes its place."""
    copied = copy.deepcopy(original)
    meta = {name: value for name, value in copied["metadata"].items() if name in ("namespace", "labels")}
    copied["metadata"] = meta | {"name": f"{original['metadata']['name']}-restore"}
    for container in containers(copied):
        others = [entry for entry in container.get("env") or () if entry["name"] != _DATABASE]
        container["env"] = [{"name": _DATABASE, "value": database}, *others]  # others may refer to it
    return copied


def table(before: Mapping[str, int], after: Mapping[str, int], most: int = 20) -> tuple[str, ...]:
    """Say how many rows each table had and has."""
    names = sorted({*before, *after})
    lines = [f"{name} {_count(before.get(name))} → {_count(after.get(name))} rows" for name in names]
    more = [f"and {len(lines) - most} more tables"] if len(lines) > most else []
    return (*lines[:most], *more)


def _count(rows: int | None) -> str:
    return "none" if rows is None else str(rows)
