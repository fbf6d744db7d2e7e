"""Bring an environment from the release that it runs to another one, under its lock, and back if that fails.

Whatever happens, one of these is true afterwards: the new release runs and is verified; the last good
one does, and the evidence is kept; or the message says what is left, and the next run mends it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from planera_ci.aftermath import Aftermath, Attempt
from planera_ci.cluster.apply import plan, remove, write
from planera_ci.cluster.client import Cluster
from planera_ci.cluster.history import Archive
from planera_ci.cluster.jobs import said, saved
from planera_ci.cluster.lock import locked
from planera_ci.cluster.rollout import KINDS, TRACKED, Tracker
from planera_ci.cluster.secrets import known_values
from planera_ci.cluster.watch import Live, watching
from planera_ci.domain import manifests as m
from planera_ci.domain.backup import migrates
from planera_ci.domain.history import History, Outcome, Record, entries
from planera_ci.domain.images import short
from planera_ci.domain.lease import Holder, held, key_of
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.mask import masked
from planera_ci.domain.moments import stamp
from planera_ci.domain.plan import Action, Change, Plan
from planera_ci.domain.readiness import State
from planera_ci.domain.report import Report, listed
from planera_ci.domain.routes import pages
from planera_ci.domain.verdict import Verdict
from planera_ci.errors import DeploymentError, LockLost, PlaneraError, RolloutError
from planera_ci.inspection import routes_of, verify
from planera_ci.mending import Mending, to_undo
from planera_ci.options import Options
from planera_ci.pipeline.clock import Clock, cpu, memory, span
from planera_ci.pipeline.project import Project
from planera_ci.restoration import Target, hidden, restored, running_jobs
from planera_ci.tasks import together

Make = Callable[[History, Archive], Awaitable[Target]]
"""Returns what the environment is to become, once the lock is held and the history is known."""

_PAST = {Action.CREATE: "created", Action.UPDATE: "updated", Action.REPLACE: "replaced"}


@dataclass
class Transition:
    """One change of one environment."""

    project: Project
    environment: str
    namespace: str
    cluster: Cluster
    clock: Clock
    holder: Holder
    options: Options
    act: str
    masks: tuple[str, ...] = field(default=(), repr=False)
    """Secret values that no evidence may show."""

    @property
    def archive(self) -> Archive:
        """Return where the history is; what it writes is fenced as all else is."""
        return Archive(self.cluster, self.namespace, self.project.name, self.project.labels)

    async def run(self, make: Make, version: str) -> Report:
        """Make the target under the lock, bring the environment to it, prove it, and record it."""
        return await self.run_in_turn((make,), version)

    async def run_in_turn(self, makes: Sequence[Make], version: str) -> Report:
        """Bring the environment to one target after the other under one lock; each is a revision of its own."""
        reports: list[Report] = []
        async with self._alone() as (own, live):
            mending = own.mending(live)
            history = await mending.mended(await own.archive.load(), version)
            for make in makes:
                try:
                    target = await make(history, own.archive)
                    planned = await own.planned(target, history)
                except PlaneraError:
                    await mending.dropped(history)
                    raise
                reports.append(await own.attempted(target, planned, history, live))
                history = await own.archive.load()
            return reports[-1]

    async def mend(self, version: str) -> None:
        """Undo at once what a killed run left half done, unless the same version is about to finish it."""
        history = await self.archive.load()
        if not to_undo(history, version):
            return
        lease = held(await self.cluster.get(key_of(self.namespace, self.project.name)))
        # Who holds the lock may live: then nothing is half done, and neither build nor publication waits for it.
        if lease is None or lease.over(self.cluster.now()):
            async with self._alone() as (own, live):
                await own.mending(live).mended(await own.archive.load(), version)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[tuple[Transition, Live]]:
        """Hold the lock and watch the namespace; what is yielded can write only while the lock is held."""
        name, wait = self.project.name, self.options.wait
        say, act = self.clock.say, self.act
        async with (
            locked(self.cluster, self.namespace, name, self.holder, act=act, wait=wait, say=say) as lock,
            watching(self.cluster, self.namespace, KINDS) as live,
        ):
            masks = (*self.masks, *await known_values(self.cluster, self.namespace, name))
            yield replace(self, cluster=self.cluster.guarded(lock.fence), masks=masks), live

    def mending(self, live: Live) -> Mending:
        """Return what undoes a killed run's half done revision."""

        async def restore(good: Record, history: History) -> None:
            await self.restore(good, history, live)

        return Mending(self.archive, self.cluster, self.clock, restore)

    async def planned(self, target: Target, history: History) -> Plan:
        """Compare the target with what is there, its fields ours; what it names without applying it stays."""
        left = set(history.inventory()) - set(target.inventory)
        return await plan(self.cluster, target.everything, left, adopt=True)

    async def attempted(self, target: Target, planned: Plan, history: History, live: Live) -> Report:
        """Apply, follow and verify a release; if it fails keep the evidence and put the good one back."""
        good, now = history.good, self.cluster.now()
        record = Record(
            revision=history.next_revision,
            version=target.version,
            images=target.images,
            inventory=entries(target.inventory),
            secrets=target.secrets,
            restores=target.restores,
            rotates=target.rotates,
            holder=self.holder.name,
            run=self.holder.run,
            started_at=stamp(now),
        )
        idle = good if good and record.is_same_release(good) and not planned.changes_besides(target.login) else None
        record = idle or record
        if idle is None:
            await self.archive.open(record, (*target.objs, *target.resting), history)
        try:
            if self.options.careful and idle is None and migrates(target.objs, target.images, planned):
                with self.clock.step("backup") as lines:
                    lines.append(await self._backed_up(target, record.revision))
            verdict = await self._rolled_out(target, planned, live)
            with self.clock.step("verify") as lines:
                lines.extend(await self.proven(target))
        except LockLost:
            raise
        except PlaneraError as error:
            attempt = Attempt(record, planned, good, idle=idle is not None)
            raise await self._aftermath(attempt, target, history, live).of(error) from error
        if idle is None:
            await self._succeeded(record)
        if target.rotates:
            await self.archive.forget_values(await self.archive.load())
        return replace(
            self.report(target, good),
            revision=record.revision,
            outcome="succeeded",
            verdict=verdict.facts(),
            diff=masked(planned.text(), (*self.masks, *target.hidden())),
        )

    async def _succeeded(self, record: Record) -> None:
        ended = {"outcome": Outcome.SUCCEEDED, "ended_at": stamp(self.cluster.now())}
        try:
            await self.archive.close(record.model_copy(update=ended))
        except LockLost:
            raise
        except PlaneraError as error:
            what = f"revision {record.revision} runs and is verified, but that could not be recorded: {error.observed}"
            version, back = record.version, record.restores
            again = f"`dagger call rollback --to {back}`" if back else f"deploying {short(version)} once more"
            remedy = (
                "repeat the rotation: the next run undoes this one"
                if record.rotates
                else f"{again} records it; any other run undoes it first"
            )
            raise DeploymentError(self.act, what, remedy) from error

    async def _backed_up(self, target: Target, revision: int) -> str:
        hide, labels = partial(masked, values=(*self.masks, *target.hidden())), self.project.labels
        say, act = self.clock.say, self.act
        return await saved(self.cluster, self.namespace, revision, labels, act=act, say=say, hide=hide)

    def _aftermath(self, attempt: Attempt, target: Target, history: History, live: Live) -> Aftermath:
        async def restore(good: Record) -> tuple[str, ...]:
            return await self.restore(good, history.and_then(attempt.record), live)

        return Aftermath(
            act=self.act,
            environment=self.environment,
            cluster=self.cluster,
            archive=self.archive,
            clock=self.clock,
            live=live,
            attempt=attempt,
            masks=(*self.masks, *target.hidden()),
            undo=self.options.undo,
            restore=restore,
            report=lambda: self.report(target, attempt.good),
        )

    async def _rolled_out(self, target: Target, planned: Plan, live: Live) -> Verdict:
        failed: RolloutError | None = None
        states: dict[Key, State] = {}
        with self.clock.step("apply") as lines:
            try:
                states = await self.apply(target.everything, planned, live)
                told = self.cluster.now()
                await remove(self.cluster, planned.only(Action.REMOVE))
            except RolloutError as error:
                failed = error
            lines.append(planned.counts())
        with self.clock.step("rollout") as lines:
            if failed:
                raise failed
            changed = planned.only(Action.CREATE, Action.UPDATE, Action.REPLACE)
            moved = {change.key for change in changed} & states.keys()
            lines.append(listed(f"{key.name} {state.message}" for key, state in states.items()))
            hide = partial(masked, values=(*self.masks, *target.hidden()))
            lines.extend(await said(self.cluster, live, sorted(moved), hide))
        return Verdict(decided=max((states[key].at for key in moved), default=0.0), told=told)

    async def apply(self, objs: tuple[Obj, ...], planned: Plan, live: Live) -> dict[Key, State]:
        """Apply wave by wave; a wave with workloads has rolled out before the next begins."""
        changes = {change.key: change for change in planned.changes}
        states: dict[Key, State] = {}
        # Dagger shows every error where it is raised: a log must be harmless before it becomes part of one.
        hide = partial(masked, values=(*self.masks, *hidden(objs)))
        tracker = Tracker(self.cluster, live, self.act, self.clock.say, hide, int(self.cluster.now()))
        for wave in m.waves(objs):
            async with together() as group:
                for obj in wave:
                    group.start_soon(self._write, live, obj, changes[Key.of(obj)])
            keys = [Key.of(obj) for obj in wave if obj["kind"] in TRACKED]
            if keys:
                with span(f"roll out {listed(key.name for key in keys)}"):
                    states |= await tracker.rolled_out(keys, self.options.within)
        return states

    async def _write(self, live: Live, obj: Obj, change: Change) -> None:
        if change.action is Action.KEEP:
            return
        written = await write(self.cluster, obj, change)
        self.clock.say(f"{change.key} {_PAST[change.action]}")
        if change.key.kind in TRACKED:
            live.take({"type": "MODIFIED", "object": written})

    async def restore(self, good: Record, history: History, live: Live) -> tuple[str, ...]:
        """Put a whole release back as it was applied, its secrets too, and verify it; Jobs are not run again."""
        target = await restored(self.archive, history, good)
        for key in running_jobs(live, history.inventory()):
            self.clock.say(f"stops {key}: it belongs to the release that is taken back")
            await self.cluster.delete(key)
        planned = await self.planned(target, history)
        await self.apply(target.everything, planned, live)
        await remove(self.cluster, planned.only(Action.REMOVE))
        return await self.proven(target)

    async def proven(self, target: Target) -> tuple[str, ...]:
        """Verify that the cluster runs a release."""
        plain = m.unpinned(target.objs, target.images)
        return await verify(self.cluster, self.project, plain, target.objs, self.namespace, self.environment)

    def report(self, target: Target, was: Record | None) -> Report:
        """Return what the run did so far."""
        return Report(
            app=self.project.name,
            environment=self.environment,
            version=short(target.version),
            was=short(was.version) if was else "",
            seconds=self.clock.seconds(),
            steps=tuple(self.clock.steps),
            notes=target.notes,
            urls=pages(routes_of(self.project, m.unpinned(target.objs, target.images))),
            memory=memory(),
            cpu=cpu(),
            images=target.images,
        )
