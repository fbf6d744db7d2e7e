"""Where a smoke test runs: throw-away values, containers beside each other as Dagger services, and their logs."""

from __future__ import annotations

import secrets
import shlex
from dataclasses import dataclass, field

import anyio
import dagger
from dagger import dag

from planera_ci.domain.probes import Probe
from planera_ci.domain.smoke import Run, SecretKey
from planera_ci.errors import SmokeError
from planera_ci.pipeline.failure import cause_of, tail_of
from planera_ci.tasks import together

START_SECONDS = 120
REMEDY = "nothing was published"
_LOG_FOLDER = "/planera-ci"
# The image's own command, its output kept where it can be read after a failure: the engine
# shows a running service's output as progress, but has no call that returns it.
_KEEP_LOG = f'exec "$@" >>{_LOG_FOLDER}/log 2>&1'


@dataclass
class Sandbox:
    """Containers that run side by side under the names that the manifests give them, and nobody else's."""

    run_id: str = field(default_factory=lambda: secrets.token_hex(6))
    _services: dict[str, dagger.Service] = field(default_factory=dict)
    _started: list[dagger.Service] = field(default_factory=list)
    _secrets: dict[SecretKey, dagger.Secret] = field(default_factory=dict)

    def configured(self, run: Run, container: dagger.Container, *, bind: bool = False) -> dagger.Container:
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

    async def logged(self, run: Run, container: dagger.Container) -> tuple[dagger.Container, list[str]]:
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

    async def start(
        self, run: Run, container: dagger.Container, command: list[str] | None = None, sign: Probe | None = None
    ) -> dagger.Service:
        """Start a workload, and give it its names once its sign comes, or its port is open."""
        act = f"smoke test {run.name}"
        within = sign.seconds if sign else START_SECONDS
        if sign:
            container = _watched(container, sign)
        service = _as_service(run, container, command)
        try:
            with anyio.fail_after(within):
                await service.start()
        except TimeoutError:
            what = f"port {', '.join(map(str, run.ports))} did not open"
            if sign:
                what = f"its readiness probe `{shlex.join(sign.command)}` did not succeed"
            raise SmokeError(act, f"{what} within {within} s", REMEDY, tail=await self.log(container)) from None
        except dagger.QueryError as error:
            tail = await self.log(container) or tail_of(error)
            raise SmokeError(act, f"it ended at its start: {cause_of(error)}", REMEDY, tail=tail) from error
        self._started.append(service)
        for alias in run.aliases:
            self._services[alias] = service
        return service

    async def log(self, container: dagger.Container) -> str:
        """Return the end of a workload's log."""
        reader = container.with_env_variable("PLANERA_CI_READ", secrets.token_hex(4))
        try:
            return await reader.with_exec(["/bin/sh", "-c", f"tail -n 20 {_LOG_FOLDER}/log"]).stdout()
        except dagger.QueryError:
            return ""

    async def stop(self) -> None:
        """End what was started; a cancelled run ends it too."""
        with anyio.CancelScope(shield=True):
            async with together() as group:
                while self._started:
                    group.start_soon(_stop, self._started.pop())

    def _secret(self, key: SecretKey) -> dagger.Secret:
        if key not in self._secrets:
            name = f"smoke-{self.run_id}-{key.secret}-{key.key}"
            self._secrets[key] = dag.set_secret(name, secrets.token_urlsafe(24))
        return self._secrets[key]


def _as_service(run: Run, container: dagger.Container, command: list[str] | None) -> dagger.Service:
    if command:
        return container.as_service(args=command)
    if run.command:
        return container.as_service(args=[*run.command, *run.args])
    return container.as_service(args=list(run.args), use_entrypoint=True)


def _watched(container: dagger.Container, probe: Probe) -> dagger.Container:
    """Have the engine ask a command in the container until it succeeds; whoever starts it bounds that."""
    return container.with_docker_healthcheck(list(probe.command), interval="300ms", timeout="5s", retries=1_000_000)


async def _stop(service: dagger.Service) -> None:
    with anyio.move_on_after(5):
        try:
            await service.stop(kill=True)
        except dagger.QueryError:
            return  # it ended by itself
