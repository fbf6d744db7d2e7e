"""What happens around a deployment while it runs, each step timed by what the cluster shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache

from tests.e2e.harness import ROOT, run
from tests.faults.live import Live, Obj

_ROLLING, _FAILING = 180.0, 60.0
"""Seconds until a deployer has written the workload, and until the cluster has noticed a fault."""


def _lab(action: str, what: str) -> None:
    run([str(ROOT / "lab/lab"), "fault", action, what])


def registry_fails_and_recovers(live: Live) -> None:
    """Stop the registry before a pull, and start it again once the pull has failed."""
    live.until(_held, _ROLLING)
    try:
        _lab("stop", "ghcr")
        live.until(_pull_failed, _FAILING)
    finally:
        _lab("start", "ghcr")


def api_server_restarts(live: Live) -> None:
    """End the API server while a new pod starts; its supervisor starts it again."""
    live.until(_starting, _ROLLING)
    _lab("restart", "apiserver")


def node_restarts(live: Live) -> None:
    """End everything on the node, control plane and all, while a new pod starts."""
    live.until(_starting, _ROLLING)
    _lab("restart", "node")


ACTIONS: dict[str, Callable[[Live], None]] = {
    "registry": registry_fails_and_recovers,
    "apiserver": api_server_restarts,
    "node": node_restarts,
}


@contextmanager
def happening(what: str, live: Live) -> Iterator[None]:
    """Let something happen beside the block, and fail where it could not."""
    if what not in ACTIONS:
        yield
        return
    with ThreadPoolExecutor(1) as pool:
        done: Future[None] = pool.submit(ACTIONS[what], live)
        try:
            yield
        finally:
            live.close()
        done.result()


@contextmanager
def serving(namespace: str) -> Iterator[Callable[[], None]]:
    """Yield what has the pods of two deployments at once serve: they wait for a name of the cluster."""
    mine = ["kubectl", "-n", namespace]

    @cache
    def serve() -> None:
        run([*mine, "create", "service", "clusterip", "go-on", "--tcp=80"])

    try:
        yield serve
    finally:
        run([*mine, "delete", "service", "go-on", "--ignore-not-found"])


def _states(live: Live, field: str) -> Iterator[Obj]:
    """Yield the state of each container of the backend's new pods."""
    for pod in live.new("Pod"):
        if pod["metadata"]["name"].startswith("backend-"):
            yield from (status.get("state") or {} for status in (pod.get("status") or {}).get(field) or ())


def _held(live: Live) -> bool:
    return any("running" in state for state in _states(live, "initContainerStatuses"))


def _pull_failed(live: Live) -> bool:
    reasons = ((state.get("waiting") or {}).get("reason") for state in _states(live, "containerStatuses"))
    return any(reason in {"ErrImagePull", "ImagePullBackOff"} for reason in reasons)


def _starting(live: Live) -> bool:
    return any("running" in state for state in _states(live, "containerStatuses"))
