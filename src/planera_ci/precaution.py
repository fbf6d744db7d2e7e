"""Have the database backed up before a release migrates it, where the environment asks for that."""

from __future__ import annotations

from collections.abc import Mapping

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.jobs import saved
from planera_ci.cluster.rollout import Hide, Say
from planera_ci.domain.backup import CRONJOB
from planera_ci.domain.manifests import Key


async def backed_up(
    cluster: Cluster,
    namespace: str,
    revision: int,
    labels: Mapping[str, str],
    *,
    act: str,
    say: Say,
    hide: Hide,
) -> str:
    """Run the backup of what is there now, and return what came of it; where nothing makes one, say so.

    What is there is asked of the cluster: a database may hold data although no deployment has succeeded yet.
    """
    cronjob = await cluster.get(Key("batch/v1", "CronJob", namespace, CRONJOB))
    if cronjob is None:
        return f"none: namespace {namespace} has no CronJob {CRONJOB} yet"
    return await saved(cluster, cronjob, revision, labels, act=act, say=say, hide=hide)
