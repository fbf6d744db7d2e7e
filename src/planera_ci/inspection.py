"""Look at an environment without changing it: plan, verify, status."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from planera_ci.cluster.apply import check, plan
from planera_ci.cluster.certificate import certificates
from planera_ci.cluster.client import Cluster
from planera_ci.cluster.evidence import Shelf
from planera_ci.cluster.history import Archive
from planera_ci.cluster.secrets import check_generated, known_values
from planera_ci.cluster.verify import answers, endpoints, running
from planera_ci.domain import manifests as m
from planera_ci.domain.history import History, Record
from planera_ci.domain.images import is_logical, short
from planera_ci.domain.lease import held
from planera_ci.domain.lease import key_of as lock_key
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.mask import masked
from planera_ci.domain.pods import pods_of, statuses
from planera_ci.domain.readiness import state_of
from planera_ci.domain.report import served
from planera_ci.domain.routes import Route, routes
from planera_ci.domain.scene import Scene
from planera_ci.domain.smoke import smoke_plan
from planera_ci.errors import ConfigError, VerifyError
from planera_ci.pipeline.project import Project
from planera_ci.pipeline.promotion import Promotion
from planera_ci.pipeline.publish import Image
from planera_ci.pipeline.render import load as load_manifests
from planera_ci.pipeline.source import Revision


def routes_of(project: Project, objs: tuple[Obj, ...]) -> tuple[Route, ...]:
    """Return the requests that prove an environment reachable, from its unpinned manifests."""
    runs = smoke_plan(objs, project.name, "").components
    return routes(objs, [run for layer in runs for run in layer])


async def verify(
    cluster: Cluster,
    project: Project,
    objs: tuple[Obj, ...],
    pinned: tuple[Obj, ...],
    namespace: str,
    environment: str,
    *,
    certified: bool = False,
) -> tuple[str, ...]:
    """Return what was proven of a release: running digests, endpoints, answers; raise if one is not.

    A certificate that a browser would refuse is told, and raised only where that is asked for: no release mends it.
    """
    act = f"verify {project.name} in {environment}"
    found = await running(cluster, pinned, namespace, act)
    number = await endpoints(cluster, objs, namespace, act)
    wanted = routes_of(project, objs)
    answered = await answers(cluster, wanted, namespace, act)
    judged = await certificates(cluster, [route.host for route in wanted if route.tls], namespace)
    refused = next((each for each in judged if each.remedy), None)
    if refused and certified:
        raise VerifyError(act, refused.text, refused.remedy)
    return (
        f"{', '.join(found)} run the published digests; {served(number)}",
        *(f"{a.route.url} {a.status}" + (f" ({a.note})" if a.note else "") for a in answered),
        *(f"{each.text}: {each.remedy}" if each.remedy else each.text for each in judged),
    )


async def verify_recorded(
    cluster: Cluster, project: Project, environment: str, *, certified: bool = True
) -> tuple[Record, tuple[str, ...]]:
    """Verify that the last good release runs, as its revision was applied."""
    archive, history = await _history(cluster, project, environment, f"verify {project.name} in {environment}")
    good = history.good
    if good is None:
        raise VerifyError(
            f"verify {project.name} in {environment}", "no deployment of it has succeeded yet", "deploy first"
        )
    pinned = await archive.objects(good)
    plain = m.unpinned(pinned, good.images)
    found = await verify(cluster, project, plain, pinned, archive.namespace, environment, certified=certified)
    return good, found


async def archive_of(cluster: Cluster, project: Project, environment: str) -> Archive:
    """Return where the history of an environment is."""
    objs = await load_manifests(project.manifests, environment)
    return Archive(cluster, m.namespace_of(objs, environment), project.name, project.labels)


async def _history(cluster: Cluster, project: Project, environment: str, act: str) -> tuple[Archive, History]:
    archive = await archive_of(cluster, project, environment)
    history = await archive.load()
    if not history.records:
        raise VerifyError(act, f"namespace {archive.namespace} has no deployment of {project.name}", "deploy first")
    return archive, history


async def planned(
    cluster: Cluster, project: Project, environment: str, revision: Revision, promotion: Promotion | None
) -> str:
    """Return what deploying this state of the source would change; nothing is built or published."""
    objs = await load_manifests(project.manifests, environment)
    namespace = m.namespace_of(objs, environment)
    names = project.components(objs)
    routes_of(project, objs)  # what the smoke test could not run is told here too
    checked = await check(cluster, objs, namespace)
    await check_generated(cluster, objs, namespace, f"{project.name}-secrets")
    third_party = await project.third_party(objs, await promotion.pins(names) if promotion else None)
    images: dict[str, Image | None] = {}
    if promotion:
        images.update(await promotion.images(names, f"plan {project.name} in {environment}"))
    else:
        found = await project.published(names, environment, revision)
        images.update({name: image for name, (_, image) in found.items()})
    pins, revisions = dict(third_party), {}
    for name, image in images.items():
        logical = project.logical(name)
        tag = project.stage(environment).tags(revision.version)[0]
        pins[logical] = image.reference if image else f"{project.repository(name)}:{tag}"
        revisions[logical] = image.revision if image else revision.version
    history = await Archive(cluster, namespace, project.name, project.labels).load()
    # The Secrets that the pipeline makes when it deploys are missing here; a plan never removes a Secret.
    shown = m.pinned(objs, pins, revisions, digests_only=False)
    shown = m.with_secret_versions(shown, f"{project.name}-secrets", history.good.secrets if history.good else {})
    same = {Key.of(old) for old, new in zip(objs, shown, strict=True) if old == new}
    known = {change.key: change for change in checked.changes if change.key in same}
    text = (await plan(cluster, shown, history.inventory(), known=known)).text()
    # What was applied by other means may have a value in a variable.
    return masked(text, await known_values(cluster, namespace, project.name))


async def status(cluster: Cluster, project: Project, environment: str) -> str:
    """Return what runs in an environment, how its last deployment ended, and who is at it now."""
    archive, history = await _history(cluster, project, environment, f"read the status of {project.name}")
    namespace, shown = archive.namespace, history.good or history.records[-1]
    pods, _ = await cluster.listing("v1", "Pod", namespace)
    sets, _ = await cluster.listing("apps/v1", "ReplicaSet", namespace)
    scene = Scene(pods, sets, now=cluster.now())
    head = f"{project.name} {environment}  {short(shown.version)}"
    lines = [f"{head}  revision {shown.revision}, deployed {shown.ended_at or shown.started_at}"]
    for key in shown.keys():  # noqa: SIM118 - not a mapping
        if key.kind in ("Deployment", "StatefulSet", "DaemonSet"):
            live = await cluster.get(key)
            lines.append(f"  {key.name:<9} {state_of(live, scene).message if live else 'is gone'}")
    lines.extend(f"  {'image':<9} {ref}" for image, ref in sorted(shown.images.items()) if is_logical(image))
    last = history.records[-1]
    if last is not shown:
        first = last.message.partition("\n")[0]
        why = f": {last.reason}: {first}" if last.reason else ""
        lines.append(f"  {'last':<9} revision {last.revision} ({short(last.version)}) {last.outcome}{why}")
    lease = held(await cluster.get(lock_key(namespace, project.name)))
    if lease:
        lines.append(f"  {'lock':<9} {lease.text(cluster.now())}" + (" (over)" if lease.over(cluster.now()) else ""))
    return "\n".join(lines)


async def history(cluster: Cluster, project: Project, environment: str) -> History:
    """Return the revisions of an environment."""
    _, found = await _history(cluster, project, environment, f"read the history of {project.name} in {environment}")
    return found


async def evidence(cluster: Cluster, project: Project, environment: str, revision: int) -> dict[str, str]:
    """Return the evidence of a failed revision as files, the newest where none is named."""
    archive = await archive_of(cluster, project, environment)
    shelf = Shelf(cluster, archive.namespace, project.name, project.labels)
    return await shelf.get(revision, f"read the evidence of {project.name} in {environment}")


async def logs(cluster: Cluster, project: Project, environment: str, component: str, lines: int) -> str:
    """Return the last lines of each container of a component or another workload, of a run before it too."""
    act = f"read the logs of {component} in {environment}"
    objs = await load_manifests(project.manifests, environment)
    namespace = m.namespace_of(objs, environment)
    running = [obj for obj in objs if m.pod_spec(obj) is not None]
    image = project.logical(component)
    workloads = [obj for obj in running if _runs(obj, image) or Key.of(obj).name == component]
    if not workloads:
        known = ", ".join(sorted({*project.components(objs), *(Key.of(obj).name for obj in running)}))
        seen = f"no workload has that name or runs {image}"
        raise ConfigError(act, seen, f"choose one of {known}")
    pods, _ = await cluster.listing("v1", "Pod", namespace)
    live = [found for obj in workloads if (found := await cluster.get(Key.of(obj))) is not None]
    mine = [pod for obj in live for pod in pods_of(obj, pods)]
    if not mine:
        raise VerifyError(act, f"namespace {namespace} has no pod of it", "deploy first, or look at status")
    values = await known_values(cluster, namespace, project.name)
    parts = []
    for pod in mine:
        name = pod["metadata"]["name"]
        for container in statuses(pod):
            runs = (True, False) if container.get("restartCount") else (False,)
            for previous in runs:
                text = await cluster.log(namespace, name, container["name"], previous=previous, lines=lines)
                title = f"{name} {container['name']}" + (" (its run before)" if previous else "")
                parts.append(f"==> {title} <==\n{masked(text.rstrip(), values)}")
    return "\n\n".join(parts)


def _runs(obj: Obj, image: str) -> bool:
    return any(container.get("image") == image for container in m.containers(obj))


def save(folder: Path, files: Mapping[str, str]) -> None:
    """Write files by their paths into a folder."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
