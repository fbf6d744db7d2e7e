"""Have the database backed up before a release migrates it, where the environment asks for that."""

from __future__ import annotations

from collections.abc import Mapping

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.history import Archive
from planera_ci.cluster.jobs import saved
from planera_ci.cluster.rollout import Hide, Say
from planera_ci.domain.backup import CRONJOB
from planera_ci.domain.history import History
from planera_ci.domain.manifests import of_kind


async def backed_up(
    cluster: Cluster,
    archive: Archive,
    history: History,
    revision: int,
    labels: Mapping[str, str],
    *,
    act: str,
    say: Say,
    hide: Hide,
) -> str:
    """Run the backup of the release that runs now, and return what came of it; where there is none, say so."""
    if history.good is None:
        return "none: there is no database yet"
    objs = await archive.objects(history.good)
    if not any(obj["metadata"]["name"] == CRONJOB for obj in of_kind(objs, "CronJob")):
        return f"none: the release that runs has no CronJob {CRONJOB}"
    return await saved(cluster, objs, revision, labels, act=act, say=say, hide=hide)
