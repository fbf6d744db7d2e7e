"""Plan and apply a set of objects: everything passes a dry run before anything is written."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

from planera_ci.cluster.client import FIELD_MANAGER, Cluster
from planera_ci.domain.adoption import Adoption, adoption, set_by_hand
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.plan import Action, Change, Plan, change_of, removals
from planera_ci.domain.readiness import state_of
from planera_ci.domain.scene import Scene
from planera_ci.errors import Conflict, Rejected
from planera_ci.tasks import each

_ENFORCED = "pod-security.kubernetes.io/enforce"
_GONE_WITHIN = 60.0
_TRIES = 8
"""How often an object is read anew that somebody changes at the same time, such as a controller its status."""


async def check(cluster: Cluster, objs: Iterable[Obj], namespace: str) -> Plan:
    """Have the API server validate every object without changing anything, and the pods by the namespace's policy.

    Return what applying them as they are would change.
    """
    live = await cluster.get(Key("v1", "Namespace", "", namespace))
    if live is None:
        raise Rejected(
            f"use namespace {namespace}",
            "it does not exist",
            "have an administrator make it, and the account that deploys to it: dagger call access --env ENV",
        )
    cluster.enforced = (live["metadata"].get("labels") or {}).get(_ENFORCED, "")
    return await plan(cluster, objs)


async def plan(
    cluster: Cluster,
    objs: Iterable[Obj],
    before: Iterable[Key] = (),
    *,
    adopt: bool = False,
    known: Mapping[Key, Change] | None = None,
) -> Plan:
    """Compare every object with the live one by a server dry run; nothing is changed.

    With `adopt`, fields that `kubectl apply` owns become ours first, which changes nothing but whose they are; without,
    the dry run is of what applying would make of the object then. What is known is not asked again.
    """
    known = known or {}
    wanted = {Key.of(obj): obj for obj in objs}
    keys = tuple(wanted)
    asked = (key for key in keys if key not in known)
    changes = {**known, **await each(asked, lambda key: _change(cluster, wanted[key], adopt=adopt))}
    gone = removals(before, keys)
    there = await each((change.key for change in gone), cluster.get)
    return Plan((*(changes[key] for key in keys), *(change for change in gone if there[change.key] is not None)))


async def _change(cluster: Cluster, obj: Obj, *, adopt: bool) -> Change:
    key = Key.of(obj)
    live = await cluster.get(key)
    if key.kind == "Job" and live is not None and _failed(live):
        return change_of(key, live, await _fresh(cluster, obj), replace=True)
    foreign = adoption(live, FIELD_MANAGER) if live is not None else None
    try:
        if foreign and adopt:
            live = await _adopted(cluster, foreign)
        if foreign and not adopt:
            wanted = await cluster.patch(key, foreign.foreseen(obj), dry_run=True)
        else:
            wanted = await cluster.apply(obj, dry_run=True)
    except Rejected as error:
        if key.kind == "Job" and live is not None and "field is immutable" in error.observed:
            return change_of(key, live, await _fresh(cluster, obj), replace=True)
        hands = ", ".join(set_by_hand(live)) if live is not None else ""
        if hands and "is invalid" in error.observed:
            remedy = f"{error.remedy}, or take back what was set by hand ({hands}), which stays until then"
            raise type(error)(error.act, error.observed, remedy) from error
        raise
    return change_of(key, live, wanted, adopted=foreign.managers if foreign else ())


async def _adopted(cluster: Cluster, foreign: Adoption) -> Obj | None:
    """Make ours what clients applied of an object, whatever controllers write to it meanwhile; return what it is."""
    key, tries = Key.of(foreign.live), _TRIES
    while True:
        tries -= 1
        try:
            return await cluster.patch(key, foreign.patch())
        except Conflict:
            live = await cluster.get(key)
            again = adoption(live, FIELD_MANAGER) if live is not None else None
            if again is None:
                return live
            if not tries:
                raise
            foreign = again


async def _fresh(cluster: Cluster, job: Obj) -> Obj:
    """Return a Job as the server would create it anew; its template cannot be changed in place."""
    probe = copy.deepcopy(job)
    probe["metadata"]["name"] = f"{job['metadata']['name']}-check"
    created = await cluster.create(probe, dry_run=True)
    created["metadata"]["name"] = job["metadata"]["name"]
    return created


def _failed(job: Obj) -> bool:
    return state_of(job, Scene()).failure is not None


async def write(cluster: Cluster, obj: Obj, change: Change) -> Obj:
    """Carry out one object's change and return what the server made of it."""
    if change.action is Action.REPLACE:
        await cluster.delete(change.key, wait=_GONE_WITHIN)
    return await cluster.apply(obj)


async def remove(cluster: Cluster, changes: Iterable[Change]) -> None:
    """Delete what earlier releases applied and this one no longer has."""
    await each((change.key for change in changes), cluster.delete)
