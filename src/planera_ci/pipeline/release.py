"""From built images to published ones. The order is the promise: nothing is published untried."""

from __future__ import annotations

from planera_ci.domain.manifests import Obj
from planera_ci.pipeline.clock import Clock
from planera_ci.pipeline.project import Project
from planera_ci.pipeline.publish import Image, push_all
from planera_ci.tasks import together


async def tried_and_published(
    project: Project, clock: Clock, objs: tuple[Obj, ...], images: dict[str, Image], environment: str, version: str
) -> dict[str, Image]:
    """Smoke-test the images as the manifests run them, then publish them; return them with their digests."""
    smoke = project.smoke(objs, {name: image.container for name, image in images.items()}, version)
    with clock.step("smoke") as lines:
        lines.extend(await smoke.run())
    async with together() as group:
        group.start_soon(smoke.stop)
        with clock.step("publish") as lines:
            published = await push_all(project.registry, images, project.stage(environment), version)
            lines.extend(image.line() for image in published.values())
    return published
