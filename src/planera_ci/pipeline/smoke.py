"""Run the built containers as the manifests say, and try them before anything is published."""

from __future__ import annotations

import secrets
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import takewhile

import anyio
import dagger
import httpx
from dagger import dag

from planera_ci.domain.probes import HELD, Probe
from planera_ci.domain.smoke import Request, Run, SecretKey, SmokePlan
from planera_ci.errors import ConfigError, SmokeError, last_lines
from planera_ci.pipeline.clock import span
from planera_ci.pipeline.failure import cause_of, tail_of
from planera_ci.tasks import together

_LOG_FOLDER = "/planera-ci"
_JOB_SECONDS, _START_SECONDS, _REQUEST_SECONDS, _BETWEEN = 120, 120, 10.0, 0.1
_REMEDY = "nothing was published"
# The image's own command, its output kept where it can be read after a failure: the engine
# shows a running service's output as progress, but has no call that returns it.
_KEEP_LOG = f'exec "$@" >>{_LOG_FOLDER}/log 2>&1'


@dataclass
class Smoke:
    """One smoke test: its throw-away values, its services, and what it found."""

    plan: SmokePlan
    image: Callable[[str], dagger.Container]
    run_id: str = field(default_factory=lambda: secrets.token_hex(6))
    _services: dict[str, dagger.Service] = field(default_factory=dict)
    _started: list[dagger.Service] = field(default_factory=list)
    _found: list[str] = field(default_factory=list)
    _secrets: dict[SecretKey, dagger.Secret] = field(default_factory=dict)

    async def run(self) -> tuple[str, ...]:
        """Run everything and return what was found, a phrase each; raise at the first failure.

        What was started runs on until `stop`, so that nobody has to wait for its end.
        """
        try:
            async with together() as group:
                for run in self.plan.services:
                    group.start_soon(self._third_party, run)
            for job in self.plan.jobs:
                await self._job(job)
            for layer in self.plan.components:
                async with together() as group:
                    for run in layer:
                        group.start_soon(self._component, run)
        except BaseException:
            await self.stop()
            raise
        return tuple(self._found)

    async def inside(self, name: str) -> dagger.Container:
        """Return a workload's container as it would be run, with all that runs before it running beside it."""
        steps = [(run, self._job) for run in self.plan.jobs]
        steps += [(run, self._component) for layer in self.plan.components for run in layer]
        chosen = next((run for run, _ in steps if run.name == name), None)
        if chosen is None:
            names = ", ".join(run.name for run, _ in steps)
            raise ConfigError(f"look inside {name}", "the smoke test runs no such workload", f"give one of: {names}")
        async with together() as group:
            for run in self.plan.services:
                group.start_soon(self._third_party, run)
        for run, start in takewhile(lambda step: step[0] is not chosen, steps):
            await start(run)
        return self._configured(chosen, self.image(chosen.image), bind=True)

    async def stop(self) -> None:
        """End what was started; a cancelled run ends it too."""
        with anyio.CancelScope(shield=True):
            async with together() as group:
                for service in self._started:
                    group.start_soon(_stop, service)

    async def _third_party(self, run: Run) -> None:
        container = self._configured(run, self.image(run.image))
        sign = run.readiness if run.readiness and run.readiness.command else None
        if sign:
            sign = replace(sign, seconds=_START_SECONDS)  # a database is made first
            container = _watched(container, sign)
        service = self._as_service(run, container)
        with span(f"start {run.name}"):
            await self._start(run, container, service, sign)
        self._started.append(service)
        self._bind(run, service)

    async def _job(self, run: Run) -> None:
        container = self._configured(run, self.image(run.image), bind=True)
        act = f"smoke test {run.name}"
        with span(f"run {run.name}"):
            try:
                with anyio.fail_after(_JOB_SECONDS):
                    done = await container.with_exec(
                        [*run.command, *run.args], use_entrypoint=not run.command, expect=dagger.ReturnType.ANY
                    ).sync()
                    code = await done.exit_code()
            except TimeoutError:
                raise SmokeError(act, f"job did not end within {_JOB_SECONDS} s", _REMEDY) from None
            except dagger.QueryError as error:
                raise SmokeError(act, cause_of(error), _REMEDY, tail=tail_of(error)) from error
            if code:
                tail = last_lines(await done.combined_output())
                raise SmokeError(act, f"job exited with code {code}", _REMEDY, tail=tail)
        self._found.append(f"{run.name} done")

    async def _component(self, run: Run) -> None:
        container, logged = await self._logged(run, self._configured(run, self.image(run.image), bind=True))
        sign = run.told_inside
        if sign == HELD and not logged:
            sign = None  # an image without a shell has nothing to ask with either
        if sign:
            container = _watched(container, sign)
        service = self._as_service(run, container, logged)
        begun = time.monotonic()
        with span(f"start {run.name}"):
            await self._start(run, container, service, sign)
        self._started.append(service)
        self._bind(run, service)
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

    def _configured(self, run: Run, container: dagger.Container, *, bind: bool = False) -> dagger.Container:
        """Give a container the environment, folders, ports and neighbours of its workload."""
        # An image's own health check is Docker's: Kubernetes does not ask it, and the engine would instead of the port.
        container = container.without_docker_healthcheck()
        container = container.with_env_variable("PLANERA_CI_SMOKE", self.run_id)  # a new service each run
        for name, value in run.env:
            container = container.with_env_variable(name, value)
        for name, key in run.secrets:
            container = container.with_secret_variable(name, self._secret(key))
        for path in run.scratch:
            container = container.with_mounted_temp(path)
        for port in run.ports:
            container = container.with_exposed_port(port)
        for alias, service in self._services.items() if bind else ():
            container = container.with_service_binding(alias, service)
        return container

    def _secret(self, key: SecretKey) -> dagger.Secret:
        if key not in self._secrets:
            name = f"smoke-{self.run_id}-{key.secret}-{key.key}"
            self._secrets[key] = dag.set_secret(name, secrets.token_urlsafe(24))
        return self._secrets[key]

    async def _logged(self, run: Run, container: dagger.Container) -> tuple[dagger.Container, list[str]]:
        """Return the container and a command that keeps its output, where the image has a shell."""
        if not await container.exists("/bin/sh"):
            return container, []
        command = [*run.command, *run.args]
        if not run.command:
            command = [*await container.entrypoint(), *(run.args or await container.default_args())]
        volume = dag.cache_volume(f"planera-ci-smoke-{self.run_id}-{run.name}")
        user = await container.user()
        kept = container.with_mounted_cache(_LOG_FOLDER, volume, owner=user)
        return kept, ["/bin/sh", "-c", _KEEP_LOG, "sh", *command]

    def _as_service(self, run: Run, container: dagger.Container, command: list[str] | None = None) -> dagger.Service:
        if command:
            return container.as_service(args=command)
        if run.command:
            return container.as_service(args=[*run.command, *run.args])
        return container.as_service(args=list(run.args), use_entrypoint=True)

    def _bind(self, run: Run, service: dagger.Service) -> None:
        for alias in run.aliases:
            self._services[alias] = service

    async def _start(self, run: Run, container: dagger.Container, service: dagger.Service, sign: Probe | None) -> None:
        act = f"smoke test {run.name}"
        within = sign.seconds if sign else _START_SECONDS
        try:
            with anyio.fail_after(within):
                await service.start()
        except TimeoutError:
            what = f"port {', '.join(map(str, run.ports))} did not open"
            if sign:
                what = f"its readiness probe `{shlex.join(sign.command)}` did not succeed"
            raise SmokeError(act, f"{what} within {within} s", _REMEDY, tail=await self._log(container)) from None
        except dagger.QueryError as error:
            tail = await self._log(container) or tail_of(error)
            raise SmokeError(act, f"it ended at its start: {cause_of(error)}", _REMEDY, tail=tail) from error

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
        raise SmokeError(
            f"smoke test {run.name}", f"{request} {seen} for {within} s", _REMEDY, tail=await self._log(container)
        )

    async def _request(self, run: Run, container: dagger.Container, service: dagger.Service, request: Request) -> None:
        try:
            answer = await _ask(service, run.ports[0], request)
            seen = f"answered {answer.status_code} ({last_lines(answer.text, 1)[:200]})"
            right = answer.status_code == request.status
        except httpx.HTTPError as error:
            seen, right = f"gave no answer ({error})", False
        if not right:
            raise SmokeError(
                f"smoke test {run.name}",
                f"{request} {seen}, expected was {request.status}",
                _REMEDY,
                tail=await self._log(container),
            )

    async def _log(self, container: dagger.Container) -> str:
        """Return the end of a component's log."""
        reader = container.with_env_variable("PLANERA_CI_READ", secrets.token_hex(4))
        try:
            return await reader.with_exec(["/bin/sh", "-c", f"tail -n 20 {_LOG_FOLDER}/log"]).stdout()
        except dagger.QueryError:
            return ""


async def _ask(service: dagger.Service, port: int, request: Request) -> httpx.Response:
    address = await service.endpoint(port=port, scheme="http")
    headers = {"Content-Type": "application/json"} if request.body else {}
    async with httpx.AsyncClient(timeout=_REQUEST_SECONDS, trust_env=False) as client:
        return await client.request(
            request.method, address + request.path, content=request.body.encode() or None, headers=headers
        )


def _watched(container: dagger.Container, probe: Probe) -> dagger.Container:
    """Have the engine ask a command in the container until it succeeds; whoever starts it bounds that."""
    return container.with_docker_healthcheck(list(probe.command), interval="300ms", timeout="5s", retries=1_000_000)


async def _stop(service: dagger.Service) -> None:
    with anyio.move_on_after(5):
        try:
            await service.stop(kill=True)
        except dagger.QueryError:
            return  # it ended by itself
