"""One application and how it is reached: what every verb of the module starts from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import dagger

from planera_ci.domain.images import is_logical, repository
from planera_ci.domain.manifests import Obj, components, images, pinned
from planera_ci.domain.smoke import smoke_plan
from planera_ci.domain.stages import STAGES, Stage
from planera_ci.errors import ConfigError
from planera_ci.pipeline.build import build
from planera_ci.pipeline.content import content_of
from planera_ci.pipeline.publish import Image, Published, labelled, published_before, pull
from planera_ci.pipeline.registry import Registry
from planera_ci.pipeline.render import resolve
from planera_ci.pipeline.smoke import Smoke
from planera_ci.pipeline.source import Revision, Source
from planera_ci.tasks import each


@dataclass(frozen=True)
class Project:
    """The application's source, its manifests, and the registry that its images go to."""

    name: str
    owner: str
    source: Source
    manifests: dagger.Directory
    registry: Registry
    stages: Mapping[str, Stage] = field(default_factory=lambda: STAGES)
    folder: str = ""
    """Where the manifests stand in the repository; nothing where that is not known."""

    def stage(self, environment: str) -> Stage:
        """Return an environment's place; refuse one that the application does not have."""
        if environment not in self.stages:
            known = ", ".join(self.stages)
            raise ConfigError(f"read --env {environment}", "there is no such environment", f"give one of: {known}")
        return self.stages[environment]

    @property
    def first(self) -> str:
        """Return the first environment that is built for: what is tried is tried as there, unless another is named."""
        return next(name for name, stage in self.stages.items() if not stage.promotes)

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels of the objects that the pipeline itself writes."""
        return {"app.kubernetes.io/part-of": self.name, "app.kubernetes.io/managed-by": "planera-ci"}

    def components(self, objs: Iterable[Obj]) -> tuple[str, ...]:
        """Return the components that the manifests deploy."""
        return components(objs, self.name)

    def logical(self, component: str) -> str:
        """Return the image name by which manifests call a component."""
        return f"{self.name}-{component}"

    def repository(self, component: str) -> str:
        """Return where a component is published."""
        return repository(self.registry.host, self.owner, self.name, component)

    def url(self, revision: Revision) -> str:
        """Return where the source lives, for the images' labels."""
        url = revision.url.removesuffix(".git")
        return url if url.startswith("https://") else f"https://github.com/{self.owner}/{self.name}"

    async def built(self, names: tuple[str, ...]) -> dict[str, dagger.Container]:
        """Build components in parallel."""
        await self.source.check(names)
        return await each(names, lambda name: build(self.source, name))

    async def published(self, names: tuple[str, ...], environment: str, revision: Revision) -> Published:
        """Return each component's content, and its published image or nothing where the content is new."""
        await self.source.check(names)

        async def one(name: str) -> tuple[str, Image | None]:
            content, where = await content_of(self.source.component(name)), self.repository(name)
            image = await published_before(
                self.registry, where, name, content, self.stage(environment).tags(revision.version)
            )
            return content, image

        return await each(names, one)

    async def release_images(self, found: Published, revision: Revision) -> dict[str, Image]:
        """Return every component's image: the published one of the same content, fetched, or a new build."""

        async def one(name: str) -> Image:
            content, image = found[name]
            if image:
                await pull(image)
                return image
            container = await build(self.source, name)
            return labelled(container, self.repository(name), name, content, revision, self.url(revision))

        return await each(found, one)

    def smoke(self, objs: tuple[Obj, ...], revision: str) -> Smoke:
        """Return the smoke test of components, run as the manifests run them."""
        return Smoke(smoke_plan(objs, self.name, revision), self.name)

    async def third_party(self, objs: Iterable[Obj], known: Mapping[str, str] | None = None) -> dict[str, str]:
        """Pin the images that are not the application's own: as is known, or to what their registries name now."""
        wanted = [image for image in images(objs) if not is_logical(image)]
        pins = {image: known[image] for image in wanted if image in known} if known else {}
        return pins | await resolve(image for image in wanted if image not in pins)

    def release(self, objs: tuple[Obj, ...], published: Iterable[Image], third_party: dict[str, str]) -> Release:
        """Return the manifests with every image pinned, and the pins."""
        published = tuple(published)
        references = {self.logical(image.component): image.reference for image in published}
        revisions = {self.logical(image.component): image.revision for image in published}
        pins = {**third_party, **references}
        return Release(pinned(objs, pins, revisions), pins)


@dataclass(frozen=True)
class Release:
    """Manifests pinned to digests, and what each image name was pinned to."""

    objs: tuple[Obj, ...]
    pins: dict[str, str]


async def plaintext(secret: dagger.Secret | None, flag: str, act: str) -> str:
    """Return a secret's value; refuse one that is not given or cannot be read."""
    remedy = f"pass {flag}, as in {flag} env://NAME or {flag} file://PATH, or set it in .env"
    if secret is None:
        raise ConfigError(act, f"{flag} is not given", remedy)
    try:
        value = (await secret.plaintext()).strip()
    except dagger.QueryError as error:
        raise ConfigError(act, f"{flag} cannot be read", remedy) from error
    if not value:
        raise ConfigError(act, f"{flag} is empty", remedy)
    return value
