"""Run the built containers as the manifests say, and try them before anything is published."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile

import anyio
import dagger
import httpx
from dagger import dag

from planera_ci.domain.images import component_of, is_logical
from planera_ci.domain.probes import HELD
from planera_ci.domain.smoke import Request, Run, SmokePlan
from planera_ci.errors import ConfigError, SmokeError, last_lines
from planera_ci.pipeline.clock import span
from planera_ci.pipeline.failure import cause_of, tail_of
from planera_ci.pipeline.sandbox import REMEDY, START_SECONDS, Sandbox
from planera_ci.tasks import together

_JOB_SECONDS, _REQUEST_SECONDS, _BETWEEN = 120, 10.0, 0.1


@dataclass
class Smoke:
    """One smoke test: what it runs, where, and what it found."""

    plan: SmokePlan
    app: str
    sandbox: Sandbox = field(default_factory=Sandbox)
    _found: list[str] = field(default_factory=list)

    async def serve(self) -> None:
        """Start what is not the application's own, such as its database: that can be while it is built."""
        try:
            async with together() as group:
                for run in self.plan.services:
                    group.start_soon(self._third_party, run)
        except BaseException:
            await self.stop()
            raise

    async def run(self, built: Mapping[str, dagger.Container]) -> tuple[str, ...]:
        """Run the components beside what is served, and return what was found; raise at the first failure.

        What was started runs on until `stop`, so that nobody has to wait for its end.
        """
        image = self._images(built)
        try:
            for job in self.plan.jobs:
                await self._job(job, image(job.image))
            for layer in self.plan.components:
                async with together() as group:
                    for run in layer:
                        group.start_soon(self._component, run, image(run.image))
        except BaseException:
            await self.stop()
            raise
        return tuple(self._found)

    async def inside(self, name: str, built: Mapping[str, dagger.Container]) -> dagger.Container:
        """Return a workload's container as it would be run, with all that runs before it running beside it."""
        image = self._images(built)
        steps = [(run, self._job) for run in self.plan.jobs]
        steps += [(run, self._component) for layer in self.plan.components for run in layer]
        chosen = next((run for run, _ in steps if run.name == name), None)
        if chosen is None:
            names = ", ".join(run.name for run, _ in steps)
            raise ConfigError(f"look inside {name}", "the smoke test runs no such workload", f"give one of: {names}")
        for run, start in takewhile(lambda step: step[0] is not chosen, steps):
            await start(run, image(run.image))
        return self.sandbox.configured(chosen, image(chosen.image), bind=True)

    async def stop(self) -> None:
        """End what was started; a cancelled run ends it too."""
        await self.sandbox.stop()

    def _images(self, built: Mapping[str, dagger.Container]) -> Callable[[str], dagger.Container]:
        def container(image: str) -> dagger.Container:
            if is_logical(image):
                return built[component_of(image, self.app)]
            return dag.container().from_(image)

        return container

    async def _third_party(self, run: Run) -> None:
        container = self.sandbox.configured(run, dag.container().from_(run.image))
        sign = run.readiness if run.readiness and run.readiness.command else None
        if sign:
            sign = replace(sign, seconds=START_SECONDS)  # a database is made first
        with span(f"start {run.name}"):
            await self.sandbox.start(run, container, sign=sign)

    async def _job(self, run: Run, image: dagger.Container) -> None:
        container = self.sandbox.configured(run, image, bind=True)
        act = f"smoke test {run.name}"
        with span(f"run {run.name}"):
            try:
                with anyio.fail_after(_JOB_SECONDS):
                    done = await container.with_exec(
                        [*run.command, *run.args], use_entrypoint=not run.command, expect=dagger.ReturnType.ANY
                    ).sync()
                    code = await done.exit_code()
            except TimeoutError:
                raise SmokeError(act, f"job did not end within {_JOB_SECONDS} s", REMEDY) from None
            except dagger.QueryError as error:
                raise SmokeError(act, cause_of(error), REMEDY, tail=tail_of(error)) from error
            if code:
                tail = last_lines(await done.combined_output())
                raise SmokeError(act, f"job exited with code {code}", REMEDY, tail=tail)
        self._found.append(f"{run.name} done")

    async def _component(self, run: Run, image: dagger.Container) -> None:
        container, logged = await self.sandbox.logged(run, self.sandbox.configured(run, image, bind=True))
        sign = run.told_inside
        if sign == HELD and not logged:
            sign = None  # an image without a shell has nothing to ask with either
        begun = time.monotonic()
        with span(f"start {run.name}"):
            service = await self.sandbox.start(run, container, logged, sign)
        if sign:
            how = "runs" if sign == HELD else f"ready in {time.monotonic() - begun:.1f} s"
            self._found.append(f"{run.name} {how}")
        begun = time.monotonic()
        probe = run.readiness
        if probe and probe.path:
            ready = Request("GET", probe.path, 0)
            answer = await self._until_ready(run, container, service, ready, probe.port, probe.seconds)
            self._found.append(f"{run.name} {probe.path} {answer} in {time.monotonic() - begun:.1f} s")
        for request in run.requests:
            await self._request(run, container, service, request)
        if run.requests:
            self._found.append(f"{run.name} " + ", ".join(f"{r} {r.status}" for r in run.requests))

    async def _until_ready(
        self, run: Run, container: dagger.Container, service: dagger.Service, request: Request, port: int, within: int
    ) -> int:
        """Ask the readiness probe until it answers as the kubelet wants: 200 to 399."""
        seen = "gave no answer"
        with anyio.move_on_after(within):
            while True:
                try:
                    answer = await _ask(service, port, request)
                    if 200 <= answer.status_code < 400:  # noqa: PLR2004
                        return answer.status_code
                    seen = f"answered {answer.status_code} ({last_lines(answer.text, 1)[:200]})"
                except httpx.HTTPError as error:
                    seen = f"gave no answer ({error})"
                await anyio.sleep(_BETWEEN)
        tail = await self.sandbox.log(container)
        raise SmokeError(f"smoke test {run.name}", f"{request} {seen} for {within} s", REMEDY, tail=tail)

    async def _request(self, run: Run, container: dagger.Container, service: dagger.Service, request: Request) -> None:
        try:
            answer = await _ask(service, run.ports[0], request)
            seen = f"answered {answer.status_code} ({last_lines(answer.text, 1)[:200]})"
            right = answer.status_code == request.status
        except httpx.HTTPError as error:
            seen, right = f"gave no answer ({error})", False
        if not right:
            tail = await self.sandbox.log(container)
            raise SmokeError(
                f"smoke test {run.name}", f"{request} {seen}, expected was {request.status}", REMEDY, tail=tail
            )


async def _ask(service: dagger.Service, port: int, request: Request) -> httpx.Response:
    address = await service.endpoint(port=port, scheme="http")
    headers = {"Content-Type": "application/json"} if request.body else {}
    # Requests are plain: to read the authorities for each of them would take longer than most answers.
    trusting_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx.AsyncClient(verify=trusting_nobody, timeout=_REQUEST_SECONDS, trust_env=False) as client:
        return await client.request(
            request.method, address + request.path, content=request.body.encode() or None, headers=headers
        )
