"""Where in the application's sources and manifests a failure lies; a failure to find that is no failure of its own."""

from __future__ import annotations

from collections.abc import Iterable

import dagger

from planera_ci.domain.places import Place, in_log, in_manifests
from planera_ci.errors import PlaneraError
from planera_ci.pipeline.project import Project
from planera_ci.pipeline.render import load


async def components_of(project: Project, environment: str) -> tuple[str, ...]:
    """Return the components of an environment, or none where its manifests are what cannot be read."""
    try:
        return project.components(await load(project.manifests, environment))
    except PlaneraError:
        return ()


async def place_of(project: Project, error: PlaneraError, blamed: str, names: Iterable[str]) -> Place | None:
    """Return the line that a failure of these components leads to; the object of a verdict may be blamed."""
    kind, _, name = blamed.partition("/")
    try:
        found = await _in_sources(project, error, name or error.act.rpartition(" ")[2], names)
        return found or (await _in_manifests(project, kind, name) if kind and project.folder else None)
    except dagger.QueryError:  # the failure is what is to be told, and not that its line cannot be found
        return None


async def _in_sources(project: Project, error: PlaneraError, blamed: str, names: Iterable[str]) -> Place | None:
    """Return the line of a component's code that the log names, or else of its Dockerfile."""
    prefix = f"{project.source.subfolder}/".removeprefix("/")
    for component in sorted(names, key=lambda each: each != blamed):
        if not await project.source.directory.exists(component):
            continue
        files = [f"{component}/{path}" for path in await project.source.component(component).glob("**/*")]
        if found := in_log(error.tail, files, component):
            return Place(prefix + found.path, found.line)
    return Place(f"{prefix}{blamed}/Dockerfile", error.line) if error.line else None


async def _in_manifests(project: Project, kind: str, name: str) -> Place | None:
    """Return the line where the manifests describe an object."""
    paths = [path for path in await project.manifests.glob("**/*.yaml") if not path.startswith("access/")]
    texts = {path: await project.manifests.file(path).contents() for path in paths}
    found = in_manifests(texts, kind, name)
    return Place(f"{project.folder}/{found.path}", found.line) if found else None
