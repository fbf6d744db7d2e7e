"""Plan and apply a set of objects: everything passes a dry run before anything is written."""

from __future__ import annotations

import copy
from collections.abc import Iterable

from planera_ci.cluster.client import Cluster
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.plan import Action, Change, Plan, change_of, removals
from planera_ci.domain.readiness import state_of
from planera_ci.errors import AccessDenied, Rejected
from planera_ci.tasks import each, together

_SCRATCH_NAMESPACE = "default"
_GONE_WITHIN = 60.0


async def ready_namespace(cluster: Cluster, objs: Iterable[Obj], namespace: str) -> Obj | None:
    """Return the live namespace, or check that it can be made from the manifests."""
    live = await cluster.get(_namespace_key(namespace))
    wanted = next((obj for obj in objs if obj["kind"] == "Namespace"), None)
    if live is None and wanted is None:
        raise Rejected(
            f"use namespace {namespace}",
            "it does not exist, and no manifest makes it",
            "create it, or add its manifest",
        )
    if live is None and not await cluster.may("create", "namespaces"):
        raise AccessDenied(
            f"create namespace {namespace}",
            "it does not exist, and these credentials must not create namespaces",
            "create it once as an administrator, or grant the right",
        )
    return live


async def check(cluster: Cluster, objs: Iterable[Obj], namespace: str) -> None:
    """Have the API server validate every object without changing anything.

    Where the namespace is not there yet, the objects are validated as if created in `default`:
    a dry run in a namespace that does not exist is refused whatever the object says.
    """
    objs = tuple(objs)
    live = await ready_namespace(cluster, objs, namespace)
    if live is not None:
        await plan(cluster, objs)
        return
    async with together() as group:
        for obj in objs:
            group.start_soon(_validate, cluster, obj)


async def _validate(cluster: Cluster, obj: Obj) -> None:
    probe = copy.deepcopy(obj)
    if probe["metadata"].get("namespace"):
        probe["metadata"]["namespace"] = _SCRATCH_NAMESPACE
    try:
        await cluster.create(probe, dry_run=True)
    except Rejected as error:
        if "already exists" not in error.observed:
            raise Rejected(f"check {Key.of(obj)}", error.observed, error.remedy) from error


async def plan(cluster: Cluster, objs: Iterable[Obj], before: Iterable[Key] = ()) -> Plan:
    """Compare every object with the live one by a server dry run; nothing is changed."""
    wanted = {Key.of(obj): obj for obj in objs}
    keys = tuple(wanted)
    changes = await each(keys, lambda key: _change(cluster, wanted[key]))
    gone = [change for change in removals(before, keys) if await cluster.get(change.key) is not None]
    return Plan((*(changes[key] for key in keys), *gone))


async def _change(cluster: Cluster, obj: Obj) -> Change:
    key = Key.of(obj)
    live = await cluster.get(key)
    if key.kind == "Job" and live is not None and _failed(live):
        return change_of(key, live, await _fresh(cluster, obj), replace=True)
    try:
        wanted = await cluster.apply(obj, dry_run=True)
    except Rejected as error:
        if key.kind == "Job" and live is not None and "field is immutable" in error.observed:
            return change_of(key, live, await _fresh(cluster, obj), replace=True)
        raise
    return change_of(key, live, wanted)


async def _fresh(cluster: Cluster, job: Obj) -> Obj:
    """Return a Job as the server would create it anew; its template cannot be changed in place."""
    probe = copy.deepcopy(job)
    probe["metadata"]["name"] = f"{job['metadata']['name']}-check"
    created = await cluster.create(probe, dry_run=True)
    created["metadata"]["name"] = job["metadata"]["name"]
    return created


def _failed(job: Obj) -> bool:
    return state_of(job, ()).failure is not None


async def write(cluster: Cluster, obj: Obj, change: Change) -> Obj:
    """Carry out one object's change and return what the server made of it."""
    if change.action is Action.REPLACE:
        await cluster.delete(change.key, wait=_GONE_WITHIN)
    return await cluster.apply(obj)


async def remove(cluster: Cluster, changes: Iterable[Change]) -> None:
    """Delete what earlier releases applied and this one no longer has."""
    for change in changes:
        await cluster.delete(change.key)


def _namespace_key(namespace: str) -> Key:
    return Key("v1", "Namespace", "", namespace)
