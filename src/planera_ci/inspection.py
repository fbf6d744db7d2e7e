"""Look at an environment without changing it: plan, verify, status."""

from __future__ import annotations

from planera_ci.cluster.apply import check, plan, ready_namespace
from planera_ci.cluster.client import Cluster
from planera_ci.cluster.records import load
from planera_ci.cluster.verify import answers, endpoints, running
from planera_ci.domain import manifests as m
from planera_ci.domain.images import is_logical, short, tags
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.readiness import pods_of, state_of
from planera_ci.domain.record import Record
from planera_ci.domain.routes import Route, routes
from planera_ci.domain.smoke import smoke_plan
from planera_ci.errors import VerifyError
from planera_ci.pipeline.project import Project
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
) -> tuple[str, ...]:
    """Return what was proven of a release: running digests, endpoints, answers; raise if one is not."""
    act = f"verify {project.name} in {environment}"
    found = await running(cluster, pinned, namespace, act)
    served = await endpoints(cluster, objs, namespace, act)
    answered = await answers(cluster, routes_of(project, objs), namespace, act)
    return (
        f"{', '.join(found)} run the published digests; {served} services have endpoints",
        *(f"{a.route.url} {a.status}" + (f" ({a.note})" if a.note else "") for a in answered),
    )


async def verify_recorded(cluster: Cluster, project: Project, environment: str) -> tuple[Record, tuple[str, ...]]:
    """Verify what the record of the last deployment says."""
    objs = await load_manifests(project.manifests, environment)
    namespace = m.namespace_of(objs, environment)
    record = await _record(cluster, project, namespace, f"verify {project.name} in {environment}")
    missing = [image for image in m.images(objs) if image not in record.images]
    if missing:
        raise VerifyError(
            f"verify {project.name} in {environment}",
            f"the manifests run {missing[0]}, which the deployed release {short(record.version)} does not have",
            "deploy, or verify with that release's manifests",
        )
    pinned = m.pinned(objs, record.images, {})
    return record, await verify(cluster, project, objs, pinned, namespace, environment)


async def _record(cluster: Cluster, project: Project, namespace: str, act: str) -> Record:
    record = await load(cluster, namespace, project.name)
    if record is None:
        raise VerifyError(act, f"namespace {namespace} has no deployment of {project.name}", "deploy first")
    return record


async def planned(cluster: Cluster, project: Project, environment: str, revision: Revision) -> str:
    """Return what deploying this state of the source would change; nothing is built or published."""
    objs = await load_manifests(project.manifests, environment)
    namespace = m.namespace_of(objs, environment)
    names = project.components(objs)
    if await ready_namespace(cluster, objs, namespace) is None:
        await check(cluster, objs, namespace)
        lines = [f"+ {Key.of(obj)} (create)" for wave in m.waves(objs) for obj in wave]
        return "\n".join([*lines, f"{len(objs)} changed, 0 unchanged, 0 removed"])
    third_party = await project.third_party(objs)
    images = await project.published(names, environment, revision)
    pins, revisions = dict(third_party), {}
    for name in names:
        _, image = images[name]
        logical = f"{project.name}-{name}"
        tag = tags(environment, revision.version)[0]
        pins[logical] = image.reference if image else f"{project.repository(name)}:{tag}"
        revisions[logical] = image.revision if image else revision.version
    record = await load(cluster, namespace, project.name)
    # The Secrets that the pipeline makes when it deploys are missing here; a plan never removes a Secret.
    before = record.keys() if record else ()
    shown = m.pinned(objs, pins, revisions, digests_only=False)
    return (await plan(cluster, shown, before)).text()


async def status(cluster: Cluster, project: Project, environment: str) -> str:
    """Return what runs in an environment, from its record and its live workloads."""
    objs = await load_manifests(project.manifests, environment)
    namespace = m.namespace_of(objs, environment)
    record = await _record(cluster, project, namespace, f"read the status of {project.name} in {environment}")
    pods, _ = await cluster.listing("v1", "Pod", namespace)
    sets, _ = await cluster.listing("apps/v1", "ReplicaSet", namespace)
    head = f"{project.name} {environment}  {short(record.version)}"
    lines = [f"{head}  revision {record.revision}, deployed {record.deployed_at}"]
    recorded = record.keys()
    for key in recorded:
        if key.kind in ("Deployment", "StatefulSet"):
            live = await cluster.get(key)
            text = state_of(live, pods_of(live, pods), sets).message if live else "is gone"
            lines.append(f"  {key.name:<9} {text}")
    lines.extend(f"  {'image':<9} {ref}" for image, ref in sorted(record.images.items()) if is_logical(image))
    return "\n".join(lines)
