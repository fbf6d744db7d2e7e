"""Build the components, and run the application's own tests."""

from __future__ import annotations

import dagger

from planera_ci.domain.dockerfile import has_stage, line_of
from planera_ci.errors import ApplicationTestError, BuildError
from planera_ci.pipeline.clock import span
from planera_ci.pipeline.failure import cause_of, tail_of
from planera_ci.pipeline.source import Source
from planera_ci.tasks import each

_TEST_STAGE = "test"


async def build(source: Source, name: str) -> dagger.Container:
    """Build one component from its Dockerfile."""
    with span(f"build {name}"):
        try:
            return await source.component(name).docker_build().sync()
        except dagger.QueryError as error:
            raise BuildError(
                f"build {name}",
                f"{name}/Dockerfile: {cause_of(error)}",
                f"try it alone with `dagger call image --component {name}`",
                tail=tail_of(error),
                line=await _line(source, name, error),
            ) from error


async def test(source: Source, names: tuple[str, ...]) -> tuple[str, ...]:
    """Build the `test` stage of every component that has one, and return their names."""

    async def one(name: str) -> bool:
        dockerfile = await source.component(name).file("Dockerfile").contents()
        if not has_stage(dockerfile, _TEST_STAGE):
            return False
        with span(f"test {name}"):
            try:
                await source.component(name).docker_build(target=_TEST_STAGE).sync()
            except dagger.QueryError as error:
                raise ApplicationTestError(
                    f"test {name}",
                    f"stage {_TEST_STAGE} of {name}/Dockerfile: {cause_of(error)}",
                    "correct the code or the test; nothing was published",
                    tail=tail_of(error),
                    line=line_of(dockerfile, _command(error), cause_of(error)),
                ) from error
        return True

    return tuple(name for name, tested in (await each(names, one)).items() if tested)


async def _line(source: Source, name: str, error: dagger.QueryError) -> int:
    """Return the line of a component's Dockerfile that an error is about."""
    dockerfile = await source.component(name).file("Dockerfile").contents()
    return line_of(dockerfile, _command(error), cause_of(error))


def _command(error: dagger.QueryError) -> str:
    return error.command[-1] if isinstance(error, dagger.ExecError) and error.command else ""
