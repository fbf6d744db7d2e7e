"""Bring what one environment has verified to the next: the same digests, nothing built.

The registry knows what was verified, by a tag that is given after the verification: the account that
deploys to production needs no right in staging, and the two may be different clusters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dagger import dag

from planera_ci.domain.images import short
from planera_ci.domain.stages import Stage
from planera_ci.errors import RegistryError, SourceError
from planera_ci.pipeline.project import Project
from planera_ci.pipeline.publish import REVISION_LABEL, Image
from planera_ci.pipeline.registry import Found
from planera_ci.tasks import each

_PINS = "planera-ci.third-party-images"


@dataclass(frozen=True)
class Promotion:
    """A verified release on its way to another environment."""

    project: Project
    origin: Stage
    """The environment that verified it."""
    stage: Stage
    """The environment that it comes to."""
    version: str
    names: tuple[str, ...]
    """Names of the commit in git, which its images get too."""

    async def images(self, components: Iterable[str], act: str) -> dict[str, Image]:
        """Return the images that were verified; refuse where one was not, or a tag of theirs is taken."""

        async def one(component: str) -> Image:
            where = self.project.repository(component)
            found = await self.project.registry.find(where, self.origin.verified_tag(self.version))
            if found is None:
                raise SourceError(
                    act,
                    f"{self.origin.name} has verified no release {short(self.version)}, nothing was touched",
                    f"deploy it there first: dagger call deploy --env {self.origin.name}; "
                    "or name another with --release",
                )
            await self._check_free(where, found, act)
            container = self.project.registry.login(dag.container()).from_(f"{where}@{found.digest}")
            return Image(component, where, container, found.labels.get(REVISION_LABEL, ""), found.digest, found)

        return await each(components, one)

    async def pins(self, components: Iterable[str]) -> dict[str, str]:
        """Return what third-party images were pinned to where the release was verified, if that is known."""
        where = self.project.repository(min(components))
        tag = self.origin.release_tag(self.version)
        try:
            return dict(json.loads((await self.project.registry.notes(where, tag)).get(_PINS, "{}")))
        except ValueError as error:
            what = f"its annotation {_PINS} is damaged"
            raise RegistryError(f"read {where}:{tag}", what, f"deploy it to {self.origin.name} once more") from error

    async def _check_free(self, repository: str, image: Found, act: str) -> None:
        """Refuse a tag that is there and names another image: only `latest` may move."""
        for tag in self._fixed():
            there = await self.project.registry.digest(repository, tag)
            if there not in ("", image.digest):
                raise RegistryError(
                    act,
                    f"{repository}:{tag} exists and is {there}, the verified release is {image.digest}",
                    "nothing was touched; find out who gave that tag, and remove it or name the release anew",
                )

    async def tag(self, images: Mapping[str, Image]) -> tuple[str, ...]:
        """Give the images the tags of their environment; return these."""
        moving = self.stage.tags(self.version)[1]
        for tag in self._fixed():
            await give(self.project, images, tag, moves=False)
        await give(self.project, images, moving)
        return (*self._fixed(), moving)

    def _fixed(self) -> tuple[str, ...]:
        return (self.stage.tags(self.version)[0], *self.names)


async def noted(project: Project, images: Mapping[str, Image], tag: str, pins: Mapping[str, str]) -> None:
    """Note in the registry what third-party images were pinned to, unless just that is noted."""
    name = min(images)
    where, text = project.repository(name), json.dumps(dict(pins), sort_keys=True)
    if (await project.registry.notes(where, tag)).get(_PINS) == text:
        return
    found = images[name].kept or await project.registry.find(where, images[name].digest)
    if found:
        await project.registry.note(where, found, tag, {_PINS: text})


async def give(project: Project, images: Mapping[str, Image], tag: str, *, moves: bool = True) -> None:
    """Give every component's published image a tag, unless it has it; one that does not move is left to its owner."""

    async def one(name: str) -> None:
        where, image = project.repository(name), images[name]
        there = await project.registry.digest(where, tag)
        if there == image.digest:
            return
        if there and not moves:
            raise RegistryError(f"tag {where}:{tag}", f"somebody gave it to {there}", "remove that tag, deploy again")
        found = image.kept or await project.registry.find(where, image.digest)
        if found is None:
            raise RegistryError(f"tag {where}:{tag}", f"{image.digest} is not there any more", "deploy again")
        await project.registry.tag(where, found, tag)

    await each(images, one)
