"""Publish the built components by digest, and keep what is published already.

A component whose folder has not changed since its last publication keeps that image: its digest,
and so its pods, stay. The commit that an image was built from stands in its labels (OCI image
spec, annotations); a label that changed with every commit would make every image new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import dagger
from dagger import dag

from planera_ci.domain.images import ImageRef, short
from planera_ci.domain.stages import Stage
from planera_ci.errors import RegistryError
from planera_ci.pipeline.clock import span
from planera_ci.pipeline.failure import cause_of
from planera_ci.pipeline.registry import Found, Registry
from planera_ci.pipeline.source import Revision
from planera_ci.tasks import each

_OCI = "org.opencontainers.image"
CONTENT_LABEL = "planera-ci.content"
REVISION_LABEL = f"{_OCI}.revision"
_REFUSED = ("401", "403", "unauthorized", "denied", "forbidden")


@dataclass(frozen=True)
class Image:
    """One component's image: to be published, or published already."""

    component: str
    repository: str
    container: dagger.Container
    revision: str
    digest: str = ""
    kept: Found | None = None
    """An earlier publication of the same content, which is used again."""
    tags: tuple[str, ...] = ()
    """Those that an earlier publication was found by."""

    @property
    def reference(self) -> str:
        """Return the pinned reference."""
        return f"{self.repository}@{self.digest}"

    def line(self) -> str:
        """Return what the report says of a published image."""
        return f"{self.reference}  {'unchanged since' if self.kept else 'built from'} {short(self.revision)}"


Published = Mapping[str, tuple[str, Image | None]]
"""For each component its content, and the image of that content where one is published."""


async def published_before(
    registry: Registry, repository: str, component: str, content: str, tags: tuple[str, str]
) -> Image | None:
    """Return the image of this version, or else the environment's latest, if its content is the same."""
    there = await each(tags, lambda tag: registry.find(repository, tag))
    same = {tag: found for tag, found in there.items() if found and found.labels.get(CONTENT_LABEL) == content}
    if not same:
        return None
    found = next(iter(same.values()))
    container = registry.login(dag.container()).from_(f"{repository}@{found.digest}")
    named = tuple(tag for tag, other in same.items() if other.digest == found.digest)
    return Image(component, repository, container, found.labels.get(REVISION_LABEL, ""), found.digest, found, named)


def labelled(
    container: dagger.Container, repository: str, component: str, content: str, revision: Revision, url: str
) -> Image:
    """Return a built component as an image that says where it came from."""
    labels = {
        f"{_OCI}.source": url,
        REVISION_LABEL: revision.version,
        f"{_OCI}.created": revision.created,
        CONTENT_LABEL: content,
    }
    for name, value in labels.items():
        if value:
            container = container.with_label(name, value)
    return Image(component, repository, container, revision.version)


async def pull(image: Image) -> None:
    """Fetch a published image's layers, so that nobody waits for them who runs it."""
    with span(f"pull {image.component}"):
        try:
            await image.container.sync()
        except dagger.QueryError as error:
            raise RegistryError(
                f"pull {image.reference}", cause_of(error), "try again; nothing was published"
            ) from error


async def push_all(registry: Registry, images: Mapping[str, Image], stage: Stage, version: str) -> dict[str, Image]:
    """Publish every component's image, in parallel."""

    async def one(name: str) -> Image:
        with span(f"publish {name}"):
            return await _publish(registry, images[name], stage.tags(version))

    return await each(images, one)


async def _publish(registry: Registry, image: Image, tags: tuple[str, str]) -> Image:
    """Push an image under its version's tag and give it the moving one; return it with its digest."""
    fixed, moving = tags
    found = image.kept
    tags_left = tuple(tag for tag in (fixed, moving) if tag not in image.tags)
    if found is None:
        address = f"{image.repository}:{fixed}"
        try:
            pushed = await registry.login(image.container).publish(address)
        except dagger.QueryError as error:
            if any(word in str(error).lower() for word in _REFUSED):
                raise registry.refused(f"publish {address}") from error
            raise RegistryError(f"publish {address}", cause_of(error), "try again; nothing was deployed") from error
        found = await registry.find(image.repository, fixed)
        digest = ImageRef.parse(pushed).digest
        if found is None or found.digest != digest:
            raise RegistryError(
                f"publish {address}",
                f"pushed was {digest}, the registry has {found.digest if found else 'nothing'}",
                "somebody else publishes this version too: deploy again",
            )
        tags_left = (moving,)  # the push gave it the other
    for tag in tags_left:
        if await registry.digest(image.repository, tag) != found.digest:
            await registry.tag(image.repository, found, tag)
    return replace(image, digest=found.digest)
