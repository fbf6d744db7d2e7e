"""From a source to published images. The order is the promise: nothing is published untried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from planera_ci.domain.images import short
from planera_ci.domain.manifests import Obj
from planera_ci.domain.proven import Proven
from planera_ci.domain.report import listed
from planera_ci.pipeline.build import test
from planera_ci.pipeline.clock import Clock
from planera_ci.pipeline.project import Project
from planera_ci.pipeline.publish import Image, Published, push_all
from planera_ci.pipeline.smoke import Smoke
from planera_ci.pipeline.source import Revision
from planera_ci.tasks import together


@dataclass
class Making:
    """A release in the making: what is new is built, tested and tried, what is published already is kept."""

    project: Project
    clock: Clock
    objs: tuple[Obj, ...]
    """The manifests, images unpinned."""
    environment: str
    revision: Revision
    smoke: Smoke = field(init=False)

    def __post_init__(self) -> None:
        """Prepare the smoke test; nothing runs yet."""
        self.smoke = self.project.smoke(self.objs, self.revision.version)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the components."""
        return self.project.components(self.objs)

    async def found(self) -> Published:
        """Look for images of the same content."""
        return await self.project.published(self.names, self.environment, self.revision)

    async def tried(
        self, found: Published, third_party: Mapping[str, str], proven: Proven, *, tests: bool = True
    ) -> dict[str, Image]:
        """Build what is new, run its tests and the smoke test, unless all of it is proven; return the images."""
        kept = {name: image for name, (_, image) in found.items() if image}
        known = {name for name, image in kept.items() if proven.has(self.project.logical(name), image.reference)}
        pins = {**third_party, **{self.project.logical(name): image.reference for name, image in kept.items()}}
        if len(kept) == len(found) and proven.covers(pins, self.objs, self.project.name):
            with self.clock.step("build") as lines:
                lines.append(listed(map(_how, kept.values())))
            with self.clock.step("smoke") as lines:
                lines.append(f"not run again: revision {proven.revision} runs the same images in the same way")
            return kept
        try:
            async with together() as group:
                untested = tuple(name for name in found if name not in known)
                if tests and untested:
                    group.start_soon(self._tested, untested)
                async with together() as before:
                    before.start_soon(self.smoke.serve)
                    with self.clock.step("build") as lines:
                        images = await self.project.release_images(found, self.revision)
                        lines.append(listed(map(_how, images.values())))
                with self.clock.step("smoke") as lines:
                    lines.extend(await self.smoke.run({name: image.container for name, image in images.items()}))
        except BaseException:
            await self.smoke.stop()
            raise
        return images

    async def published(self, images: Mapping[str, Image]) -> dict[str, Image]:
        """Publish the images, while what tried them ends; return them with their digests."""
        async with together() as group:
            group.start_soon(self.smoke.stop)
            with self.clock.step("publish") as lines:
                stage = self.project.stage(self.environment)
                published = await push_all(self.project.registry, images, stage, self.revision.version)
                lines.extend(image.line() for image in published.values())
        return published

    async def _tested(self, names: tuple[str, ...]) -> None:
        with self.clock.step("test") as lines:
            done = await test(self.project.source, names)
            lines.append(f"{listed(done)} passed" if done else "no component has a test stage")


def _how(image: Image) -> str:
    return f"{image.component} unchanged since {short(image.revision)}" if image.kept else f"{image.component} built"
