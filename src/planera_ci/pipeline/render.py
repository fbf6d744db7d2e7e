"""Render an environment's manifests with kustomize, and resolve the images they name."""

from __future__ import annotations

from collections.abc import Iterable

import dagger
from dagger import dag

from planera_ci.domain.images import ImageRef
from planera_ci.domain.manifests import Obj, parse
from planera_ci.errors import ConfigError, ManifestError, RegistryError, last_lines
from planera_ci.pipeline.clock import span
from planera_ci.pipeline.failure import cause_of
from planera_ci.tasks import each

KUBECTL = "registry.k8s.io/kubectl:v1.34.4"
_MOUNT = "/manifests"


async def render(manifests: dagger.Directory, environment: str) -> str:
    """Return what `kubectl kustomize` makes of an environment's folder."""
    if not await manifests.exists(f"{environment}/kustomization.yaml"):
        raise ConfigError(
            f"render {environment}",
            f"the manifests have no {environment}/kustomization.yaml",
            "add it, or pass --manifests with a folder that has it",
        )
    kubectl = dag.container().from_(KUBECTL).with_mounted_directory(_MOUNT, manifests)
    with span(f"render {environment}"):
        try:
            return await kubectl.with_exec(["/bin/kubectl", "kustomize", f"{_MOUNT}/{environment}"]).stdout()
        except dagger.ExecError as error:
            why = last_lines(error.stderr, 1).removeprefix("error: ").replace(f"{_MOUNT}/", "")
            raise ManifestError(f"render {environment}", why, "correct the manifests; nothing was touched") from error


async def load(manifests: dagger.Directory, environment: str) -> tuple[Obj, ...]:
    """Return an environment's manifests as objects."""
    return parse(await render(manifests, environment), environment)


async def resolve(images: Iterable[str]) -> dict[str, str]:
    """Return each third-party image pinned to the digest that its registry names now."""

    async def one(image: str) -> str:
        if ImageRef.parse(image).digest:
            return image
        try:
            reference = await dag.container().from_(image).image_ref()
        except dagger.QueryError as error:
            raise RegistryError(
                f"resolve image {image}", cause_of(error), "correct its name in the manifests; nothing was touched"
            ) from error
        found = ImageRef.parse(reference)
        return str(found.at(found.digest))

    return await each(images, one)
