"""Jobs that are run beside a release, and what a release's own Jobs have said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.rollout import KINDS, Hide, Say, Tracker
from planera_ci.cluster.watch import Live, watching
from planera_ci.domain.backup import CRONJOB, one_off
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.pods import pods_of
from planera_ci.domain.verdict import Verdict
from planera_ci.errors import RolloutError, last_lines

LINES = 20
_GONE_WITHIN, _WITHIN = 60.0, 7200.0


async def completed(
    cluster: Cluster, job: Obj, act: str, within: float, say: Say, hide: Hide, *, keep: bool = True
) -> tuple[str, ...]:
    """Run a Job to its end and return the last lines that it has written; one that fails is left to be looked at."""
    key = Key.of(job)
    since = int(cluster.now())
    await cluster.recreate(job, _GONE_WITHIN)
    async with watching(cluster, key.namespace, KINDS) as live:
        await Tracker(cluster, live, act, say, hide, since).rolled_out((key,), within)
        told = await said(cluster, live, (key,), hide)
    if not keep:
        await cluster.delete(key)
    return told


async def saved(
    cluster: Cluster,
    namespace: str,
    revision: int,
    labels: Mapping[str, str],
    *,
    act: str,
    say: Say,
    hide: Hide,
) -> str:
    """Have the database backed up to where backups are kept, before a release's migrations; return what came of it.

    It is the Job of the CronJob that is there, whichever release brought it: a database may hold data although no
    deployment has succeeded yet. Where it fails nothing may be migrated.
    """
    cronjob = await cluster.get(Key("batch/v1", "CronJob", namespace, CRONJOB))
    if cronjob is None:
        return f"none: namespace {namespace} has no CronJob {CRONJOB} yet"
    job = one_off(cronjob, f"{CRONJOB}-{revision}", labels)
    within = float(job["spec"].get("activeDeadlineSeconds") or _WITHIN)
    try:
        told = await completed(cluster, job, act, within, say, hide)
    except RolloutError as error:
        verdict = error.verdict
        text = f"the backup before the migration failed, so nothing was migrated: {error.observed}"
        if isinstance(verdict, Verdict):
            verdict = replace(verdict, message=f"nothing was migrated, for no backup could be made: {verdict.message}")
        raise RolloutError(act, text, error.remedy, tail=error.tail, verdict=verdict) from error
    return told[-1].removeprefix(f"{job['metadata']['name']}: ") if told else "done"


async def said(cluster: Cluster, live: Live, keys: Iterable[Key], hide: Hide) -> tuple[str, ...]:
    """Return the last lines that Jobs have written, secrets hidden."""
    lines: list[str] = []
    for key in keys:
        job = live.get(key)
        if job is None or key.kind != "Job":
            continue
        good = [pod for pod in pods_of(job, live.of("Pod")) if (pod.get("status") or {}).get("phase") != "Failed"]
        for pod in good[-1:]:
            container = pod["spec"]["containers"][0]["name"]
            text = await cluster.log(key.namespace, pod["metadata"]["name"], container, lines=LINES)
            lines.extend(f"{key.name}: {line}" for line in hide(last_lines(text, LINES)).splitlines())
    return tuple(lines)
