"""The data of an environment: taken out as a file, and put back from one.

A backup is a pod's work and changes nothing. A restore works beside the database in use until it is complete, and
holds the environment's lock: killed at any moment, it leaves either the old database untouched or the new one whole.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Protocol

import anyio
import anyio.to_thread

from planera_ci.cluster.client import Cluster
from planera_ci.cluster.errand import Errand, errand
from planera_ci.cluster.history import Archive
from planera_ci.cluster.jobs import completed
from planera_ci.cluster.lock import locked
from planera_ci.cluster.secrets import known_values
from planera_ci.domain import backup as b
from planera_ci.domain import sql
from planera_ci.domain.history import Record
from planera_ci.domain.images import short
from planera_ci.domain.lease import Holder
from planera_ci.domain.manifests import Key, Obj
from planera_ci.domain.mask import masked
from planera_ci.domain.report import Report, size
from planera_ci.errors import ConfigError, DataError, LockLost, PlaneraError, Unreachable, VerifyError
from planera_ci.inspection import archive_of, verify_recorded
from planera_ci.pipeline.archive import Backup, opened
from planera_ci.pipeline.clock import Clock, memory
from planera_ci.pipeline.project import Project

_WITHIN = 3600.0
"""Seconds that a pod may take until its backup is made."""
_TRIES = 3
_UNTOUCHED = "the database in use is as it was"


@dataclass
class Data:
    """One run that takes an environment's data out, or puts them back."""

    project: Project
    environment: str
    cluster: Cluster
    clock: Clock
    run: str
    """Where this run is seen, for those who wait for its lock."""
    wait: float
    act: str

    async def backup(self, folder: Path, kept: str = "") -> Path:
        """Have a backup made, or take one that is kept in the cluster, and return it as a file that is whole."""
        b.check_kept(self.act, kept)
        async with self._working("backup", f"{self.project.name}-backup", holds=not kept, claims=bool(kept)) as work:
            where = f"/backups/{kept}" if kept else b.HELD
            if kept:
                await self._check_kept(work, kept)
            wanted = (await work.run("its checksum", ("sha256sum", where))).split()[0]
            path = folder / (kept or b.file_name(self.project.name, self.environment, self.cluster.now()))
            with self.clock.step("fetch") as lines:
                await self._fetched(work, where, path, wanted)
                found = await self._opened(path, "run it again")
                lines.append(found.text())
        self.clock.say(f"{path.name}: {found.text()}, its checksums are right")
        return path

    async def _check_kept(self, work: Errand, kept: str) -> None:
        names = (await work.run("a look at the kept backups", ("ls", "/backups"))).split()
        if kept not in names:
            there = ", ".join(n for n in names if n.endswith(".tar")) or "none"
            raise ConfigError(self.act, f"no backup {kept} is kept", f"choose one of those that are: {there}")

    async def _fetched(self, work: Errand, where: str, path: Path, wanted: str) -> None:
        """Stream a file out of the pod; a connection that drops is no reason to make the backup again."""
        for attempt in range(1, _TRIES + 1):
            digest = sha256()
            try:
                with path.open("wb") as file:
                    await work.run("reading the backup", ("cat", where), sink=_Both(file, digest))
            except Unreachable as error:
                if attempt == _TRIES:
                    raise
                self.clock.say(f"{error} Once more.")
                continue
            if digest.hexdigest() == wanted:
                return
            self.clock.say("what came is not what was sent")
        raise DataError(self.act, f"the file was damaged on its way {_TRIES} times", "run it again")

    async def _opened(self, path: Path, remedy: str) -> Backup:
        return await anyio.to_thread.run_sync(opened, path, self.act, remedy)

    async def restore(self, path: Path) -> Report:
        """Put a backup in the place of the database, prove that the application serves it, and tell what changed."""
        with self.clock.step("check") as lines:
            backup = await self._opened(path, f"give a file that `backup` has made; {_UNTOUCHED}")
            lines.append(f"{backup.text()}, its checksums are right")
        archive = await archive_of(self.cluster, self.project, self.environment)
        good = (await archive.load()).good
        if good is None:
            raise VerifyError(self.act, "no deployment of it has succeeded yet", f"deploy first; {_UNTOUCHED}")
        async with self._working("restore", self.project.name, holds=False) as work:
            history = await archive.load()  # what was deployed while the lock was waited for
            good = history.good or good
            if history.left_behind:
                what = "the newest revision is not good and still there"
                raise ConfigError(self.act, what, f"deploy or roll back, then restore; {_UNTOUCHED}")
            try:
                exchange = await self._prepared(work, backup, archive, good)
            except (LockLost, ConfigError):
                raise
            except PlaneraError as error:
                told = "; ".join(filter(None, (error.remedy, _UNTOUCHED)))
                what = error.observed if error.act == self.act else f"{error.act}: {error.observed}"
                raise DataError(self.act, what, told, tail=error.tail) from error
            with self.clock.step("switch") as lines:
                self.clock.say(f"exchanges {exchange.name} and {exchange.fresh}")
                await self._switched(work, exchange)
                lines.append(f"{exchange.name} is the restored one, the former is {exchange.former}")
        with self.clock.step("verify") as lines:
            lines.extend(await self._proven(exchange))
        return Report(
            app=self.project.name,
            environment=self.environment,
            version=short(good.version),
            seconds=self.clock.seconds(),
            steps=tuple(self.clock.steps),
            notes=(f"an administrator drops the former when nobody needs it: {exchange.drop(archive.namespace)}",),
            outcome="succeeded",
            memory=memory(),
        )

    async def _prepared(self, work: Errand, backup: Backup, archive: Archive, good: Record) -> Exchange:
        """Fill a database beside the one in use, and bring it to the schema of the release that runs."""
        name, host, user, may = (await work.run("asking the database", sql.database())).split()
        if may != "t":
            raise ConfigError(
                self.act, f"{user} may not create databases; {_UNTOUCHED}", f"ALTER ROLE {user} CREATEDB once"
            )
        objs = await archive.objects(good)
        migrations = b.migrations(objs, good.images)
        b.check_migrations(self.act, migrations, objs)
        now = self.cluster.now()
        exchange = Exchange(name, b.half_made(name, now), b.former(name, now), host, user)
        await work.run("dropping what an earlier restore left", sql.clean())
        try:
            with self.clock.step("restore") as lines:
                got = await work.give("sending the dump", sql.receive(backup.size), backup.dump())
                if got.split()[:1] != [backup.checksum]:
                    raise DataError(self.act, "the dump was damaged on its way", "run it again")
                await work.run("creating a database", sql.create(exchange.fresh))
                self.clock.say(f"the dump is in the cluster; pg_restore fills {exchange.fresh}")
                await work.run("pg_restore", sql.fill(exchange.fresh))
                await work.run("giving it settings and grants", sql.like(exchange.fresh))
                lines.append(f"{size(backup.size)} into {exchange.fresh}")
            with self.clock.step("migrate") as lines:
                lines.extend(await self._migrated(work, migrations, exchange.fresh))
            with self.clock.step("rows") as lines:
                await work.run("analyzing", sql.analyze(exchange.fresh))
                before = sql.rows(await work.run("counting rows", sql.count(name)))
                after = sql.rows(await work.run("counting rows", sql.count(exchange.fresh)))
                lines.extend(b.table(before, after) or ("no table",))
        except PlaneraError:
            with suppress(PlaneraError):
                await work.run("dropping what is half made", sql.clean())
            raise
        return exchange

    async def _migrated(self, work: Errand, migrations: Iterable[Obj], fresh: str) -> tuple[str, ...]:
        """Run the release's own migrations on the restored data: a backup may be older than the schema it needs."""
        lines: list[str] = []
        for original in migrations:
            job = b.migration(original, fresh)
            told = await completed(work.cluster, job, self.act, _WITHIN, self.clock.say, work.hide, keep=False)
            lines.extend((f"{original['metadata']['name']} completed", *told))
        return tuple(lines) or ("the release has none",)

    async def _switched(self, work: Errand, exchange: Exchange) -> None:
        """Exchange the databases; where the answer is lost, the database itself says how it ended."""
        try:
            await work.run("exchanging the databases", sql.switch(exchange.fresh, exchange.former))
        except Unreachable:
            done = await work.run("asking how it ended", sql.exchanged(exchange.former))
            if done.split()[-1:] != ["1"]:
                what = "the connection dropped before the databases were exchanged"
                raise DataError(self.act, what, f"{_UNTOUCHED}; run it again") from None
        except DataError as error:
            raise DataError(self.act, error.observed, f"{_UNTOUCHED}; run it again", tail=error.tail) from error

    async def _proven(self, exchange: Exchange) -> tuple[str, ...]:
        try:
            return (await verify_recorded(self.cluster, self.project, self.environment, certified=False))[1]
        except PlaneraError as error:
            what = f"the data are restored, but {error.act}: {error.observed}"
            raise VerifyError(self.act, what, f"{error.remedy}; the former database is {exchange.former}") from error

    @asynccontextmanager
    async def _working(self, name: str, lock: str, *, holds: bool, claims: bool = False) -> AsyncIterator[Errand]:
        """Have a pod that reaches the database, under a lock."""
        say, act = self.clock.say, self.act
        archive = await archive_of(self.cluster, self.project, self.environment)
        cronjob = await self._cronjob(archive.namespace)
        hide = partial(masked, values=await known_values(self.cluster, archive.namespace, archive.app))
        holder = Holder(f"planera-ci-{secrets.token_hex(4)}", self.run, act)
        pod = b.pod(cronjob, name, self.project.labels, holds=holds, claims=claims)
        async with locked(self.cluster, archive.namespace, lock, holder, act=act, wait=self.wait, say=say) as held:
            own = self.cluster.guarded(held.fence)
            async with errand(own, pod, act=act, within=_WITHIN, say=say, hide=hide) as work:
                yield work

    async def _cronjob(self, namespace: str) -> Obj:
        live = await self.cluster.get(Key("batch/v1", "CronJob", namespace, b.CRONJOB))
        return b.template((live,) if live else (), self.act)


@dataclass(frozen=True)
class Exchange:
    """Two databases that take each other's place."""

    name: str
    fresh: str
    former: str
    host: str
    user: str

    def drop(self, namespace: str) -> str:
        """Return the command that removes the former database."""
        return f"kubectl -n {namespace} exec service/{self.host} -- dropdb -U {self.user} {self.former}"


@dataclass(frozen=True)
class _Both:
    """Writes to a file and counts its checksum."""

    file: BinaryIO
    digest: Hash

    def write(self, data: bytes, /) -> None:
        self.file.write(data)
        self.digest.update(data)


class Hash(Protocol):
    """A checksum in the making."""

    def update(self, data: bytes, /) -> None:
        """Take some more."""
