"""Wait for workloads to roll out: watch, judge by the pure rules, and say what happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import anyio

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.watch import Live
from planera_ci.domain import symptom as sy
from planera_ci.domain.events import happened, line
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.pods import pods_of, statuses
from planera_ci.domain.readiness import State, describe, state_of
from planera_ci.domain.scene import Scene
from planera_ci.domain.symptom import Failure, First, remembered
from planera_ci.domain.verdict import of_failure
from planera_ci.errors import RolloutError, last_lines

KINDS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "Job"),
    ("v1", "Pod"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Event"),
)

TRACKED = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job"})
"""The kinds that a deployment waits for."""

Say = Callable[[str], None]
"""Takes a line of progress."""

Hide = Callable[[str], str]
"""Takes the secrets out of what containers and events say."""

_LONGEST_NAP, _LOG_SECONDS = 30.0, 10.0
_REST = 4.0
"""How many times as long as a judgement took the next one waits: what comes meanwhile is judged at once.

So judging takes a fifth of one core at most, however much there is to judge; a rollout of a hundred pods has thousands
of events. What is told is told a few hundredths of a second later.
"""


@dataclass
class Tracker:
    """Follows the workloads of one deployment, and remembers since when each trouble lasts."""

    cluster: Cluster
    live: Live
    act: str
    say: Say
    hide: Hide
    since: float
    """When the deployment began, by the cluster's clock; earlier events are not its own."""
    _firsts: dict[str, First] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)
    _deleted: set[str] = field(default_factory=set)

    async def rolled_out(self, keys: Iterable[Key], within: float) -> dict[Key, State]:
        """Return the states of all workloads once they are done; raise at the first that cannot be."""
        keys = tuple(keys)
        states: dict[Key, State] = {}
        with anyio.move_on_after(within):
            while True:
                begun = time.thread_time()
                states = self._judged(keys, states)
                rested = anyio.current_time() + _REST * (time.thread_time() - begun)
                failed = next(((key, s.failure) for key, s in states.items() if s.failure), None)
                if failed:
                    raise await self._error(*failed)
                if all(state.done for state in states.values()):
                    return states
                await self._unblock(states.values())
                with anyio.move_on_after(self._nap(states.values())):
                    await self.live.change()
                await anyio.sleep_until(rested)
        await self.cluster.version()  # what is known is old where the API server is away: then that is the reason
        key, state = next((key, state) for key, state in states.items() if not state.done)
        raise await self._error(key, self._overdue(key, state, within))

    def _judged(self, keys: tuple[Key, ...], before: dict[Key, State]) -> dict[Key, State]:
        self._say_events()
        live = self.live
        now = self.cluster.now()
        scene = Scene(live.of("Pod"), live.of("ReplicaSet"), live.of("Event"), self._firsts, now)
        states = {key: _state(live.get(key), scene) for key in keys}
        self._firsts = remembered(self._firsts, [s for state in states.values() for s in state.symptoms], now)
        for key, state in states.items():
            if key not in before or state.message != before[key].message:
                self.say(self.hide(describe(key, state)))
        return states

    def _nap(self, states: Iterable[State]) -> float:
        """Return how long nothing can change by itself: until the next grace ends."""
        return min(max(min(state.due for state in states) - self.cluster.now(), 0.0) + 0.01, _LONGEST_NAP)

    def _say_events(self) -> None:
        """Say the warnings that are new; the same words about the same object are said once."""
        warnings = (event for event in self.live.of("Event") if event.get("type") == "Warning")
        for event in sorted((event for event in warnings if happened(event) >= self.since), key=happened):
            text = line({**event, "count": 1})
            if text not in self._said:
                self._said.add(text)
                self.say(self.hide(f"event {text}"))

    async def _unblock(self, states: Iterable[State]) -> None:
        """Delete the pod that a stateful set's controller waits for in vain; the new revision takes its place."""
        for state in (state for state in states if state.blocked):
            pod = next((p for p in self.live.of("Pod") if p["metadata"]["name"] == state.blocked), None)
            if pod and pod["metadata"]["uid"] not in self._deleted:
                self._deleted.add(pod["metadata"]["uid"])
                self.say(f"deletes pod {state.blocked}: it is of an earlier revision and will never be ready")
                await self.cluster.delete(Key.of(pod), uid=pod["metadata"]["uid"])

    def _overdue(self, key: Key, state: State, within: float) -> Failure:
        """Return the verdict at the end of the time: a trouble that is known, or else that it is slow."""
        known = min(state.symptoms, key=lambda s: s.grace, default=None)
        if known:
            text = f"{known.message} (for all of the {within:.0f} s that it was given)"
            return Failure(known.reason, text, known.pod, known.container)
        obj = self.live.get(key)
        pods = pods_of(obj, self.live.of("Pod")) if obj else ()
        pod, container = (_at_work if key.kind == "Job" else _suspect)(pods)
        return Failure(sy.SLOW, f"not ready after {within:.0f} s: {state.message}", pod, container)

    async def _error(self, key: Key, failure: Failure) -> RolloutError:
        verdict = of_failure(key, failure, self.cluster.now())
        text = self.hide(f"{key}: {failure.reason}: {failure.message}")
        self.say(f"verdict: {text}")
        tail = await self._log(key.namespace, failure) if failure.pod and failure.container else ""
        return RolloutError(self.act, text, tail=self.hide(last_lines(tail)), verdict=verdict)

    async def _log(self, namespace: str, failure: Failure) -> str:
        with anyio.move_on_after(_LOG_SECONDS):
            current = await self.cluster.log(namespace, failure.pod, failure.container)
            return current or await self.cluster.log(namespace, failure.pod, failure.container, previous=True)
        return ""


def _state(obj: Obj | None, scene: Scene) -> State:
    return State(False, "not seen yet") if obj is None else state_of(obj, scene)


def _suspect(pods: Iterable[Obj]) -> tuple[str, str]:
    """Return the first container that is not ready, with its pod."""
    return next(
        ((pod["metadata"]["name"], status["name"]) for pod in pods for status in statuses(pod) if not status["ready"]),
        ("", ""),
    )


def _at_work(pods: Iterable[Obj]) -> tuple[str, str]:
    """Return the first container of all, with its pod: what works on a Job is always ready."""
    return next(((pod["metadata"]["name"], status["name"]) for pod in pods for status in statuses(pod)), ("", ""))
