"""Runs the checks of this repository in containers, side by side; one that fails hides no other.

Each container holds only what its check reads, so that the engine keeps its answer until that changes. A failure is
not kept: the same check runs again when it is asked for again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagger
from dagger import dag

from planera_ci.domain.checks import Check, Pins, Result, chosen, end_of
from planera_ci.errors import SourceError
from planera_ci.pipeline.clock import span
from planera_ci.pipeline.failure import cause_of, tail_of
from planera_ci.pipeline.render import KUBECTL
from planera_ci.tasks import each

_REPOSITORY, _CACHE, _PROGRAMS, _VENV = "/repository", "/cache", "/programs", "/venv"
_PROJECT, _LOCK, _VERSIONS = "pyproject.toml", "uv.lock", "lab/versions.toml"
_ALL = 10_000
"""Lines of an output that is looked through; a few of them are shown."""
_INSTALLED = {
    "UV_PROJECT_ENVIRONMENT": _VENV,
    "UV_LINK_MODE": "copy",
    "UV_COMPILE_BYTECODE": "1",
    "UV_PYTHON_DOWNLOADS": "never",
    # the authorities that the engine gives its containers
    "UV_SYSTEM_CERTS": "1",
}
_CHECKED = {
    "PATH": f"{_VENV}/bin:/usr/local/bin:/usr/bin:/bin",
    "PLANERA_PROGRAMS": _PROGRAMS,
    "PYTHONPATH": "src",
    # nothing that one check leaves may reach another
    "PYTHONDONTWRITEBYTECODE": "1",
    "RUFF_NO_CACHE": "true",
    "MYPY_CACHE_DIR": "/dev/null",
    "PYTEST_ADDOPTS": "-p no:cacheprovider --tb=short",
}


async def run_checks(repo: dagger.Directory, only: Iterable[str] = ()) -> tuple[Result, ...]:
    """Run the checks of these names, or all, and return what came of each; none that fails is an error here."""
    checks = chosen(only)
    workshop = await _Workshop.of(repo.filter(gitignore=True))
    return tuple((await each(checks, workshop.result)).values())


@dataclass(frozen=True)
class _Workshop:
    """The repository, and the containers that its checks run in."""

    repo: dagger.Directory
    pins: Pins

    @classmethod
    async def of(cls, repo: dagger.Directory) -> _Workshop:
        """Read from the repository what its containers are made of."""
        for file in (_PROJECT, _LOCK, _VERSIONS):
            if not await repo.exists(file):
                raise SourceError("check planera-ci", f"--repo has no {file}", "pass a clone of planera-ci, or nothing")
        return cls(repo, Pins.read(await repo.file(_PROJECT).contents(), await repo.file(_VERSIONS).contents()))

    async def result(self, check: Check) -> Result:
        """Run a check and say what came of it."""
        asked, begun = time.time(), time.monotonic()
        container = self._container(check)
        with span(f"check {check.name}"):
            try:
                # the time is a part of what is kept: an answer from before this call was not found by it
                ended = float(await container.with_exec(["date", "+%s.%N"]).stdout())
                passed, tail = True, ""
            except dagger.QueryError as error:
                passed, tail, ended = False, end_of(tail_of(error, _ALL)) or cause_of(error), asked
        return Result(check.name, passed, round(time.monotonic() - begun, 1), tail, passed and ended < asked)

    def _container(self, check: Check) -> dagger.Container:
        """Return the container in which a check has run."""
        container = self._environment()
        if check.packages:
            install = f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {' '.join(check.packages)}"
            container = container.with_exec(["sh", "-ec", install])
        for name in check.programs:
            container = container.with_directory(_PROGRAMS, self._program(name))
        seen = self.repo.filter(include=list(check.reads))
        container = _set(container, _CHECKED).with_mounted_directory(_REPOSITORY, seen).with_workdir(_REPOSITORY)
        for command in check.commands:
            container = container.with_exec(["python", "-m", *command.split()])
        return container

    def _environment(self) -> dagger.Container:
        """Return Python with the locked packages of development."""
        locked = self.repo.filter(include=[_PROJECT, _LOCK])
        return (
            _set(self._base(), _INSTALLED)
            .with_exec(["pip", "install", "--quiet", "--root-user-action=ignore", f"uv=={self.pins.uv}"])
            .with_mounted_directory(_REPOSITORY, locked)
            .with_workdir(_REPOSITORY)
            .with_exec(["uv", "sync", "--quiet", "--frozen", "--no-install-project"])
            .without_mount(_REPOSITORY)
        )

    def _program(self, name: str) -> dagger.Directory:
        """Return a folder with a program: from its image, or built as the lab builds it for who has none."""
        if name == "kubectl":
            return dag.directory().with_file(name, dag.container().from_(KUBECTL).file("/bin/kubectl"))
        recipe = self.repo.filter(include=["lab/lab", _VERSIONS, "lab/src/**", "lab/inputs/**"])
        build = f'built=$(lab/lab tool {name}); cp -r "${{built%/*}}" {_PROGRAMS}'
        container = self._base().with_mounted_directory(_REPOSITORY, recipe).with_workdir(_REPOSITORY)
        return container.with_exec(["sh", "-ec", build]).directory(_PROGRAMS)

    def _base(self) -> dagger.Container:
        """Return Python with a place for what was downloaded and compiled before."""
        container = dag.container().from_(self.pins.image).with_env_variable("XDG_CACHE_HOME", _CACHE)
        return container.with_mounted_cache(_CACHE, dag.cache_volume("planera-ci-checks"))


def _set(container: dagger.Container, variables: Mapping[str, str]) -> dagger.Container:
    for name, value in variables.items():
        container = container.with_env_variable(name, value)
    return container
